use std::fmt;

use parking_lot::Mutex;

use crate::{registry::Scenario, store::Store};

/// The result of each scenario on each store, printed as a table after the tests.
#[derive(Default)]
pub(crate) struct SupportTable(Mutex<Vec<Row>>);

struct Row {
    scenario: &'static str,
    stores: [Cell; Store::ALL.len()],
}

#[derive(Clone, Copy, PartialEq)]
enum Cell {
    Unsupported,
    NotRun,
    Run { has_passed: bool },
}

impl SupportTable {
    pub(crate) fn add(&self, scenario: &Scenario) {
        let cell = |store| match (scenario.supports)(store) {
            true => Cell::NotRun,
            false => Cell::Unsupported,
        };
        self.with(|rows| {
            rows.push(Row {
                scenario: scenario.name,
                stores: Store::ALL.map(cell),
            });
        });
    }

    pub(crate) fn set(&self, scenario: &'static str, store: Store, has_passed: bool) {
        self.with(|rows| {
            let row = rows.iter_mut().find(|row| row.scenario == scenario);
            if let Some(row) = row {
                row.stores[store as usize] = Cell::Run { has_passed };
            }
        });
    }

    fn with<T>(&self, work: impl FnOnce(&mut Vec<Row>) -> T) -> T {
        work(&mut self.0.lock())
    }
}

impl fmt::Display for SupportTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with(|rows| {
            let width = rows.iter().map(|row| row.scenario.len()).max();
            let width = width.unwrap_or_default();
            write!(f, "{:width$}", "")?;
            for store in Store::ALL {
                write!(f, "  {:^6}", store.name())?;
            }
            let has_run = |cell: &Cell| matches!(cell, Cell::Run { .. });
            for row in rows.iter().filter(|row| row.stores.iter().any(has_run)) {
                write!(f, "\n{:width$}", row.scenario)?;
                for cell in row.stores {
                    let mark = match cell {
                        Cell::Unsupported => "-",
                        Cell::NotRun => "?",
                        Cell::Run { has_passed: true } => "yes",
                        Cell::Run { has_passed: false } => "NO",
                    };
                    write!(f, "  {mark:^6}")?;
                }
            }
            Ok(())
        })
    }
}
