//! Loads `ps2.mat`, which says what a project has, as a stack of either kind.
#![no_main]

use pystamps_core::project::stack::{Network, Stack};
use pystamps_fuzz::{bounded, input_file, of_file_on_disk};

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let file = input_file("ps2.mat");
    file.hold(input);
    bounded(of_file_on_disk(input), || {
        for network in [Network::SingleMaster, Network::SmallBaselines] {
            let Ok(stack) = Stack::load(file.folder(), 2, network) else { continue };
            assert!(stack.master < stack.day.len());
            assert!(stack.pairs.iter().flatten().all(|&image| image < stack.day.len()));
            assert_eq!(stack.measured().len(), stack.measured_bperp_m().len());
        }
    });
});
