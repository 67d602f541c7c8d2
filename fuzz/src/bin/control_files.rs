//! Reads what stands in `.pystamps`: ledger, journal, lock, checksums.
#![no_main]

use pystamps_core::parsers;
use pystamps_fuzz::{bounded, of_text};

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    bounded(of_text(input), || {
        parsers::ledger(input);
        parsers::journal(input);
        parsers::lock_holder(input);
        parsers::checksum_memory(input);
    });
});
