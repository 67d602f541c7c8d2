//! Defines sine, cosine, arc tangent, powers and exponentials that compilers turn into vector instructions.
//!
//! The standard library calls a scalar routine for every value; here a loop over an array handles
//! four values at once: sine, cosine and arc tangent together took 8 ns a value on the reference
//! machine (2.5 GHz Xeon, AVX2) and 43 ns with the standard library. There are no branches, no fused multiply-add and no calls, so that the bits
//! are the same whatever the processor (`cargo test --release -p pystamps-kernels -- --ignored
//! --nocapture elementary_speed` measures both).
//!
//! The polynomials are the minimax polynomials of fdlibm (Sun Microsystems, 1993), whose error is
//! below half a unit in the last place on the reduced ranges. They are summed in pairs: a loop waits
//! for the longest chain of dependent operations, not for their number.

#![expect(clippy::inline_always, reason = "only inlined code is compiled again for wide vectors")]

use std::f64::consts::{FRAC_2_PI, FRAC_PI_2, FRAC_PI_4, PI};

/// Adding and subtracting it rounds to the nearest integer, ties to even, and leaves the integer in
/// the low bits of the sum.
const ROUNDER: f64 = 6_755_399_441_055_744.0; // 1.5 * 2^52

// pi/2 in three parts. The first two have 33 bits, so that their product with an integer below
// 2^20 is exact; together they hold 119 bits.
const HALF_PI_HIGH: f64 = f64::from_bits(0x3FF9_21FB_5440_0000);
const HALF_PI_MIDDLE: f64 = f64::from_bits(0x3DD0_B461_1A60_0000);
const HALF_PI_LOW: f64 = f64::from_bits(0x3BA3_198A_2E03_7073);

/// Part of pi/4, pi/2 and pi below the last bit of the `f64`.
const FRAC_PI_4_TAIL: f64 = 3.061_616_997_868_383e-17;
const FRAC_PI_2_TAIL: f64 = 6.123_233_995_736_766e-17;
const PI_TAIL: f64 = 1.224_646_799_147_353_2e-16;

const TAN_PI_8: f64 = 0.414_213_562_373_095_03;

/// `(sin x, cos x)`, x in radians.
///
/// For |x| <= 1e5 within 2 units in the last place or 1e-15, whichever is larger; beyond, accuracy
/// fades slowly and above 1e8 it is gone. NaN and infinity give NaN.
#[inline(always)]
pub fn sin_cos(x: f64) -> (f64, f64) {
    let (quadrant, r) = reduce(x);
    turned(quadrant, sin_reduced(r), cos_reduced(r))
}

/// The quadrant that x lies in, in the low bits, and the angle from the middle of it.
#[inline(always)]
fn reduce(x: f64) -> (u64, f64) {
    let shifted = x * FRAC_2_PI + ROUNDER;
    let n = shifted - ROUNDER;
    let r = ((x - n * HALF_PI_HIGH) - n * HALF_PI_MIDDLE) - n * HALF_PI_LOW;
    (shifted.to_bits(), r)
}

/// Sine and cosine brought from the first quadrant to another.
#[inline(always)]
fn turned(quadrant: u64, sin: f64, cos: f64) -> (f64, f64) {
    // Odd quadrants exchange the two; the second bit of the quadrant, shifted to the sign bit,
    // turns the signs.
    let swap = quadrant & 1 != 0;
    let sin_sign = (quadrant & 2) << 62;
    let cos_sign = (quadrant.wrapping_add(1) & 2) << 62;
    let (sin, cos) = (if swap { cos } else { sin }, if swap { sin } else { cos });
    (f64::from_bits(sin.to_bits() ^ sin_sign), f64::from_bits(cos.to_bits() ^ cos_sign))
}

/// Sine for |r| <= pi/4.
#[inline(always)]
fn sin_reduced(r: f64) -> f64 {
    let x = r * r;
    let low = -1.666_666_666_666_663_2e-1 + x * 8.333_333_333_322_49e-3;
    let middle = -1.984_126_982_985_795e-4 + x * 2.755_731_370_707_006_8e-6;
    let high = -2.505_076_025_340_686_3e-8 + x * 1.589_690_995_211_55e-10;
    let x2 = x * x;
    r + (r * x) * (low + x2 * (middle + x2 * high))
}

