//! Damages files the same way every time.

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use std::io::{Read, Write};

/// Type of a compressed element of a level-5 file.
const COMPRESSED: u32 = 15;
const HEADER_BYTES: usize = 128;
/// Beyond this a stream is not expanded: small files are to be damaged many times.
const MOST_EXPANDED_BYTES: u64 = 1 << 18;
/// What sizes and counts are replaced by.
const EXTREMES: [u32; 10] = [
    0,
    1,
    7,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0xffff_fff8,
    0x1000_0000,
    0x0001_0000,
    0x0004_0009,
];

/// A sequence of numbers that looks random (`SplitMix64`).
pub(crate) struct Sequence(u64);

impl Sequence {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 if there is none.
    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % (end.max(1) as u64)).unwrap()
    }
}

/// One damage: flipped bits, a cut, a piece from elsewhere, or an extreme size.
pub(crate) fn damaged(file: &[u8], sequence: &mut Sequence) -> Vec<u8> {
    let mut file = file.to_vec();
    match sequence.below(8) {
        0 => file.truncate(sequence.below(file.len())),
        1 => {
            let (from, to) = (sequence.below(file.len()), sequence.below(file.len()));
            let length = sequence.below(256).min(file.len() - from.max(to));
            file.copy_within(from..from + length, to);
        }
        2 => {
            let (place, length) = (sequence.below(file.len()), sequence.below(64));
            drop(file.splice(place..place, std::iter::repeat_n(0xa5, length)));
        }
        3 | 4 => {
            for _ in 0..=sequence.below(8) {
                let place = sequence.below(file.len());
                if let Some(byte) = file.get_mut(place) {
                    *byte ^= 1 << sequence.below(8);
                }
            }
        }
        _ => {
            // Sizes lie at multiples of four.
            let place = 4 * sequence.below(file.len() / 4);
            let extreme = EXTREMES[sequence.below(EXTREMES.len())];
            if let Some(word) = file.get_mut(place..place + 4) {
                word.copy_from_slice(&extreme.to_le_bytes());
            }
        }
    }
    file
}

/// A level-5 file with its compressed elements stored plainly; nothing for other files, and for those
/// without such elements.
pub(crate) fn expanded(file: &[u8]) -> Option<Vec<u8>> {
    let mut plain = file.get(..HEADER_BYTES)?.to_vec();
    if &file[124..128] != b"\x00\x01IM" {
        return None;
    }
    let mut rest = &file[HEADER_BYTES..];
    let mut any = false;
    while let Some((tag, after)) = rest.split_first_chunk::<8>() {
        let [kind, length] = [&tag[..4], &tag[4..]]
            .map(|word| u32::from_le_bytes(word.try_into().expect("invariant: four bytes")));
        let (contents, after) = after.split_at_checked(length as usize)?;
        if kind == COMPRESSED {
            let decoder = ZlibDecoder::new(contents);
            decoder.take(MOST_EXPANDED_BYTES).read_to_end(&mut plain).ok()?;
            any = true;
        } else {
            plain.extend_from_slice(tag);
            plain.extend_from_slice(contents);
        }
        rest = after;
    }
    any.then_some(plain)
}

/// A file with everything after its header in one compressed element, as if it were one variable.
pub(crate) fn compressed(plain: &[u8]) -> Vec<u8> {
    let (header, elements) = plain.split_at(HEADER_BYTES.min(plain.len()));
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(elements).unwrap();
    let stream = encoder.finish().unwrap();
    let mut file = header.to_vec();
    file.extend(COMPRESSED.to_le_bytes());
    file.extend(u32::try_from(stream.len()).unwrap().to_le_bytes());
    file.extend(stream);
    file
}
