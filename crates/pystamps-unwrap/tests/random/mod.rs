//! Random problems, the same on every machine.

#![expect(unreachable_pub, reason = "shared by test programs")]

use pystamps_unwrap::{ArcCost, GridArcs};

/// A small generator (`SplitMix64`).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number in 0..count.
    #[expect(clippy::cast_possible_truncation, reason = "less than count")]
    pub fn below(&mut self, count: usize) -> usize {
        (self.next() % count as u64) as usize
    }

    /// A number in low..=high.
    #[expect(clippy::cast_possible_truncation, reason = "less than the width")]
    pub fn within(&mut self, low: i32, high: i32) -> i32 {
        low + (self.next() % u64::from(low.abs_diff(high) + 1)) as i32
    }

    /// An arc cost of any kind with an offset of at most `offset`.
    pub fn cost(&mut self, offset: i32) -> ArcCost {
        match self.within(0, 9) {
            0 | 1 => ArcCost::ABSOLUTE,
            2 => ArcCost::FREE,
            3 => ArcCost::quadratic(0, 1),
            _ => {
                let offset = self.within(-offset, offset);
                let variance = [1, 5, 40, 300, 32_767][self.below(5)];
                ArcCost::quadratic(i16::try_from(offset).unwrap_or(i16::MAX), variance)
            }
        }
    }
}

/// Wraps of a random phase and random costs.
pub fn random_problem(
    random: &mut Random,
    rows: usize,
    columns: usize,
    offset: i32,
) -> (GridArcs<i8>, GridArcs<ArcCost>) {
    let phase_rad: Vec<f32> =
        (0..rows * columns).map(|_| random.within(0, 6_283) as f32 / 1000.0).collect();
    let wraps = GridArcs::from_wrapped_phase(rows, columns, &phase_rad)
        .expect("invariant: phases within one cycle");
    let (down, right) = GridArcs::<ArcCost>::lengths(rows, columns);
    let mut costs = |count| (0..count).map(|_| random.cost(offset)).collect();
    (wraps, GridArcs { down: costs(down), right: costs(right) })
}