/// Cosine for |r| <= pi/4.
#[inline(always)]
fn cos_reduced(r: f64) -> f64 {
    let x = r * r;
    let low = 4.166_666_666_666_66e-2 + x * -1.388_888_888_887_411e-3;
    let middle = 2.480_158_728_947_673e-5 + x * -2.755_731_435_139_066_3e-7;
    let high = 2.087_572_321_298_175e-9 + x * -1.135_964_755_778_819_5e-11;
    let x2 = x * x;
    let half = 0.5 * x;
    let head = 1.0 - half;
    // What `1 - half` lost is added to the small part.
    head + (((1.0 - head) - half) + x2 * (low + x2 * (middle + x2 * high)))
}

/// Values worked on together by [`sin_cos_each`].
const STAGE: usize = 16;

/// [`sin_cos`] of every angle, in steps over sixteen values at a time.
///
/// A processor that looks ahead over some hundred instructions sees only two or three of the long
/// chains that one value needs; short steps over several values keep it busy (a quarter faster).
///
/// # Panics
/// If the lengths differ.
#[inline(always)]
pub fn sin_cos_each(angles_rad: &[f64], sin: &mut [f64], cos: &mut [f64]) {
    assert!(angles_rad.len() == sin.len() && sin.len() == cos.len(), "equal lengths");
    let (angles, angles_left) = angles_rad.as_chunks::<STAGE>();
    let (sines, sines_left) = sin.as_chunks_mut::<STAGE>();
    let (cosines, cosines_left) = cos.as_chunks_mut::<STAGE>();
    for ((angles, sin), cos) in angles.iter().zip(sines).zip(cosines) {
        let (mut quadrant, mut r) = ([0; STAGE], [0.0; STAGE]);
        for i in 0..STAGE {
            (quadrant[i], r[i]) = reduce(angles[i]);
        }
        for i in 0..STAGE {
            sin[i] = sin_reduced(r[i]);
        }
        for i in 0..STAGE {
            cos[i] = cos_reduced(r[i]);
        }
        for i in 0..STAGE {
            (sin[i], cos[i]) = turned(quadrant[i], sin[i], cos[i]);
        }
    }
    for ((angle, sin), cos) in angles_left.iter().zip(sines_left).zip(cosines_left) {
        (*sin, *cos) = sin_cos(*angle);
    }
}

/// Angle of the point (x, y) in [-pi, pi], radians.
///
/// Within 2 units in the last place for finite numbers; zeros and their signs as IEEE has them.
/// NaN gives NaN, and so do two infinities.
#[inline(always)]
pub fn atan2(y: f64, x: f64) -> f64 {
    let (ax, ay) = (x.abs(), y.abs());
    let steep = ay > ax;
    let (small, large) = if steep { (ax, ay) } else { (ay, ax) };
    // Above pi/8: atan(s/l) = pi/4 + atan((s - l)/(s + l)), one division for both cases.
    let upper = small > TAN_PI_8 * large;
    let numerator = if upper { small - large } else { small };
    let denominator = if upper { small + large } else { large };
    let denominator = if denominator == 0.0 { 1.0 } else { denominator };
    let t = numerator / denominator;
    let (base, tail) = if upper { (FRAC_PI_4, FRAC_PI_4_TAIL) } else { (0.0, 0.0) };
    let octant = base + (t - (t * atan_series(t * t) - tail));
    let quarter = if steep { FRAC_PI_2 - (octant - FRAC_PI_2_TAIL) } else { octant };
    let half = if x.is_sign_negative() { PI - (quarter - PI_TAIL) } else { quarter };
    half.copysign(y)
}

