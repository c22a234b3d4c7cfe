//! Reads a TOML file key by key. A fault does not end the reading: all are told at once, each with
//! its line and its key, and none repeats a value, which may be a secret.

use std::{cell::RefCell, collections::BTreeSet, ops::Range, time::Duration};

use super::{
    duration::duration,
    source::{Fault, Source, Sources},
};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// The text of a file, which of its lines were read as which settings, and what was found wrong with it.
pub(super) struct File<'a> {
    name: &'a str,
    text: &'a str,
    sources: RefCell<Sources>,
    faults: RefCell<Vec<(usize, String)>>,
}

/// A table of the file.
pub(super) struct Section<'a> {
    file: &'a File<'a>,
    path: String,
    at: Range<usize>,
    table: &'a DeTable<'a>,
    read: RefCell<BTreeSet<&'static str>>,
}

impl<'a> File<'a> {
    pub(super) fn new(name: &'a str, text: &'a str) -> Self {
        Self {
            name,
            text,
            sources: RefCell::default(),
            faults: RefCell::default(),
        }
    }

    /// The tables of the file. Where it is not TOML, those are what could be read of it.
    pub(super) fn parse(&self) -> DeTable<'a> {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        for error in errors {
            let at = error.span().unwrap_or_default();
            self.fault(at, format!("is not TOML: {}", error.message()));
        }
        table.into_inner()
    }

    /// The outermost table.
    pub(super) fn root(&'a self, table: &'a DeTable<'a>) -> Section<'a> {
        Section {
            file: self,
            path: String::new(),
            at: 0..0,
            table,
            read: RefCell::default(),
        }
    }

    pub(super) fn fault(&self, at: Range<usize>, problem: impl Into<String>) {
        let fault = (self.line_of(&at), problem.into());
        self.faults.borrow_mut().push(fault);
    }

    /// Where settings were read, and what is wrong, by line.
    pub(super) fn end(self) -> (Sources, Vec<Fault>) {
        let mut faults = self.faults.into_inner();
        faults.sort_by_key(|(line, _)| *line);
        let file = self.name;
        let fault = |(line, problem)| Fault {
            source: Source::Line {
                file: file.to_owned(),
                line,
            },
            problem,
        };
        let faults = faults.into_iter().map(fault).collect();
        (self.sources.into_inner(), faults)
    }

    fn line_of(&self, at: &Range<usize>) -> usize {
        let before = self.text.get(..at.start).unwrap_or_default();
        before.matches('\n').count() + 1
    }

    fn note(&self, name: String, at: &Range<usize>) {
        let source = Source::Line {
            file: self.name.to_owned(),
            line: self.line_of(at),
        };
        self.sources.borrow_mut().note(name, source);
    }
}

