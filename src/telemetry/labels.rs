//! Label values that come from outside.
//!
//! Each value is a series that Prometheus keeps, so whoever names models or tiers must not choose how many there are.

use std::collections::BTreeSet;

use parking_lot::Mutex;
use seedance_archiver_proto::service_tier;

/// Maximum number of models with series of their own in a process.
const MAX_MODELS: usize = 50;
/// Maximum length of a model in a label, in bytes.
const MAX_MODEL: usize = 64;

/// The value of an empty text.
const UNKNOWN: &str = "unknown";
/// The value of a text that is no label of its own.
const OTHER: &str = "other";

/// The models that were labels since the process started.
static MODELS: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Returns the label of a model: its name, unless it is no name or there are too many models.
pub(super) fn model(model: &str) -> String {
    bounded(&mut MODELS.lock(), model)
}

/// Returns the label of a service tier.
pub(super) fn service_tier(tier: &str) -> &'static str {
    let known = [
        service_tier::DEFAULT,
        service_tier::FLEX,
        service_tier::PRIORITY,
    ];
    match tier {
        "" => UNKNOWN,
        tier => known.into_iter().find(|it| *it == tier).unwrap_or(OTHER),
    }
}

fn bounded(labels: &mut BTreeSet<String>, model: &str) -> String {
    if model.is_empty() {
        return UNKNOWN.to_owned();
    }
    let is_new = !labels.contains(model);
    if is_new && (!is_name(model) || labels.len() >= MAX_MODELS) {
        return OTHER.to_owned();
    }
    labels.insert(model.to_owned());
    model.to_owned()
}

/// Returns whether a text looks like a name, and not like a URL or a sentence.
fn is_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:/@".contains(&byte);
    text.len() <= MAX_MODEL && text.bytes().all(is_plain) && !text.contains("//")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_its_name_or_other() {
        let mut labels = BTreeSet::new();
        for (model, label) in [
            ("seedance-1-5-pro-251215", "seedance-1-5-pro-251215"),
            ("vendor/seedance:1.5", "vendor/seedance:1.5"),
            ("", UNKNOWN),
            ("https://a.example/v", OTHER),
            ("two words", OTHER),
            (&"x".repeat(65), OTHER),
        ] {
            assert_eq!(bounded(&mut labels, model), label);
        }
        assert_eq!(labels.len(), 2);
    }

    #[test]
    fn the_number_of_models_is_bounded() {
        let mut labels = BTreeSet::new();
        for number in 0..MAX_MODELS {
            let model = format!("model-{number}");
            assert_eq!(bounded(&mut labels, &model), model);
        }
        assert_eq!(bounded(&mut labels, "one-more"), OTHER);
        assert_eq!(bounded(&mut labels, "model-7"), "model-7");
        assert_eq!(labels.len(), MAX_MODELS);
    }

    #[test]
    fn a_tier_that_no_client_names_is_other() {
        for (tier, label) in [("flex", "flex"), ("", UNKNOWN), ("gold", OTHER)] {
            assert_eq!(service_tier(tier), label);
        }
    }
}