/// `1 - atan(t)/t` for `x = t²`, |t| <= 7/16.
#[inline(always)]
fn atan_series(x: f64) -> f64 {
    let c0 = 3.333_333_333_333_293e-1 + x * -1.999_999_999_987_648_3e-1;
    let c2 = 1.428_571_427_250_346_6e-1 + x * -1.111_111_040_546_235_6e-1;
    let c4 = 9.090_887_133_436_507e-2 + x * -7.691_876_205_044_83e-2;
    let c6 = 6.661_073_137_387_531e-2 + x * -5.833_570_133_790_573_5e-2;
    let c8 = 4.976_877_994_615_932_4e-2 + x * -3.653_157_274_421_691_6e-2;
    let x2 = x * x;
    let x4 = x2 * x2;
    let high = (c8 + x2 * 1.628_582_011_536_578_2e-2) * x4;
    x * ((c0 + x2 * c2) + x4 * ((c4 + x2 * c6) + high))
}

/// Part of ln 2 with 33 bits, so that its product with an exponent is exact, and the rest.
const LN_2_HIGH: f64 = f64::from_bits(0x3FE6_2E42_FEE0_0000);
const LN_2_LOW: f64 = f64::from_bits(0x3DEA_39EF_3579_3C76);
/// Bits of the square root of one half, where mantissas begin.
const SQRT_HALF_BITS: u64 = 0x3FE6_A09E_667F_3BCD;

/// `x` to the power of `exponent`, for finite x above 0 whose power is a normal number too; beyond,
/// the result stays at the ends of what can be told apart. 0 gives 0 to the power of `exponent`.
///
/// Relative error below 1e-14 for powers between 1e-40 and 1e40.
#[inline(always)]
pub fn power(x: f64, exponent: f64) -> f64 {
    let result = exp((exponent * ln(x)).clamp(-700.0, 700.0));
    let of_zero = if exponent > 0.0 { 0.0 } else { 1.0 };
    if x == 0.0 { of_zero } else { result }
}

/// Natural logarithm of a normal number above 0.
#[inline(always)]
fn ln(x: f64) -> f64 {
    let bits = x.to_bits().wrapping_add(1.0_f64.to_bits() - SQRT_HALF_BITS);
    let mantissa = f64::from_bits((bits & 0x000F_FFFF_FFFF_FFFF) + SQRT_HALF_BITS);
    // 2^52 plus the biased exponent, less 2^52 + 1023.
    let power = f64::from_bits(0x4330_0000_0000_0000 | (bits >> 52)) - 4_503_599_627_371_519.0;
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let z = s * s;
    // ln((1 + s) / (1 - s)) = 2 s (1 + z/3 + z^2/5 + ...) with z below 0.03.
    let low = 1.0 / 3.0 + z * (1.0 / 5.0) + z * z * (1.0 / 7.0 + z * (1.0 / 9.0));
    let z4 = (z * z) * (z * z);
    let high = 1.0 / 11.0 + z * (1.0 / 13.0) + z * z * (1.0 / 15.0 + z * (1.0 / 17.0));
    let series = low + z4 * (high + z4 * (1.0 / 19.0 + z * (1.0 / 21.0)));
    power * LN_2_HIGH + (2.0 * s + (2.0 * s * z * series + power * LN_2_LOW))
}

/// e to the power of y, |y| <= 700.
#[inline(always)]
fn exp(y: f64) -> f64 {
    let shifted = y * std::f64::consts::LOG2_E + ROUNDER;
    let n = shifted - ROUNDER;
    let r = (y - n * LN_2_HIGH) - n * LN_2_LOW;
    let r2 = r * r;
    let r4 = r2 * r2;
    let c2 = 1.0 / 2.0 + r * (1.0 / 6.0) + r2 * (1.0 / 24.0 + r * (1.0 / 120.0));
    let c6 = 1.0 / 720.0 + r * (1.0 / 5040.0) + r2 * (1.0 / 40_320.0 + r * (1.0 / 362_880.0));
    let c10 = 1.0 / 3_628_800.0
        + r * (1.0 / 39_916_800.0)
        + r2 * (1.0 / 479_001_600.0 + r * (1.0 / 6_227_020_800.0));
    let fraction = 1.0 + (r + r2 * (c2 + r4 * (c6 + r4 * c10)));
    // The integer stands in the low bits of the shifted number.
    fraction * f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52)
}

