//! Reproduces Octave's uniform generator.

use super::UniformGenerator;

const LENGTH: usize = 624;
const OFFSET: usize = 397;

/// Octave's `rand('state', seed)`: the Mersenne Twister MT19937 seeded with an array of one word,
/// 53 bits a number (Matsumoto and Nishimura 1998). `NumPy` gives the same numbers for
/// `RandomState().seed([seed])` and `random_sample`.
#[derive(Clone, Debug)]
pub struct OctaveTwister {
    state: [u32; LENGTH],
    next: usize,
}

impl OctaveTwister {
    /// The generator as Octave seeds it.
    pub fn new(seed: u32) -> Self {
        let mut state = [0_u32; LENGTH];
        state[0] = 19_650_218;
        for i in 1..LENGTH {
            state[i] = scrambled(state[i - 1], 1_812_433_253).wrapping_add(index(i));
        }
        // The key has one word: its own index stays 0 and adds nothing.
        let mut i = 1;
        for _ in 0..LENGTH {
            state[i] = (state[i] ^ scrambled(state[i - 1], 1_664_525)).wrapping_add(seed);
            i = following(&mut state, i);
        }
        for _ in 1..LENGTH {
            state[i] = (state[i] ^ scrambled(state[i - 1], 1_566_083_941)).wrapping_sub(index(i));
            i = following(&mut state, i);
        }
        state[0] = 1 << 31;
        Self { state, next: LENGTH }
    }

    fn next_word(&mut self) -> u32 {
        if self.next == LENGTH {
            self.refill();
        }
        let mut word = self.state[self.next];
        self.next += 1;
        word ^= word >> 11;
        word ^= (word << 7) & 0x9D2C_5680;
        word ^= (word << 15) & 0xEFC6_0000;
        word ^ (word >> 18)
    }

    fn refill(&mut self) {
        for i in 0..LENGTH {
            let mixed = (self.state[i] & (1 << 31)) | (self.state[(i + 1) % LENGTH] & !(1 << 31));
            let twist = if mixed & 1 == 0 { 0 } else { 0x9908_B0DF };
            self.state[i] = self.state[(i + OFFSET) % LENGTH] ^ (mixed >> 1) ^ twist;
        }
        self.next = 0;
    }
}

fn scrambled(word: u32, factor: u32) -> u32 {
    (word ^ (word >> 30)).wrapping_mul(factor)
}

fn index(i: usize) -> u32 {
    u32::try_from(i).expect("invariant: an index below 624")
}

/// The next word to seed, passing the last one on to the first at the end.
fn following(state: &mut [u32; LENGTH], i: usize) -> usize {
    if i + 1 < LENGTH {
        return i + 1;
    }
    state[0] = state[LENGTH - 1];
    1
}

impl UniformGenerator for OctaveTwister {
    fn next_uniform(&mut self) -> f64 {
        let high = f64::from(self.next_word() >> 5);
        let low = f64::from(self.next_word() >> 6);
        (high * 67_108_864.0 + low) / 9_007_199_254_740_992.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_numbers_as_numpy() {
        // numpy.random.RandomState().seed([2005]); random_sample(3), and the 1,000th number.
        let mut generator = OctaveTwister::new(2005);
        let draws: Vec<f64> = (0..1000).map(|_| generator.next_uniform()).collect();
        assert_eq!(
            draws[..3],
            [0.450_370_997_291_621_44, 0.076_401_952_554_964_85, 0.209_461_558_346_016_54]
        );
        assert_eq!(draws[999], 0.849_594_393_244_741_7);
    }
}
