//! Decides how a listing continues after an error. Sweeps and `rescue` list the same pages and share these
//! decisions.

use seedance_archiver_policy::{pages::Lists, sweeps};
use seedance_archiver_proto::v1::SweepPage;

use crate::seedance::ErrorKind;

/// An error of listing a page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ListError<'a> {
    lists: &'a Lists,
    page: &'a SweepPage,
    kind: ErrorKind,
}

impl<'a> ListError<'a> {
    pub(crate) fn new(lists: &'a Lists, page: &'a SweepPage, kind: ErrorKind) -> Self {
        Self { lists, page, kind }
    }

    /// Returns whether the page or its list does not exist: the service rejects the page or does not know it, and it is not
    /// the first page of the first list. That one decides whether the service has lists at all.
    pub(crate) fn is_missing_page(self) -> bool {
        matches!(self.kind, ErrorKind::Rejected | ErrorKind::Unsupported) && self.is_beyond_first()
    }

    /// Returns whether a sweep continues without the page after this attempt: the page does not exist, or its
    /// response remains unreadable. After any other error a sweep lists the page again.
    pub(crate) fn is_skipped_by_sweep(self, attempt: u32) -> bool {
        match self.kind {
            ErrorKind::Unexpected => sweeps::is_last_attempt(attempt),
            _ => self.is_missing_page(),
        }
    }

    /// Returns the page with which `rescue` continues: the first one of the next list. Returns `None` if the error
    /// applies to every page of the account, or if this was the last list.
    pub(crate) fn next_page(self) -> Option<SweepPage> {
        match self.kind {
            // With a model, a rejected key may be allowed to list another one.
            ErrorKind::Unauthorized if self.page.model.is_empty() => None,
            ErrorKind::Unsupported if !self.is_beyond_first() => None,
            _ => self.lists.after(self.page, true),
        }
    }

    fn is_beyond_first(self) -> bool {
        self.page.page_num > 1 || !self.lists.is_in_first(self.page)
    }
}

/// Returns whether the same call may succeed later without intervention.
pub(crate) fn is_transient(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::RateLimited
            | ErrorKind::Throttled
            | ErrorKind::Unavailable
            | ErrorKind::Unexpected
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first() -> SweepPage {
        Lists::default().first()
    }

    fn second() -> SweepPage {
        Lists::default().after(&first(), false).unwrap()
    }

    fn error<'a>(lists: &'a Lists, page: &'a SweepPage, kind: ErrorKind) -> ListError<'a> {
        ListError::new(lists, page, kind)
    }

    #[test]
    fn a_rejected_page_beyond_the_first_does_not_exist() {
        let lists = Lists::default();
        let is_missing = |page: &_, kind| error(&lists, page, kind).is_missing_page();
        assert!(is_missing(&second(), ErrorKind::Rejected));
        assert!(!is_missing(&first(), ErrorKind::Rejected));
        assert!(!is_missing(&second(), ErrorKind::Unexpected));
        assert!(is_missing(&second(), ErrorKind::Unsupported));
        assert!(!is_missing(&first(), ErrorKind::Unsupported));
    }

    /// A service may have only the lists of some tiers.
    #[test]
    fn a_later_list_that_the_service_does_not_have_ends_no_other() {
        let lists = Lists::default();
        let flex = lists.after(&first(), true).unwrap();
        for kind in [ErrorKind::Rejected, ErrorKind::Unsupported] {
            let error = error(&lists, &flex, kind);
            assert!(error.is_missing_page(), "{kind:?}");
            assert!(error.is_skipped_by_sweep(1), "{kind:?}");
            let next = error.next_page().map(|page| page.service_tier);
            assert_eq!(next.as_deref(), Some("priority"), "{kind:?}");
        }
        assert!(!error(&lists, &flex, ErrorKind::Unavailable).is_missing_page());
    }

    #[test]
    fn a_sweep_never_skips_a_page_during_an_outage() {
        for kind in [
            ErrorKind::Unavailable,
            ErrorKind::Throttled,
            ErrorKind::Unauthorized,
            ErrorKind::RateLimited,
        ] {
            let page = second();
            let lists = Lists::default();
            let error = error(&lists, &page, kind);
            assert!(!error.is_skipped_by_sweep(1_000), "{kind:?}");
        }
    }

    #[test]
    fn a_sweep_skips_a_page_that_does_not_exist_or_remains_unreadable() {
        let page = second();
        let lists = Lists::default();
        let is_skipped = |kind, attempt| error(&lists, &page, kind).is_skipped_by_sweep(attempt);
        assert!(is_skipped(ErrorKind::Rejected, 1));
        assert!(is_skipped(ErrorKind::Unsupported, 1));
        assert!(!is_skipped(ErrorKind::Unexpected, 5));
        assert!(is_skipped(ErrorKind::Unexpected, 6));
        let first = first();
        assert!(!error(&lists, &first, ErrorKind::Rejected).is_skipped_by_sweep(6));
        assert!(!error(&lists, &first, ErrorKind::Unsupported).is_skipped_by_sweep(6));
    }

    #[test]
    fn an_error_of_the_account_ends_a_rescue_and_any_other_only_the_list() {
        let (lists, first) = (Lists::default(), first());
        let next = |kind| error(&lists, &first, kind).next_page();
        assert_eq!(next(ErrorKind::Unauthorized), None);
        assert_eq!(next(ErrorKind::Unsupported), None);
        let tier = next(ErrorKind::Unavailable).map(|page| page.service_tier);
        assert_eq!(tier.as_deref(), Some("flex"));
        let second = second();
        let missing = error(&lists, &second, ErrorKind::Unsupported).next_page();
        assert_eq!(
            missing.map(|page| page.service_tier).as_deref(),
            Some("flex")
        );
    }
}
