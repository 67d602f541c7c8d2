//! Lists and reads MATLAB files of version 7.3, with all checksums of their headers made right.
#![no_main]

use libfuzzer_sys::Corpus;

libfuzzer_sys::fuzz_target!(|input: &[u8]| -> Corpus {
    if !pystamps_fuzz::is_v73(input) {
        return Corpus::Reject;
    }
    pystamps_fuzz::list_and_read(&pystamps_fuzz::with_right_checksums(input));
    Corpus::Keep
});
