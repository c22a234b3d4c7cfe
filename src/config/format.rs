//! Formats of values: how each is parsed, shown and described. Parse errors are predicates, such as `must be a
//! URL`, and never repeat the value.

use std::{
    collections::BTreeMap,
    fmt::Display,
    net::SocketAddr,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use seedance_archiver_proto::visible;
use seedance_archiver_workflows::format;
use strum::VariantNames;
use toml::de::DeValue;

use super::duration::duration as parse_duration;

/// Placeholder of a value that is not set.
pub(super) const NONE: &str = "(none)";

/// A value as given.
#[derive(Clone)]
pub(super) enum RawValue<'a> {
    /// The text of an environment variable.
    Variable(String),
    /// A value in a TOML file.
    Toml(&'a DeValue<'a>),
}

impl RawValue<'_> {
    pub(super) fn text(&self) -> Result<&str, String> {
        let text = match self {
            Self::Variable(text) => Some(text.as_str()),
            Self::Toml(value) => value.as_str(),
        };
        let text = text.filter(|text| !text.trim().is_empty());
        text.ok_or_else(|| "must be a non-empty string".to_owned())
    }

    /// Returns the text without white space and invisible characters around it.
    ///
    /// # Errors
    ///
    /// Returns an error if an invisible character is inside the text, which was pasted with it.
    pub(super) fn token(&self) -> Result<&str, String> {
        let text = visible::trim(self.text()?);
        if text.is_empty() {
            return Err("must be a non-empty string".to_owned());
        }
        visible::check(text)?;
        Ok(text)
    }

    fn flag(&self) -> Option<bool> {
        match self {
            Self::Variable(text) => visible::trim(text).parse().ok(),
            Self::Toml(value) => value.as_bool(),
        }
    }

    fn number<T: FromStr>(&self) -> Option<T> {
        let text = match self {
            Self::Variable(text) => visible::trim(text),
            Self::Toml(DeValue::Integer(number)) if number.radix() == 10 => number.as_str(),
            Self::Toml(DeValue::Float(number)) => number.as_str(),
            Self::Toml(_) => return None,
        };
        text.parse().ok()
    }

    fn list(&self) -> Option<Vec<&str>> {
        match self {
            Self::Variable(text) => Some(text.split(',').map(visible::trim).collect()),
            Self::Toml(DeValue::Array(items)) => {
                let items = items.iter().map(|item| item.get_ref().as_str());
                items.map(|item| item.map(visible::trim)).collect()
            }
            Self::Toml(_) => None,
        }
    }
}

type Parse<T> = Box<dyn Fn(&RawValue) -> Result<T, String>>;
type Show<T> = Box<dyn Fn(&T) -> String>;

/// The format of a value.
pub(super) struct Format<T> {
    /// Description of a value, for the reference.
    pub(super) description: String,
    parse: Parse<T>,
    show: Show<T>,
}

impl<T: 'static> Format<T> {
    fn new(
        description: impl Into<String>,
        parse: impl Fn(&RawValue) -> Result<T, String> + 'static,
        show: impl Fn(&T) -> String + 'static,
    ) -> Self {
        Self {
            description: description.into(),
            parse: Box::new(parse),
            show: Box::new(show),
        }
    }

    /// Returns the format of a setting that has no value by default.
    pub(super) fn optional(self) -> Format<Option<T>> {
        let Self {
            description,
            parse,
            show,
        } = self;
        let show = move |value: &Option<T>| value.as_ref().map_or(NONE.to_owned(), &show);
        Format::new(description, move |value| parse(value).map(Some), show)
    }

    /// Returns the format of a type that is converted from the value.
    pub(super) fn map<U: Display + 'static>(self, map: fn(T) -> U) -> Format<U> {
        let Self {
            description, parse, ..
        } = self;
        Format::new(
            description,
            move |value| parse(value).map(map),
            U::to_string,
        )
    }

    pub(super) fn parse(&self, value: &RawValue) -> Result<T, String> {
        (self.parse)(value)
    }

    pub(super) fn show(&self, value: &T) -> String {
        (self.show)(value)
    }
}

/// The format of a string with its own parser. The string has no invisible characters.
pub(super) fn parsed<T: 'static>(
    description: &str,
    parse: impl Fn(&str) -> Result<T, String> + 'static,
    show: impl Fn(&T) -> String + 'static,
) -> Format<T> {
    Format::new(description, move |value| parse(value.token()?), show)
}

/// The format of a string with its own parser, which receives the string as it is given: a path may contain any
/// character.
pub(super) fn verbatim<T: 'static>(
    description: &str,
    parse: impl Fn(&str) -> Result<T, String> + 'static,
    show: impl Fn(&T) -> String + 'static,
) -> Format<T> {
    Format::new(description, move |value| parse(value.text()?), show)
}

