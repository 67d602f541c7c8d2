//! Reads what a person types for a parameter, and for a date.
#![no_main]

use pystamps_core::dates::Date;
use pystamps_core::project::parameters::parse_value;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else { return };
    pystamps_fuzz::bounded(input, || {
        for name in ["drop_ifg_index", "max_topo_err", "small_baseline_flag", "ref_lon", "unknown"] {
            let _ = parse_value(name, text);
        }
        let _ = text.parse::<Date>();
    });
});
