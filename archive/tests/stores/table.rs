//! Which store does what.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

use crate::{Behaviour, store::Store};

/// What became of the behaviours, in their order.
#[derive(Default)]
pub(crate) struct Table(Mutex<Vec<Row>>);

struct Row {
    behaviour: &'static str,
    stores: [Cell; Store::ALL.len()],
}

#[derive(Clone, Copy, PartialEq)]
enum Cell {
    /// The store has not what it takes.
    None,
    Untried,
    Tried(bool),
}

impl Table {
    pub(crate) fn add(&self, behaviour: Behaviour) {
        let cell = |store| match (behaviour.is_of)(store) {
            true => Cell::Untried,
            false => Cell::None,
        };
        self.with(|rows| {
            rows.push(Row {
                behaviour: behaviour.name,
                stores: Store::ALL.map(cell),
            });
        });
    }

    pub(crate) fn note(&self, behaviour: &'static str, store: Store, is_so: bool) {
        self.with(|rows| {
            let row = rows.iter_mut().find(|row| row.behaviour == behaviour);
            if let Some(row) = row {
                row.stores[store as usize] = Cell::Tried(is_so);
            }
        });
    }

    fn with<T>(&self, work: impl FnOnce(&mut Vec<Row>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with(|rows| {
            let width = rows.iter().map(|row| row.behaviour.len()).max();
            let width = width.unwrap_or_default();
            write!(f, "{:width$}", "")?;
            for store in Store::ALL {
                write!(f, "  {:^6}", store.name())?;
            }
            let was_tried = |cell: &Cell| matches!(cell, Cell::Tried(_));
            for row in rows.iter().filter(|row| row.stores.iter().any(was_tried)) {
                write!(f, "\n{:width$}", row.behaviour)?;
                for cell in row.stores {
                    let mark = match cell {
                        Cell::None => "-",
                        Cell::Untried => "?",
                        Cell::Tried(true) => "yes",
                        Cell::Tried(false) => "NO",
                    };
                    write!(f, "  {mark:^6}")?;
                }
            }
            Ok(())
        })
    }
}