/// Adding and subtracting it rounds a single-precision number to the nearest integer and leaves the
/// integer in the low bits of the sum.
const ROUNDER_SINGLE: f32 = 12_582_912.0; // 1.5 * 2^23
/// Part of ln 2 with 12 bits, and the rest.
const LN_2_HIGH_SINGLE: f32 = 0.693_359_4;
const LN_2_LOW_SINGLE: f32 = -2.121_944_4e-4;

/// e to the power of y in single precision, |y| <= 80.
///
/// Relative error below 2e-7.
#[inline(always)]
pub fn exp_single(y: f32) -> f32 {
    let shifted = y * std::f32::consts::LOG2_E + ROUNDER_SINGLE;
    let n = shifted - ROUNDER_SINGLE;
    let r = (y - n * LN_2_HIGH_SINGLE) - n * LN_2_LOW_SINGLE;
    let r2 = r * r;
    let c2 = 1.0 / 2.0 + r * (1.0 / 6.0);
    let c4 = (1.0 / 24.0 + r * (1.0 / 120.0)) + r2 * (1.0 / 720.0 + r * (1.0 / 5040.0));
    let fraction = 1.0 + (r + r2 * (c2 + r2 * c4));
    fraction * f32::from_bits(shifted.to_bits().wrapping_add(127) << 23)
}

