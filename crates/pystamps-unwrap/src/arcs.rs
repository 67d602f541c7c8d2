//! One value for every arc of a grid.

use crate::UnwrapError;

/// Values of the arcs between neighbouring pixels of a grid.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GridArcs<T> {
    /// Arcs from pixel (r, c) to (r + 1, c): [rows - 1, columns], row after row.
    pub down: Vec<T>,
    /// Arcs from pixel (r, c) to (r, c + 1): [rows, columns - 1], row after row.
    pub right: Vec<T>,
}

impl<T> GridArcs<T> {
    /// Number of arcs (down, right) of a grid of `rows` x `columns` pixels.
    #[must_use]
    pub fn lengths(rows: usize, columns: usize) -> (usize, usize) {
        (rows.saturating_sub(1) * columns, rows * columns.saturating_sub(1))
    }

    /// Whether the arrays have the lengths of a grid of `rows` x `columns` pixels.
    ///
    /// # Errors
    ///
    /// [`UnwrapError::Length`] naming the first that has not; [`UnwrapError::Empty`] for a grid
    /// without pixels.
    pub fn check(&self, rows: usize, columns: usize) -> Result<(), UnwrapError> {
        if rows == 0 || columns == 0 {
            return Err(UnwrapError::Empty { rows, columns });
        }
        // Numbers of arcs are held in 32 bits with one bit for the direction.
        let limit = (u32::MAX / 4) as usize;
        let count = rows.saturating_mul(columns);
        if count > limit {
            return Err(UnwrapError::TooLarge { what: "pixels", count, limit });
        }
        let (down, right) = Self::lengths(rows, columns);
        for (what, expected, found) in
            [("arcs down", down, self.down.len()), ("arcs right", right, self.right.len())]
        {
            if expected != found {
                return Err(UnwrapError::Length { what, expected, found });
            }
        }
        Ok(())
    }

    /// The arcs of the transposed grid, of which these are the `rows` x `columns` one.
    #[must_use]
    pub fn transposed(&self, rows: usize, columns: usize) -> Self
    where
        T: Copy,
    {
        let transpose = |values: &[T], rows: usize, columns: usize| {
            (0..columns).flat_map(|c| (0..rows).map(move |r| values[r * columns + c])).collect()
        };
        Self {
            down: transpose(&self.right, rows, columns.saturating_sub(1)),
            right: transpose(&self.down, rows.saturating_sub(1), columns),
        }
    }
}
