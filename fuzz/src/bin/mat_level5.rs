//! Lists and reads MATLAB files of level 5; files of version 7.3 are the other target's.
#![no_main]

use libfuzzer_sys::Corpus;

libfuzzer_sys::fuzz_target!(|input: &[u8]| -> Corpus {
    if pystamps_fuzz::is_v73(input) {
        return Corpus::Reject;
    }
    pystamps_fuzz::list_and_read(input);
    Corpus::Keep
});
