//! Small-baseline interferograms as a network of images: which images it ties together, and the fixed
//! linear operator from interferograms to images.

use pystamps_kernels::least_squares::{NotPositiveDefinite, Weighting, fit_with_covariance};

use crate::error::{Diagnostic, Error, Result};
use crate::project::stack::Stack;

/// Images that the used interferograms tie to the master, without it, ascending.
///
/// # Errors
/// `images-isolated` if some are apart from it.
pub(crate) fn images_tied_to_master(stack: &Stack, used: &[usize]) -> Result<Vec<usize>> {
    let count = stack.day.len();
    let mut group: Vec<usize> = (0..count).collect();
    for &column in used {
        let [a, b] = stack.pairs[column].map(|image| group[image]);
        for of in &mut group {
            if *of == b {
                *of = a;
            }
        }
    }
    let in_use = |image: &usize| used.iter().any(|&column| stack.pairs[column].contains(image));
    let images: Vec<usize> = (0..count).filter(in_use).collect();
    let apart: Vec<usize> =
        images.iter().copied().filter(|&image| group[image] != group[stack.master]).collect();
    if !in_use(&stack.master) || !apart.is_empty() {
        return Err(isolated(stack, &apart, in_use(&stack.master)));
    }
    Ok(images.into_iter().filter(|&image| image != stack.master).collect())
}

fn isolated(stack: &Stack, apart: &[usize], master_used: bool) -> Error {
    let found = if master_used {
        let numbers: Vec<String> = apart.iter().map(|image| (image + 1).to_string()).collect();
        format!("images {} apart from it", numbers.join(", "))
    } else {
        format!("no interferogram with image {}, the master", stack.master + 1)
    };
    Diagnostic::new("images-isolated", "the interferograms do not tie all images together")
        .variable("ifgday_ix, drop_ifg_index")
        .expected("a chain of interferograms from the master to every image in use")
        .found(found)
        .remedy("add interferograms that bridge the gap, or drop those of the images apart as well")
        .data()
}

/// Weights of the interferograms `used` in the value of each of `images`, one column an interferogram:
/// least squares of `second - first` image, all other images 0.
///
/// # Errors
/// [`NotPositiveDefinite`].
pub(crate) fn image_weights(
    stack: &Stack,
    used: &[usize],
    images: &[usize],
    weighting: Weighting<'_>,
) -> std::result::Result<Vec<f64>, NotPositiveDefinite> {
    let (rows, columns) = (used.len(), images.len());
    let mut design = vec![0.0; rows * columns];
    for (row, &interferogram) in used.iter().enumerate() {
        for (image, sign) in stack.pairs[interferogram].into_iter().zip([-1.0, 1.0]) {
            if let Some(column) = images.iter().position(|&of| of == image) {
                design[column * rows + row] = sign;
            }
        }
    }
    let mut unit = vec![0.0; rows * rows];
    for k in 0..rows {
        unit[k * rows + k] = 1.0;
    }
    let solutions = fit_with_covariance(&design, &unit, rows, weighting)?;
    Ok(solutions.into_iter().flat_map(|solution| solution.coefficients).collect())
}
