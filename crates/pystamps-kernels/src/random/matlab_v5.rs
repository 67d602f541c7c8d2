//! Reproduces MATLAB's legacy uniform generator.

use super::UniformGenerator;

/// Bits of a number.
const BITS: u32 = 53;
/// 2^-53.
const UNIT: f64 = 1.0 / (1_u64 << BITS) as f64;

/// MATLAB's `rand('state', seed)`, also called `v5uniform`: a subtract-with-borrow generator of 32
/// numbers whose results are scrambled with a shift register (Marsaglia).
///
/// The numbers are multiples of 2^-53, kept as integers: their differences are exact either way, and
/// the next one need not wait for floating-point units.
#[derive(Clone, Debug)]
pub struct MatlabV5Uniform {
    lagged: [u64; 32],
    index: usize,
    borrow: u64,
    register: u32,
}

/// One step of the shift register.
fn shift(mut register: u32) -> u32 {
    register ^= register << 13;
    register ^= register >> 17;
    register ^ (register << 5)
}

impl MatlabV5Uniform {
    /// The generator as MATLAB seeds it; 0 counts as 2^31.
    pub fn new(seed: u32) -> Self {
        let register = if seed == 0 { 1 << 31 } else { seed };
        let mut source = register;
        let lagged = std::array::from_fn(|_| {
            let mut bits = 0_u64;
            for _ in 0..BITS {
                source = shift(source);
                bits = (bits << 1) | u64::from((source >> 19) & 1);
            }
            bits
        });
        Self { lagged, index: 0, borrow: 0, register }
    }
}

impl UniformGenerator for MatlabV5Uniform {
    fn next_uniform(&mut self) -> f64 {
        let i = self.index;
        let minuend = self.lagged[(i + 20) & 31];
        let difference = minuend.wrapping_sub(self.lagged[(i + 5) & 31]).wrapping_sub(self.borrow);
        // Below 0, the sign bit is set.
        self.borrow = difference >> 63;
        let number = difference & ((1 << BITS) - 1);
        self.lagged[i] = number;
        self.index = (i + 1) & 31;
        let low = u64::from(self.register);
        self.register = shift(self.register);
        let mask = ((u64::from(self.register) << 32) & ((1 << 52) - 1)) ^ low;
        if number == 0 {
            return mask as f64 * UNIT;
        }
        f64::from_bits((number as f64 * UNIT).to_bits() ^ mask)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_the_specification() {
        for (seed, expected, digits) in [
            (0, [0.950_129_3, 0.231_138_5, 0.606_842_6, 0.485_982_5, 0.891_299_0], 5.1e-8),
            (
                2005,
                [
                    0.092_958_990_583_19,
                    0.373_737_758_407_52,
                    0.448_770_579_371_18,
                    0.613_866_746_156_84,
                    f64::NAN,
                ],
                5e-15,
            ),
        ] {
            let mut generator = MatlabV5Uniform::new(seed);
            for value in expected {
                let draw = generator.next_uniform();
                assert!((0.0..1.0).contains(&draw));
                assert!(value.is_nan() || (draw - value).abs() < digits, "{draw} {value}");
            }
        }
    }

    /// The same generator in floating point.
    struct InFloatingPoint {
        lagged: [f64; 32],
        index: usize,
        borrow: f64,
        register: u32,
    }

    impl InFloatingPoint {
        fn next_uniform(&mut self) -> f64 {
            let i = self.index;
            let mut value = self.lagged[(i + 20) & 31] - self.lagged[(i + 5) & 31] - self.borrow;
            self.borrow = 0.0;
            if value < 0.0 {
                value += 1.0;
                self.borrow = UNIT;
            }
            self.lagged[i] = value;
            self.index = (i + 1) & 31;
            let low = u64::from(self.register);
            self.register = shift(self.register);
            let mask = ((u64::from(self.register) << 32) & ((1 << 52) - 1)) ^ low;
            if value == 0.0 { mask as f64 * UNIT } else { f64::from_bits(value.to_bits() ^ mask) }
        }
    }

    fn assert_same(mut generator: MatlabV5Uniform, draws: usize) {
        let MatlabV5Uniform { lagged, index, borrow, register } = generator.clone();
        let lagged = lagged.map(|number| number as f64 * UNIT);
        let borrow = borrow as f64 * UNIT;
        let mut other = InFloatingPoint { lagged, index, borrow, register };
        for _ in 0..draws {
            assert_eq!(generator.next_uniform().to_bits(), other.next_uniform().to_bits());
        }
    }

    #[test]
    fn integers_give_the_numbers_of_floating_point() {
        assert_same(MatlabV5Uniform::new(2005), 1_000_000);
        // Zeros, and differences of which nothing is left once more is borrowed.
        let most = (1 << BITS) - 1;
        for pattern in [[0, 0, 0, 0], [1, 0, 0, 1], [most, 0, 1, most], [0, most, most, 1]] {
            let lagged = std::array::from_fn(|place| pattern[place % 4]);
            for borrow in [0, 1] {
                let index = 3;
                assert_same(MatlabV5Uniform { lagged, index, borrow, register: 2005 }, 1000);
            }
        }
    }

    #[test]
    fn a_clone_goes_on_from_the_same_point() {
        let mut generator = MatlabV5Uniform::new(7);
        for _ in 0..100 {
            generator.next_uniform();
        }
        let mut clone = generator.clone();
        for _ in 0..100 {
            assert_eq!(generator.next_uniform().to_bits(), clone.next_uniform().to_bits());
        }
    }
}
