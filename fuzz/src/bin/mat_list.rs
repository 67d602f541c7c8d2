//! Lists the variables of a MATLAB file, level 5 or 7.3.
#![no_main]

use std::io::Cursor;
use std::path::Path;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let limits = pystamps_mat::ReadLimits::default();
    let reader = Cursor::new(input.to_vec());
    let _ = pystamps_fuzz::bounded(input, || {
        pystamps_mat::list_from(reader, Path::new("input.mat"), &limits)
    });
});
