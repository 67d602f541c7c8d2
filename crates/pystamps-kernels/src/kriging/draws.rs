//! Draws random subsets.

use crate::random::UniformGenerator;

const DRAWS: usize = 15_000;
const ENOUGH: usize = 4000;

/// Numbers from 0 below `count`, ascending: what is different among 15,000 draws with replacement,
/// `unique(ceil(rand(15000, 1) * count))`. Fewer than 4,000 are drawn once more.
pub fn random_subset(count: usize, random: &mut impl UniformGenerator) -> Vec<usize> {
    if count == 0 {
        return Vec::new();
    }
    let first = draw(count, random);
    if first.len() < ENOUGH { draw(count, random) } else { first }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number")]
fn draw(count: usize, random: &mut impl UniformGenerator) -> Vec<usize> {
    let number = |_| {
        let drawn = (random.next_uniform() * count as f64).ceil() as usize;
        drawn.clamp(1, count) - 1
    };
    let mut drawn: Vec<usize> = (0..DRAWS).map(number).collect();
    drawn.sort_unstable();
    drawn.dedup();
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{MatlabV5Uniform, STAMPS_SEED};

    #[test]
    fn subsets_are_reproducible_and_ascending() {
        for count in [0, 1, 300, 100_000] {
            let draw = || random_subset(count, &mut MatlabV5Uniform::new(STAMPS_SEED));
            let subset = draw();
            assert_eq!(subset, draw());
            assert!(subset.windows(2).all(|pair| pair[0] < pair[1]));
            assert!(subset.iter().all(|&number| number < count));
            assert_eq!(subset.len() == count, count <= 300, "{}", subset.len());
        }
    }
}
