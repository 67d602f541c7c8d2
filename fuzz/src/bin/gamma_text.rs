//! Looks every key up in a `.par` or `.base` file.
#![no_main]

use pystamps_core::gamma_text::{GammaText, key};
use pystamps_fuzz::{bounded, of_text};

const NUMBERS: [&str; 9] = [
    key::HEADING_DEG,
    key::RADAR_FREQUENCY_HZ,
    key::RANGE_PIXEL_SPACING_M,
    key::NEAR_RANGE_M,
    key::CENTER_RANGE_M,
    key::SAR_TO_EARTH_CENTER_M,
    key::EARTH_RADIUS_M,
    key::PULSE_REPETITION_HZ,
    key::INITIAL_BASELINE_M,
];

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    bounded(of_text(input), || {
        let file = GammaText::from_text("input.par", String::from_utf8_lossy(input));
        for name in NUMBERS {
            let _ = file.positive_number(name);
        }
        let _ = file.numbers(key::INITIAL_BASELINE_RATE_M_PER_S, 3);
        let _ = file.count(key::AZIMUTH_LINES);
        let _ = file.count(key::RANGE_SAMPLES);
        let _ = file.text(key::IMAGE_FORMAT);
        let _ = file.text(key::SENSOR);
    });
});
