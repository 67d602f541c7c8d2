//! Loads `parms.mat` and asks for its parameters.
#![no_main]

use pystamps_core::project::parameters::{Parameters, display_value};

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let folder = pystamps_fuzz::folder();
    std::fs::write(folder.join("parms.mat"), input).expect("the input");
    pystamps_fuzz::bounded(input, || {
        let Ok(parameters) = Parameters::load(folder) else { return };
        for (name, value, _) in parameters.list() {
            let _ = display_value(value);
            let _ = parameters.number(name);
            let _ = parameters.text(name);
            let _ = parameters.flag(name);
        }
    });
});
