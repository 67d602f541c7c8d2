//! Reads the candidates of a patch and its window: `pscands.1.ij`, `.da`, `.ll`, `patch_noover.in`.
#![no_main]

use pystamps_core::parsers;
use pystamps_fuzz::{bounded, of_text};

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    bounded(of_text(input), || {
        parsers::candidate_pixels(input);
        parsers::amplitude_dispersion(input);
        parsers::candidate_positions(input);
        parsers::patch_window(input);
    });
});
