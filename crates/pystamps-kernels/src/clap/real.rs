//! The two precisions in which windows are filtered.

use rustfft::FftNum;

/// `f32` or `f64`.
pub(crate) trait Real: FftNum + PartialOrd + Default {
    /// Integers in the order of the non-negative numbers whose bits they are.
    type Bits: Ord + Copy + Default + std::fmt::Debug;

    /// Rounds to this precision.
    fn rounded(value: f64) -> Self;
    /// Square root.
    fn root(self) -> Self;
    /// `self` to the power of `exponent`.
    fn power(self, exponent: Self) -> Self;
    /// The bits of a non-negative number.
    fn bits(self) -> Self::Bits;
    /// The number that has these bits.
    fn from_ordered(bits: Self::Bits) -> Self;
    /// In double precision.
    fn wide(self) -> f64;
    /// How many of `values` are below `pivot`.
    fn count_below(values: &[Self], pivot: Self) -> usize;
}

macro_rules! real {
    ($float:ty, $bits:ty) => {
        impl Real for $float {
            type Bits = $bits;

            #[inline(always)]
            fn rounded(value: f64) -> Self {
                #[allow(
                    clippy::cast_possible_truncation,
                    reason = "rounds for f32, does nothing for f64"
                )]
                let rounded = value as $float;
                rounded
            }

            #[inline(always)]
            fn root(self) -> Self {
                self.sqrt()
            }

            fn power(self, exponent: Self) -> Self {
                self.powf(exponent)
            }

            #[inline(always)]
            fn bits(self) -> $bits {
                self.to_bits()
            }

            #[inline(always)]
            fn from_ordered(bits: $bits) -> Self {
                <$float>::from_bits(bits)
            }

            #[inline(always)]
            fn wide(self) -> f64 {
                self.into()
            }

            #[inline(always)]
            fn count_below(values: &[Self], pivot: Self) -> usize {
                // Counted in integers as wide as the numbers, which vectors hold as many of.
                let count: $bits = values.iter().map(|&value| <$bits>::from(value < pivot)).sum();
                #[allow(clippy::cast_possible_truncation, reason = "no more than there are values")]
                let count = count as usize;
                count
            }
        }
    };
}

real!(f32, u32);
real!(f64, u64);
