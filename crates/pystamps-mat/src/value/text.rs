//! Defines character arrays.

use super::dims_hold;

/// A character array: UTF-16 code units, column-major, as MATLAB keeps them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CharArray {
    dims: Vec<usize>,
    units: Vec<u16>,
}

impl CharArray {
    /// An array of `dims` (two or more) with column-major `units`; `None` if their counts differ.
    pub fn new(dims: Vec<usize>, units: Vec<u16>) -> Option<Self> {
        dims_hold(&dims, units.len()).then_some(Self { dims, units })
    }

    /// One row; the empty text is 0 x 0 as in MATLAB.
    pub fn row(text: &str) -> Self {
        let units: Vec<u16> = text.encode_utf16().collect();
        Self { dims: vec![usize::from(!units.is_empty()), units.len()], units }
    }

    /// Several rows, padded on the right with blanks to one width.
    pub fn from_rows<S: AsRef<str>>(rows: &[S]) -> Self {
        let rows: Vec<Vec<u16>> =
            rows.iter().map(|row| row.as_ref().encode_utf16().collect()).collect();
        let width = rows.iter().map(Vec::len).max().unwrap_or(0);
        let blank = u16::from(b' ');
        let units = (0..width)
            .flat_map(|column| {
                rows.iter().map(move |row| row.get(column).copied().unwrap_or(blank))
            })
            .collect();
        Self { dims: vec![rows.len(), width], units }
    }

    /// Dimensions, at least two.
    pub fn dims(&self) -> &[usize] {
        &self.dims
    }

    /// UTF-16 code units, column-major.
    pub fn units(&self) -> &[u16] {
        &self.units
    }

    /// The text of a single row or of an empty array; `None` for several rows.
    ///
    /// Unpaired surrogates become U+FFFD.
    pub fn to_text(&self) -> Option<String> {
        if self.units.is_empty() {
            return Some(String::new());
        }
        (self.dims.len() == 2 && self.dims[0] == 1).then(|| String::from_utf16_lossy(&self.units))
    }

    /// Every row of a two-dimensional array, with its padding; `None` for more dimensions.
    pub fn rows(&self) -> Option<Vec<String>> {
        let &[row_count, column_count] = self.dims.as_slice() else {
            return None;
        };
        let row = |row: usize| {
            let units: Vec<u16> =
                (0..column_count).map(|column| self.units[column * row_count + row]).collect();
            String::from_utf16_lossy(&units)
        };
        // Rows without columns hold nothing, so their number alone must not cost memory.
        if column_count == 0 { Some(Vec::new()) } else { Some((0..row_count).map(row).collect()) }
    }
}
