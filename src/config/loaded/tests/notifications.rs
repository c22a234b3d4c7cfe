//! Callbacks and webhooks.

use super::*;

#[test]
fn a_webhook_needs_a_url_and_a_key() {
    let url = ("SEEDANCE_WEBHOOK_URL", "https://receiver.example/t0ken");
    let key = (
        "SEEDANCE_WEBHOOK_KEY",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    );
    let config = load(&[KEY, ARCHIVE, url, key]).unwrap();
    assert!(config.accounts.get("").unwrap().webhook.is_some());
    let config = load(&[KEY, ARCHIVE]).unwrap();
    assert!(config.accounts.get("").unwrap().webhook.is_none());
    let weak = ("SEEDANCE_WEBHOOK_KEY", "t0ken");
    for (variables, start) in [
        (vec![url], "SEEDANCE_WEBHOOK_KEY is not set; set it to"),
        (vec![key], "SEEDANCE_WEBHOOK_URL is not set; set it to"),
        (vec![url, weak], "SEEDANCE_WEBHOOK_KEY must be 24 to 64"),
    ] {
        let errors = errors(&[vec![KEY, ARCHIVE], variables].concat());
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].starts_with(start), "{errors:?}");
        assert!(!errors[0].contains("t0ken"), "{errors:?}");
    }
}

#[test]
fn callbacks_need_a_token_and_a_listen_address() {
    let token = ("SEEDANCE_CALLBACK_TOKEN", "0123456789abcdef");
    let address = ("SEEDANCE_INGRESS_ADDRESS", "127.0.0.1:8088");
    let starts = ("SEEDANCE_CALLBACK_START_LIFECYCLES", "true");
    let config = load(&[KEY, ARCHIVE, token, address, starts]).unwrap();
    assert_eq!(
        config.ingress_address,
        Some("127.0.0.1:8088".parse().unwrap())
    );
    let callbacks = config.accounts.get("").unwrap().callbacks.clone().unwrap();
    assert!(callbacks.start_lifecycles);

    let short = ("SEEDANCE_CALLBACK_TOKEN", "short");
    for (variables, start) in [
        (
            vec![token],
            "SEEDANCE_INGRESS_ADDRESS is not set, but the account `default`",
        ),
        (
            vec![address],
            "SEEDANCE_INGRESS_ADDRESS is set, but no account accepts callbacks",
        ),
        (
            vec![starts],
            "SEEDANCE_CALLBACK_START_LIFECYCLES has no effect",
        ),
        (
            vec![short, address],
            "SEEDANCE_CALLBACK_TOKEN must be at least 16",
        ),
    ] {
        let errors = errors(&[vec![KEY, ARCHIVE], variables].concat());
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].starts_with(start), "{errors:?}");
    }
    let invalid = ("SEEDANCE_INGRESS_ADDRESS", "8088");
    let transfers = ("SEEDANCE_QUEUES", "transfer");
    let config = load(&[KEY, ARCHIVE, token, invalid, transfers]).unwrap();
    assert_eq!(config.ingress_address, None, "only query workers listen");
}
