//! A deck of cards: each card comes once before any comes again.

use crate::random::Random;

pub(super) struct Deck<T> {
    cards: Vec<T>,
    /// The cards that come before all come again.
    left: Vec<T>,
}

impl<T: Clone> Deck<T> {
    pub(super) fn new(cards: Vec<T>) -> Self {
        Self {
            cards,
            left: Vec::new(),
        }
    }

    /// Returns the next card, or `None` if there are no cards.
    pub(super) fn draw(&mut self, random: &mut Random) -> Option<T> {
        if self.left.is_empty() {
            self.left = self.cards.clone();
        }
        if self.left.is_empty() {
            return None;
        }
        let index = random.below(self.left.len());
        Some(self.left.swap_remove(index))
    }
}
