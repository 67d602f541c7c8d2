//! Places windows along the sides of a grid.

/// Where a window lies along one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Its first cell in the grid.
    pub(super) first: usize,
    /// So many cells further than it should begin the window lies back: its weights begin there.
    pub(super) shift: usize,
}

/// `count` windows of `window` cells, one every `step` cells. Where the last would leave the side it
/// lies back inside.
pub(super) fn places(
    cells: usize,
    window: usize,
    step: usize,
    count: usize,
) -> impl Iterator<Item = Place> {
    (0..count).map(move |k| {
        let wanted = k * step;
        let first = wanted.min(cells - window);
        Place { first, shift: wanted - first }
    })
}

/// Weights that fall from the middle of a window to 1 at both ends.
pub(super) fn ramp(window: usize) -> impl Iterator<Item = usize> + Clone {
    (0..window).map(move |k| (k + 1).min(window - k))
}
