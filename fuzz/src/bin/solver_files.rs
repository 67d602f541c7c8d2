//! Reads what stage 6 keeps: the log of its solutions and their proofs.
#![no_main]

use pystamps_core::parsers;
use pystamps_fuzz::{bounded, of_text};

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    bounded(of_text(input), || {
        parsers::solver_log(input);
        parsers::unwrapping_proof(input);
    });
});
