//! A queue for searches whose distances never fall: a radix heap.
//!
//! An entry lies in the bucket of the highest bit in which its distance differs from the last one
//! taken. When the nearest bucket is opened, its least distance becomes the last one, and the others
//! move to nearer buckets, at most once for every bit. Many entries are never taken, because the search
//! finds what it looks for before: those cost little more than being put down. Entries at the distance
//! where the search is, frequent where arcs have no statistics, are a mere stack.

/// Entries for which an emptied bucket keeps room.
const KEPT: usize = 4096;

/// A node and its distance, in 12 bytes.
#[derive(Copy, Clone, Debug)]
#[repr(C, packed(4))]
struct Entry {
    distance: u64,
    node: u32,
}

/// Nodes by distance; of equally near ones, the last that came is the first to leave.
#[derive(Clone, Debug)]
pub(crate) struct RadixQueue {
    /// The distance last taken.
    last: u64,
    /// A bit for every bucket that is not empty.
    occupied: u64,
    /// Bucket 0 holds the distance `last`; bucket b those that differ from it in bit b - 1 at most.
    buckets: [Vec<Entry>; 64],
}

impl Default for RadixQueue {
    fn default() -> Self {
        Self { last: 0, occupied: 0, buckets: [const { Vec::new() }; 64] }
    }
}

impl RadixQueue {
    /// Adds a node at a `distance` below 2^63 and not below the last one taken.
    #[inline]
    pub(crate) fn push(&mut self, distance: u64, node: u32) {
        debug_assert!(distance >= self.last && distance >> 63 == 0, "{distance} {}", self.last);
        let bucket = bucket(distance, self.last);
        self.occupied |= 1 << bucket;
        self.buckets[bucket].push(Entry { distance, node });
    }

    /// Takes the nearest entry.
    #[inline]
    pub(crate) fn pop(&mut self) -> Option<(u64, u32)> {
        if self.occupied & 1 == 0 && !self.open() {
            return None;
        }
        let nearest = &mut self.buckets[0];
        let entry = nearest.pop();
        if nearest.is_empty() {
            self.occupied &= !1;
        }
        entry.map(|entry| (entry.distance, entry.node))
    }

    /// Fills bucket 0 from the nearest bucket; false if there is none.
    fn open(&mut self) -> bool {
        if self.occupied == 0 {
            return false;
        }
        let opened = self.occupied.trailing_zeros() as usize;
        self.occupied &= !(1 << opened);
        let (nearer, rest) = self.buckets.split_at_mut(opened);
        let entries = &mut rest[0];
        self.last = entries.iter().map(|entry| entry.distance).min().unwrap_or(self.last);
        // In the order they came in, which they keep in every bucket.
        for entry in entries.drain(..) {
            let bucket = bucket(entry.distance, self.last);
            self.occupied |= 1 << bucket;
            nearer[bucket].push(entry);
        }
        // What a long search needed once would otherwise be held by every bucket that it passed.
        entries.shrink_to(KEPT);
        true
    }

    /// Empties the queue; distances begin at 0 again.
    pub(crate) fn clear(&mut self) {
        while self.occupied != 0 {
            self.buckets[self.occupied.trailing_zeros() as usize].clear();
            self.occupied &= self.occupied - 1;
        }
        self.last = 0;
    }
}

/// Number of the highest bit that differs, from 1; 0 for equal distances.
#[inline]
fn bucket(distance: u64, last: u64) -> usize {
    (u64::BITS - (distance ^ last).leading_zeros()) as usize & 63
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_leaves_first_and_of_equals_the_last_that_came() {
        let mut queue = RadixQueue::default();
        let mut state = 7u64;
        let mut waiting: Vec<(u64, u32)> = Vec::new();
        for round in 0..3 {
            let mut last = 0;
            for count in 0..2000u32 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                if state >> 62 != 0 || waiting.is_empty() {
                    // Many equal distances, some far ones.
                    let ahead = ((state >> 33) % 5) << ((state >> 40) % 3 * 20);
                    queue.push(last + ahead, count);
                    waiting.push((last + ahead, count));
                } else {
                    let nearest = waiting.iter().map(|&(distance, _)| distance).min().unwrap();
                    let at = waiting.iter().rposition(|&(far, _)| far == nearest).unwrap();
                    assert_eq!(queue.pop(), Some(waiting.remove(at)));
                    last = nearest;
                }
            }
            if round == 0 {
                queue.clear();
                waiting.clear();
            }
            waiting.sort_by_key(|&(distance, count)| (distance, std::cmp::Reverse(count)));
            for entry in waiting.drain(..) {
                assert_eq!(queue.pop(), Some(entry));
            }
            assert_eq!(queue.pop(), None);
            queue.clear();
        }
    }
}
