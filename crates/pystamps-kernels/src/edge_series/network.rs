//! Describes which image takes part in which interferogram.

use super::{EdgeSeriesError, Network};

/// Images with interferograms, and the interferograms between them.
#[derive(Clone, Debug)]
pub(super) struct Design {
    /// Days of the images.
    pub(super) day: Vec<f64>,
    /// Images of every interferogram, from 0.
    pub(super) pairs: Vec<[usize; 2]>,
    /// `[interferograms, images]`, column-major.
    pub(super) matrix: Vec<f64>,
}

impl Design {
    /// Leaves out images without an interferogram.
    pub(super) fn new(network: &Network<'_>) -> Result<Self, EdgeSeriesError> {
        check(network)?;
        let images = network.day.len();
        let mut used = vec![false; images];
        for image in network.pairs.iter().flatten() {
            used[*image] = true;
        }
        let kept: Vec<usize> = (0..images).filter(|&image| used[image]).collect();
        let place = |image: usize| kept.partition_point(|&other| other < image);
        let pairs: Vec<[usize; 2]> = network.pairs.iter().map(|pair| pair.map(place)).collect();
        let rows = pairs.len();
        let mut matrix = vec![0.0; rows * kept.len()];
        for (row, &[first, second]) in pairs.iter().enumerate() {
            matrix[first * rows + row] = -1.0;
            matrix[second * rows + row] = 1.0;
        }
        let day = kept.iter().map(|&image| network.day[image]).collect();
        Ok(Self { day, pairs, matrix })
    }

    pub(super) fn images(&self) -> usize {
        self.day.len()
    }

    /// Interferograms of an image.
    pub(super) fn interferograms_of(&self, image: usize) -> Vec<usize> {
        (0..self.pairs.len()).filter(|&k| self.pairs[k].contains(&image)).collect()
    }

    /// Interferograms of an image, sorted by the day of their other image.
    pub(super) fn series_of(&self, image: usize) -> Vec<Link> {
        let link = |interferogram: usize| {
            let [first, second] = self.pairs[interferogram];
            let reversed = second == image;
            let other = if reversed { first } else { second };
            Link { interferogram, reversed, other, day: self.day[other] }
        };
        let mut links: Vec<Link> = self.interferograms_of(image).into_iter().map(link).collect();
        links.sort_by(|a, b| a.day.total_cmp(&b.day));
        links
    }
}

/// One interferogram of an image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Link {
    pub(super) interferogram: usize,
    /// The image is its second.
    pub(super) reversed: bool,
    /// Its other image …
    pub(super) other: usize,
    /// … and the day of that.
    pub(super) day: f64,
}

fn check(network: &Network<'_>) -> Result<(), EdgeSeriesError> {
    let Network { day, pairs, bperp_m } = network;
    if pairs.is_empty() {
        return Err(EdgeSeriesError::NoInterferograms);
    }
    if bperp_m.len() != pairs.len() {
        let (expected, found) = (pairs.len(), bperp_m.len());
        return Err(EdgeSeriesError::BaselineCount { expected, found });
    }
    let invalid = |&[a, b]: &[usize; 2]| a == b || a.max(b) >= day.len();
    if let Some(interferogram) = pairs.iter().position(invalid) {
        return Err(EdgeSeriesError::InvalidPair { interferogram });
    }
    for (quantity, values) in [("day", day), ("bperp_m", bperp_m)] {
        if let Some(index) = values.iter().position(|value| !value.is_finite()) {
            return Err(EdgeSeriesError::NotFinite { quantity, index });
        }
    }
    Ok(())
}
