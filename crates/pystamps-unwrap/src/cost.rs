//! What a whole number of cycles on an arc costs.

/// A convex function of the flow of one arc.
///
/// Convex: `cost(f + 1) - cost(f)` never falls as `f` rises. The solver evaluates flows of 16 bits
/// (and their neighbours) only; differences of neighbouring costs there must stay below
/// 2^62 / (nodes of the network), so that the length of a path fits 63 bits.
pub trait ConvexCost: Copy + Send + Sync {
    /// Cost of carrying `flow` cycles.
    fn cost(self, flow: i32) -> i64;

    /// The flow of least cost; of several, the one nearest to 0.
    fn minimiser(self) -> i32;
}

/// The cost of an arc, in four bytes.
///
/// One of three functions of the flow f:
///
/// | made by | cost |
/// |---|---|
/// | [`quadratic`](Self::quadratic) | floor((200 f + offset)^2 / variance) |
/// | [`ABSOLUTE`](Self::ABSOLUTE) | \|f\| |
/// | [`FREE`](Self::FREE) | 0 |
///
/// The quadratic one is convex in spite of the rounding: without it the second difference is
/// 80,000 / variance, with it more than 80,000 / variance - 2 and at least 80,000 / 32,767 - 2 > 0,
/// and an integer: at least 1.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct ArcCost {
    offset: i16,
    /// `ABSOLUTE_MARK`, `FREE_MARK`, or at least 1.
    variance: i16,
}

const ABSOLUTE_MARK: i16 = 0;
const FREE_MARK: i16 = -1;

impl ArcCost {
    /// Units of the offset in one cycle.
    pub const STEPS_PER_CYCLE: i64 = 200;

    /// |f|: an arc of which nothing is known but that a jump is unlikely. It is the greatest convex
    /// function that agrees with `[f != 0]` at -1, 0 and 1.
    pub const ABSOLUTE: Self = Self { offset: 0, variance: ABSOLUTE_MARK };

    /// 0 for every flow: an arc that may be cut.
    pub const FREE: Self = Self { offset: 0, variance: FREE_MARK };

    /// floor((200 f + `offset`)^2 / `variance`): `offset` is the wrapped difference less the expected
    /// one, in 1/200 cycle; `variance` weighs it.
    ///
    /// # Panics
    ///
    /// If `variance` is less than 1; [`checked_quadratic`](Self::checked_quadratic) returns `None`.
    #[must_use]
    pub const fn quadratic(offset: i16, variance: i16) -> Self {
        assert!(variance >= 1, "the variance of an arc is at least 1");
        Self { offset, variance }
    }

    /// Like [`quadratic`](Self::quadratic), `None` if `variance` is less than 1.
    #[must_use]
    pub const fn checked_quadratic(offset: i16, variance: i16) -> Option<Self> {
        if variance >= 1 { Some(Self { offset, variance }) } else { None }
    }

    /// The cost with [`ABSOLUTE`](Self::ABSOLUTE) arcs counted as 1 for any flow but 0: not convex.
    #[must_use]
    pub fn counted(self, flow: i32) -> i64 {
        if self.is_absolute() { i64::from(flow != 0) } else { self.cost(flow) }
    }

    /// Whether this is [`ABSOLUTE`](Self::ABSOLUTE).
    #[must_use]
    pub const fn is_absolute(self) -> bool {
        self.variance == ABSOLUTE_MARK
    }

    /// Whether this is [`FREE`](Self::FREE).
    #[must_use]
    pub const fn is_free(self) -> bool {
        self.variance == FREE_MARK
    }
}

impl ConvexCost for ArcCost {
    /// Exact, but `i64::MAX` where the cost exceeds 63 bits (flows beyond 15 million cycles).
    #[inline]
    fn cost(self, flow: i32) -> i64 {
        if self.variance >= 1 {
            let distance = Self::STEPS_PER_CYCLE * i64::from(flow) + i64::from(self.offset);
            let distance = distance.unsigned_abs();
            // Division of 32 bits is several times quicker; beyond it lie 160 cycles and more.
            return match u16::try_from(distance) {
                Ok(short) => {
                    let square = u32::from(short) * u32::from(short);
                    i64::from(square / u32::from(self.variance.unsigned_abs()))
                }
                Err(_) => self.distant_cost(distance),
            };
        }
        if self.is_absolute() { i64::from(flow).abs() } else { 0 }
    }

