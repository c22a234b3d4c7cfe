//! The pages of an account's list, and what they come to: pure functions.

use seedance_archiver_proto::{
    service_tier,
    v1::{SweepPage, SweepVideoTasksResult},
};

use crate::request::LAST_PAGE;

/// The page that a sweep begins with.
pub fn first() -> SweepPage {
    first_of(service_tier::DEFAULT)
}

fn first_of(service_tier: &str) -> SweepPage {
    SweepPage {
        service_tier: service_tier.to_owned(),
        page_num: 1,
    }
}

/// The page after one, which is the last of its tier or is not. `None`: it was the last of all.
pub fn after(page: &SweepPage, is_last: bool) -> Option<SweepPage> {
    if !is_last && page.page_num < LAST_PAGE {
        return Some(SweepPage {
            page_num: page.page_num + 1,
            ..page.clone()
        });
    }
    let mut tiers = service_tier::ALL.into_iter();
    tiers.find(|tier| *tier == page.service_tier)?;
    tiers.next().map(first_of)
}

/// Adds what a page came to.
pub fn add(sum: &mut SweepVideoTasksResult, page: &SweepVideoTasksResult) {
    sum.listed += page.listed;
    sum.archived += page.archived;
    sum.ended += page.ended;
    sum.running += page.running;
    sum.started += page.started;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_of_every_tier_comes_once() {
        let mut seen = Vec::new();
        let mut page = Some(first());
        while let Some(this) = page {
            page = after(&this, this.page_num == 2);
            seen.push((this.service_tier, this.page_num));
        }
        let expected = [("default", 1), ("default", 2), ("flex", 1), ("flex", 2)];
        assert_eq!(seen, expected.map(|(tier, page)| (tier.to_owned(), page)));
    }

    #[test]
    fn no_page_comes_after_the_last_that_the_service_has() {
        let page = SweepPage {
            service_tier: "flex".into(),
            page_num: LAST_PAGE,
        };
        assert_eq!(after(&page, false), None);
    }
}
