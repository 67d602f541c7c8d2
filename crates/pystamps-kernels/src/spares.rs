//! Keeps the working memory of finished tasks for the next ones.

use std::sync::{Mutex, PoisonError};

/// Working memory that threads lend each other: as many pieces as tasks run at once.
///
/// `map_init` of rayon makes one for every piece of work that it splits off: with one block a piece,
/// one a block, whose pages the system hands out and takes back every time.
#[derive(Debug, Default)]
pub struct Spares<S>(Mutex<Vec<S>>);

impl<S: Default> Spares<S> {
    /// Has `work` done with a piece that an earlier task has left, in whatever state, or a new one.
    pub fn lend<R>(&self, work: impl FnOnce(&mut S) -> R) -> R {
        let left = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut piece = left.unwrap_or_default();
        let result = work(&mut piece);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(piece);
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_at_once_have_different_pieces_and_later_ones_the_same() {
        let spares = Spares::<Vec<u8>>::default();
        spares.lend(|outer| {
            outer.push(1);
            spares.lend(|inner| inner.push(2));
        });
        assert_eq!(spares.lend(|piece| piece.clone()), [1]);
        assert_eq!(spares.0.into_inner().unwrap().len(), 2);
    }
}