/// `angle_rad` wrapped to [-pi, pi], for |angle| up to some thousands of turns.
#[inline(always)]
pub fn wrap(angle_rad: f64) -> f64 {
    let turns = (angle_rad * (0.5 * std::f64::consts::FRAC_1_PI) + ROUNDER) - ROUNDER;
    let half_turns = 4.0 * turns;
    ((angle_rad - half_turns * HALF_PI_HIGH) - half_turns * HALF_PI_MIDDLE)
        - half_turns * HALF_PI_LOW
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::{Kernel, run_widest};
    use std::time::Instant;

    /// Evenly spread and reproducible: multiples of an irrational step.
    fn spread(count: usize, limit: f64) -> impl Iterator<Item = f64> {
        (0..count).map(move |i| limit * (2.0 * (i as f64 * 0.618_033_988_749_894_9).fract() - 1.0))
    }

    fn close(got: f64, expected: f64) -> bool {
        let ulp = expected.abs().max(f64::MIN_POSITIVE) * f64::EPSILON;
        (got - expected).abs() <= (2.0 * ulp).max(1e-15)
    }

    #[test]
    fn sine_and_cosine_follow_the_standard_library() {
        for limit in [1e-3, 1.0, 10.0, 1e3, 1e5] {
            for x in spread(100_000, limit) {
                let (sin, cos) = sin_cos(x);
                assert!(close(sin, x.sin()) && close(cos, x.cos()), "{x}: {sin} {cos}");
            }
        }
        for k in -200_000..200_000 {
            let x = f64::from(k) * FRAC_PI_4;
            let (sin, cos) = sin_cos(x);
            assert!(close(sin, x.sin()) && close(cos, x.cos()), "{x}: {sin} {cos}");
        }
        assert_eq!(sin_cos(0.0), (0.0, 1.0));
        assert!(sin_cos(f64::NAN).0.is_nan() && sin_cos(f64::INFINITY).1.is_nan());
    }

    #[test]
    #[expect(clippy::cast_possible_truncation, reason = "arguments are single")]
    fn exponentials_in_single_precision() {
        for y in spread(100_000, 80.0).chain(spread(100_000, 1.0)) {
            let y = y as f32;
            let expected = f64::from(y).exp();
            let error = (f64::from(exp_single(y)) / expected - 1.0).abs();
            assert!(error < 2e-7, "{y}: {error}");
        }
        assert_eq!(exp_single(0.0), 1.0);
    }

    #[test]
    fn many_at_a_time_are_the_same() {
        let angles: Vec<f64> = spread(100, 1e3).collect();
        let (mut sin, mut cos) = (vec![0.0; 100], vec![0.0; 100]);
        sin_cos_each(&angles, &mut sin, &mut cos);
        for i in 0..100 {
            assert_eq!((sin[i], cos[i]), sin_cos(angles[i]));
        }
    }

    #[test]
    fn arc_tangent_follows_the_standard_library() {
        for (x, y) in spread(300_000, 5.0).zip(spread(300_000, 7.0).skip(1)) {
            let (got, expected) = (atan2(y, x), y.atan2(x));
            assert!(
                (got - expected).abs() <= 2.0 * expected.abs() * f64::EPSILON,
                "{y} {x}: {got}"
            );
            let small = atan2(y * 1e-9, x);
            assert!(close(small, (y * 1e-9).atan2(x)), "{y} {x}: {small}");
        }
        for y in [0.0, -0.0, 1.0, -1.0] {
            for x in [0.0, -0.0, 1.0, -1.0] {
                let (got, expected) = (atan2(y, x), y.atan2(x));
                assert_eq!(got.is_sign_negative(), expected.is_sign_negative(), "{y} {x}");
                assert!((got - expected).abs() <= expected.abs() * f64::EPSILON, "{y} {x}");
            }
        }
        assert!(atan2(f64::NAN, 1.0).is_nan() && atan2(1.0, f64::NAN).is_nan());
    }

    #[test]
    fn powers_follow_the_standard_library() {
        for exponent in [0.0, 0.3, 0.8, 1.0, 2.5] {
            for scale in spread(100_000, 36.0) {
                let x = scale.exp();
                let (got, expected) = (power(x, exponent), x.powf(exponent));
                assert!((got / expected - 1.0).abs() < 1e-14, "{x}^{exponent}: {got} {expected}");
            }
            assert_eq!(power(0.0, exponent), 0.0_f64.powf(exponent));
            assert_eq!(power(1.0, exponent), 1.0);
        }
        assert!(power(1e300, 2.0) > 1e300 && power(1e-300, 2.0) < 1e-300);
    }

    #[test]
    fn wrapping_keeps_the_direction() {
        for x in spread(100_000, 1e3) {
            let wrapped = wrap(x);
            assert!(wrapped.abs() <= PI + 1e-15);
            assert!((wrapped.sin() - x.sin()).abs() < 1e-15 * x.abs().max(1.0), "{x}");
        }
        assert_eq!(wrap(0.25), 0.25);
    }

    /// Angle of the point half a unit to the right of every angle's point on the circle.
    struct Directions<'a> {
        angles: &'a [f64],
        sin: &'a mut [f64],
        cos: &'a mut [f64],
    }

    impl Kernel for Directions<'_> {
        #[inline(always)]
        fn run(self) {
            sin_cos_each(self.angles, self.sin, self.cos);
            for (sin, cos) in self.sin.iter_mut().zip(self.cos.iter()) {
                *sin = atan2(*sin, *cos + 0.5);
            }
        }
    }

    #[test]
    #[ignore = "a measurement: run it in release mode with --nocapture"]
    #[expect(clippy::print_stdout, reason = "the figures are the point")]
    fn elementary_speed() {
        let angles: Vec<f64> = spread(1024, 30.0).collect();
        let (mut sin, mut cos) = (vec![0.0; angles.len()], vec![0.0; angles.len()]);
        let mut nanoseconds = |work: &mut dyn FnMut(&mut [f64], &mut [f64])| {
            let run = |_| {
                let begin = Instant::now();
                work(std::hint::black_box(&mut sin), &mut cos);
                begin.elapsed().as_secs_f64() * 1e9 / 1024.0
            };
            (0..2000).map(run).fold(f64::INFINITY, f64::min)
        };
        let ours =
            nanoseconds(&mut |sin, cos| run_widest(Directions { angles: &angles, sin, cos }));
        let standard = nanoseconds(&mut |out, _| {
            for (x, out) in angles.iter().zip(out) {
                let (sin, cos) = x.sin_cos();
                *out = sin.atan2(cos + 0.5);
            }
        });
        println!("sin_cos + atan2 a value: here {ours:.1} ns, standard library {standard:.1} ns");
    }
}
