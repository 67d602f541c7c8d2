//! Reads what people type: values of parameters, dates, sizes, assignments, names of products.
#![no_main]

use pystamps_core::parsers;
use pystamps_fuzz::bounded;

/// `1:100000` stands for so many numbers, held twice while their array grows and once as a value.
const RANGE_BYTES: usize = 3 * 8 * 131_072;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    bounded(RANGE_BYTES + pystamps_fuzz::of_text(input), || {
        parsers::parameter_value(input);
        parsers::option_value(input);
    });
});
