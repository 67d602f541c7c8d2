//! Reads a triangulation of Triangle's.
#![no_main]

use pystamps_core::parsers;
use pystamps_fuzz::{bounded, of_text};

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    bounded(of_text(input), || {
        parsers::edge_file(input);
    });
});
