//! Loads the record of what was made from what.
#![no_main]

use pystamps_core::project::ledger::Ledger;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let folder = pystamps_fuzz::folder();
    let control = folder.join(".pystamps");
    let _ = std::fs::create_dir(&control);
    std::fs::write(control.join("ledger.json"), input).expect("the input");
    let _ = pystamps_fuzz::bounded(input, || Ledger::load(folder));
});
