//! Reads dates from names: `pscphase.in`, and the files of an export.
#![no_main]

use pystamps_core::parsers;
use pystamps_fuzz::{bounded, of_text};

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    bounded(of_text(input), || {
        parsers::interferogram_list(input);
        parsers::export_names(input);
    });
});
