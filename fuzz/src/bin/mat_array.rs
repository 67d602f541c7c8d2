//! Streams every array of a MATLAB file in blocks, as stages do.
#![no_main]

use pystamps_mat::ArrayReader;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let path = pystamps_fuzz::folder().join("input.mat");
    std::fs::write(&path, input).expect("the input");
    let Ok(listed) = pystamps_mat::list(&path) else { return };
    for variable in listed.iter().take(4) {
        pystamps_fuzz::bounded(input, || {
            let Ok(array) = ArrayReader::open(&path, &variable.name) else { return };
            let mut block = [0.0_f64; 64];
            let _ = array.read_real(0, &mut block);
            let _ = array.read_imaginary(0, &mut block);
        });
    }
});