impl<'a> Section<'a> {
    /// Whether a key is there, whatever it holds.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// A key as text.
    pub(super) fn text(&self, key: &'static str) -> Option<&'a str> {
        let value = self.value(key)?;
        let text = value.get_ref().as_str();
        if text.is_none_or(|text| text.trim().is_empty()) {
            self.fault_at(value, key, "must be text in quotes");
            return None;
        }
        text
    }

    /// A key as what its text stands for. The error completes the sentence "the key …".
    pub(super) fn parsed<T>(
        &self,
        key: &'static str,
        parse: impl FnOnce(&'a str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.text(key)?;
        parse(text)
            .map_err(|problem| self.fault(key, &problem))
            .ok()
    }

    /// A key as a time, e.g. `"7d"` or `"1h 30m"`.
    pub(super) fn duration(&self, key: &'static str) -> Option<Duration> {
        self.parsed(key, |text| {
            duration(text).map_err(|problem| format!("must be {problem}"))
        })
    }

    /// The same in place of a default.
    pub(super) fn set_duration(&self, key: &'static str, field: &mut Duration) {
        *field = self.duration(key).unwrap_or(*field);
    }

    /// A key as yes or no.
    pub(super) fn flag(&self, key: &'static str) -> Option<bool> {
        let value = self.value(key)?;
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.fault_at(value, key, "must be true or false");
        }
        flag
    }

    /// A key as a number above 0.
    pub(super) fn positive(&self, key: &'static str) -> Option<f64> {
        let value = self.value(key)?;
        let text = match value.get_ref() {
            DeValue::Integer(number) if number.radix() == 10 => number.as_str(),
            DeValue::Float(number) => number.as_str(),
            _ => "",
        };
        let number: Option<f64> = text.parse().ok();
        let number = number.filter(|number| number.is_finite() && *number > 0.0);
        if number.is_none() {
            self.fault_at(value, key, "must be a number above 0");
        }
        number
    }

    /// A key as a list of texts.
    pub(super) fn texts(&self, key: &'static str) -> Option<Vec<String>> {
        let value = self.value(key)?;
        let texts = match value.get_ref() {
            DeValue::Array(items) => items
                .iter()
                .map(|item| item.get_ref().as_str().map(str::to_owned))
                .collect(),
            _ => None,
        };
        if texts.is_none() {
            self.fault_at(value, key, "must be a list such as [\"one\", \"two\"]");
        }
        texts
    }

    /// A table within this one.
    pub(super) fn section(&self, key: &'static str) -> Option<Section<'a>> {
        self.read.borrow_mut().insert(key);
        self.table_in(key, self.table.get(key)?)
    }

    /// The tables within this one, by names that are not known before.
    pub(super) fn sections(&self) -> Vec<(&'a str, Section<'a>)> {
        let entries = self.table.iter();
        entries
            .filter_map(|(name, value)| {
                let name: &str = name.get_ref();
                Some((name, self.table_in(name, value)?))
            })
            .collect()
    }

    /// The texts of this table, by names that are not known before, each with what it must be.
    pub(super) fn pairs<T>(
        &self,
        parse: impl Fn(&str) -> Option<T>,
        must: &str,
    ) -> Vec<(&'a str, T)> {
        self.file.note(self.path.clone(), &self.at);
        let mut pairs = Vec::new();
        for (name, value) in self.table {
            match value.get_ref().as_str().and_then(&parse) {
                Some(parsed) => pairs.push((name.get_ref() as &str, parsed)),
                None => self.fault_at(value, name.get_ref(), must),
            }
        }
        pairs
    }

    /// A setting in this table, or below, comes from a preset.
    pub(super) fn note_preset(&self, name: &str, preset: &'static str) {
        let mut sources = self.file.sources.borrow_mut();
        sources.note(self.path_of(name), Source::Preset(preset));
    }

    /// Something is wrong with a key of this table.
    pub(super) fn fault(&self, key: &str, problem: &str) {
        match self.table.get(key) {
            Some(value) => self.fault_at(value, key, problem),
            None => {
                let problem = format!("{} {problem}", self.path_of(key));
                self.file.fault(self.at.clone(), problem);
            }
        }
    }

    /// Something is wrong with this table.
    pub(super) fn fault_in(&self, problem: &str) {
        let problem = format!("{} {problem}", self.path);
        self.file.fault(self.at.clone(), problem);
    }

    /// To be called once everything was read: what is left is not known.
    pub(super) fn finish(self) {
        let read = self.read.borrow();
        for name in self.table.keys() {
            if !read.contains(name.get_ref() as &str) {
                let known = read.iter().copied().collect::<Vec<_>>().join(", ");
                let path = self.path_of(name.get_ref());
                let problem = format!("{path} is not a key: the keys here are {known}");
                self.file.fault(name.span(), problem);
            }
        }
    }

    fn value(&self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.read.borrow_mut().insert(key);
        let value = self.table.get(key)?;
        self.file.note(self.path_of(key), &value.span());
        Some(value)
    }

    fn table_in(&self, key: &str, value: &'a Spanned<DeValue<'a>>) -> Option<Section<'a>> {
        match value.get_ref() {
            DeValue::Table(table) => Some(Section {
                file: self.file,
                path: self.path_of(key),
                at: value.span(),
                table,
                read: RefCell::default(),
            }),
            _ => {
                self.fault_at(value, key, "must be a table");
                None
            }
        }
    }

    fn fault_at(&self, value: &Spanned<DeValue<'_>>, key: &str, problem: &str) {
        let path = self.path_of(key);
        self.file.sources.borrow_mut().is_wrong(&path);
        self.file.fault(value.span(), format!("{path} {problem}"));
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_toml_is_told_with_its_line_and_not_repeated() {
        let file = File::new("accounts.toml", "[accounts.a]\napi_key = \"very-secret\n");
        file.parse();
        let (_, faults) = file.end();
        let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
        assert!(
            faults[0].starts_with("accounts.toml:2: is not TOML"),
            "{faults:?}"
        );
        assert!(!faults.concat().contains("very-secret"), "{faults:?}");
    }
}