    #[inline]
    fn minimiser(self) -> i32 {
        // Within half a cycle of the expectation: always so for the arcs without one.
        if self.offset.unsigned_abs() <= 100 { 0 } else { self.distant_minimiser() }
    }
}

impl ArcCost {
    /// The quadratic cost at a `distance` whose square exceeds 32 bits.
    #[cold]
    fn distant_cost(self, distance: u64) -> i64 {
        let quotient = u128::from(distance).pow(2) / u128::from(self.variance.unsigned_abs());
        i64::try_from(quotient).unwrap_or(i64::MAX)
    }

    /// The minimiser where the offset exceeds half a cycle.
    #[cold]
    fn distant_minimiser(self) -> i32 {
        let offset = i32::from(self.offset);
        // The nearest multiple of a cycle, halves towards 0.
        let nearest = -offset.signum() * ((offset.abs() + 99) / 200);
        // The rounding of the cost may make the next flow towards 0 equally good, but no second.
        let nearer = nearest - nearest.signum();
        if self.cost(nearer) == self.cost(nearest) { nearer } else { nearest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exhaustive_minimiser(cost: ArcCost) -> i32 {
        (-170..=170).min_by_key(|&flow| (cost.cost(flow), flow.abs())).unwrap()
    }

    #[test]
    fn minimisers_are_those_found_by_trying() {
        for variance in [1, 2, 7, 100, 5_000, 20_000, 31_999, 32_000, i16::MAX] {
            for offset in (i16::MIN..=i16::MAX).step_by(37).chain([-300, -101, -100, 100, 101, 300])
            {
                let cost = ArcCost::quadratic(offset, variance);
                assert_eq!(cost.minimiser(), exhaustive_minimiser(cost), "{cost:?}");
            }
        }
        assert_eq!(ArcCost::ABSOLUTE.minimiser(), 0);
        assert_eq!(ArcCost::FREE.minimiser(), 0);
    }

    #[test]
    fn the_rounded_quadratic_is_strictly_convex() {
        for variance in [1, 3, 1_000, 26_667, i16::MAX] {
            for offset in (i16::MIN..=i16::MAX).step_by(991) {
                let cost = ArcCost::quadratic(offset, variance);
                for flow in -200..200 {
                    let second = cost.cost(flow + 1) - 2 * cost.cost(flow) + cost.cost(flow - 1);
                    assert!(second >= 1, "{cost:?} {flow}");
                }
            }
        }
    }

    #[test]
    fn costs_are_exact_and_never_wrap() {
        let exact = |flow: i128, offset: i128, variance: i128| {
            let distance = 200 * flow + offset;
            i64::try_from(distance * distance / variance).unwrap_or(i64::MAX)
        };
        for flow in [0, 1, -1, 19, 327, 328, -328, 32_767, -32_768, 10_000_000, i32::MIN, i32::MAX]
        {
            for (offset, variance) in [(0, 1), (-32_768, 3), (32_767, 32_767), (99, 31_999)] {
                let cost = ArcCost::quadratic(offset, variance).cost(flow);
                assert_eq!(cost, exact(flow.into(), offset.into(), variance.into()));
            }
        }
    }

    #[test]
    fn arcs_without_statistics_cost_one_when_counted() {
        assert_eq!(ArcCost::ABSOLUTE.cost(-3), 3);
        assert_eq!(ArcCost::ABSOLUTE.counted(-3), 1);
        assert_eq!(ArcCost::ABSOLUTE.counted(0), 0);
        assert_eq!(ArcCost::FREE.counted(9), 0);
        assert_eq!(ArcCost::quadratic(10, 3).counted(2), 410 * 410 / 3);
        assert_eq!(size_of::<ArcCost>(), 4);
    }

    #[test]
    fn a_variance_below_one_is_refused() {
        assert_eq!(ArcCost::checked_quadratic(0, 0), None);
        assert_eq!(ArcCost::checked_quadratic(0, -1), None);
        assert_eq!(ArcCost::checked_quadratic(5, 1), Some(ArcCost::quadratic(5, 1)));
    }
}