pub(super) fn text() -> Format<String> {
    parsed("text", |text| Ok(text.trim().to_owned()), String::clone)
}

/// A path whose file is checked by `check`.
pub(super) fn path(check: fn(&Path) -> Result<(), String>) -> Format<PathBuf> {
    let parse = move |text: &str| {
        let path = PathBuf::from(text);
        check(&path)?;
        Ok(path)
    };
    verbatim("path", parse, |path| path.display().to_string())
}

pub(super) fn duration() -> Format<Duration> {
    parsed("duration", parse_duration, |it| format::duration(*it))
}

pub(super) fn flag() -> Format<bool> {
    let parse = |value: &RawValue| {
        let flag = value.flag();
        flag.ok_or_else(|| "must be `true` or `false`".to_owned())
    };
    Format::new("`true` or `false`", parse, bool::to_string)
}

pub(super) fn integer(range: RangeInclusive<usize>) -> Format<usize> {
    let (min, max) = (*range.start(), *range.end());
    let parse = move |value: &RawValue| {
        let number = value.number().filter(|number| range.contains(number));
        number.ok_or_else(|| format!("must be an integer from {min} to {max}"))
    };
    Format::new(
        format!("integer from {min} to {max}"),
        parse,
        usize::to_string,
    )
}

/// A rate, in requests or tasks per second.
pub(super) fn rate() -> Format<f64> {
    let parse = |value: &RawValue| {
        let rate: Option<f64> = value.number();
        let rate = rate.filter(|rate| rate.is_finite() && *rate > 0.0);
        rate.ok_or_else(|| "must be a number greater than 0".to_owned())
    };
    Format::new("number greater than 0", parse, f64::to_string)
}

pub(super) fn fraction() -> Format<f64> {
    let parse = |value: &RawValue| {
        let fraction: Option<f64> = value.number();
        let fraction = fraction.filter(|fraction| *fraction > 0.0 && *fraction <= 1.0);
        fraction.ok_or_else(|| {
            "must be a number greater than 0 and at most 1, such as `0.8`".to_owned()
        })
    };
    Format::new("number greater than 0, at most 1", parse, f64::to_string)
}

pub(super) fn listen_address(example: &'static str) -> Format<SocketAddr> {
    let parse = move |text: &str| {
        let address = text.trim().parse();
        address.map_err(|_| format!("must be a listen address such as `{example}`"))
    };
    parsed(
        &format!("address, such as `{example}`"),
        parse,
        SocketAddr::to_string,
    )
}

/// One of the names of an enum's variants.
pub(super) fn variant<T: FromStr + Display + VariantNames + 'static>() -> Format<T> {
    let names: Vec<_> = T::VARIANTS.iter().map(|name| format!("`{name}`")).collect();
    let names = names.join(" or ");
    let description = names.clone();
    let parse = move |text: &str| text.trim().parse().map_err(|_| format!("must be {names}"));
    parsed(&description, parse, T::to_string)
}

/// A list of strings: an array in TOML, separated by commas in a variable.
pub(super) fn list<T: Display + 'static>(parse: fn(&[&str]) -> Result<T, String>) -> Format<T> {
    let parse = move |value: &RawValue| {
        let items = value.list();
        let items = items.ok_or_else(|| "must be a list such as [\"one\", \"two\"]".to_owned())?;
        items.iter().try_for_each(|item| visible::check(item))?;
        parse(&items)
    };
    Format::new("list", parse, T::to_string)
}

/// A list of filters. An empty one stands for no filter.
pub(super) fn filters() -> Format<Vec<String>> {
    const NO_FILTER: &str = "(no filter)";
    let parse = |value: &RawValue| {
        let items = value.list();
        let items = items.ok_or_else(|| "must be a list such as [\"one\", \"two\"]".to_owned())?;
        Ok(items
            .into_iter()
            .map(|item| item.trim().to_owned())
            .collect())
    };
    let show = |items: &Vec<String>| {
        let shown = |item: &String| match item.as_str() {
            "" => NO_FILTER.to_owned(),
            item => item.to_owned(),
        };
        match items.as_slice() {
            [] => NONE.to_owned(),
            items => items.iter().map(shown).collect::<Vec<_>>().join(", "),
        }
    };
    Format::new("list", parse, show)
}

/// Shows a table of names and values.
pub(super) fn pairs(pairs: &BTreeMap<String, String>) -> String {
    if pairs.is_empty() {
        return NONE.to_owned();
    }
    let pairs = pairs.iter().map(|(name, value)| format!("{name}={value}"));
    pairs.collect::<Vec<_>>().join(", ")
}
