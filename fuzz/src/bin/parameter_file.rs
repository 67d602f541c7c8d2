//! Loads `parms.mat` and asks for its parameters.
#![no_main]

use pystamps_core::project::parameters::{Parameters, display_value};
use pystamps_fuzz::{bounded, input_file, of_file_on_disk};

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let file = input_file("parms.mat");
    file.hold(input);
    bounded(of_file_on_disk(input), || {
        let Ok(parameters) = Parameters::load(file.folder()) else { return };
        for (name, value, _) in parameters.list() {
            let _ = display_value(value);
            let _ = parameters.number(name);
            let _ = parameters.text(name);
            let _ = parameters.flag(name);
        }
    });
});
