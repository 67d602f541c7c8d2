//! Streams arrays of a MATLAB file of either version in blocks, as stages do.
#![no_main]

use pystamps_fuzz::{bounded, input_file, of_file_on_disk};
use pystamps_mat::ArrayReader;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let file = input_file("input.mat");
    file.hold(input);
    bounded(of_file_on_disk(input), || {
        for variable in pystamps_mat::list(file.path()).into_iter().flatten().take(4) {
            let Ok(array) = ArrayReader::open(file.path(), &variable.name) else { continue };
            let elements = array.dims().iter().map(|&extent| extent as u64).product::<u64>();
            let mut singles = [0.0_f32; 8];
            let mut doubles = [0.0_f64; 8];
            for first in [0, elements / 2, elements.saturating_sub(8)] {
                let _ = array.read_real(first, &mut doubles);
                let _ = array.read_imaginary(first, &mut singles);
            }
            assert!(array.read_real(elements, &mut doubles).is_err(), "read past the end");
        }
    });
});
