//! The order in which a sweep lists the pages of an account, and the sum of their results.

use seedance_archiver_proto::{
    service_tier,
    sweep_page::MAX_PAGE_NUM,
    v1::{SweepPage, SweepVideoTasksResult},
};

/// Returns the page that a sweep starts with.
pub fn first() -> SweepPage {
    first_of(service_tier::DEFAULT)
}

fn first_of(service_tier: &str) -> SweepPage {
    SweepPage {
        service_tier: service_tier.to_owned(),
        page_num: 1,
    }
}

/// Returns the page after `page`: the next one of its tier, or the first one of the next tier if `page` was the
/// last of its tier. Returns `None` if `page` was the last of all.
pub fn after(page: &SweepPage, is_last_of_tier: bool) -> Option<SweepPage> {
    if !is_last_of_tier && page.page_num < MAX_PAGE_NUM {
        return Some(SweepPage {
            page_num: page.page_num + 1,
            ..page.clone()
        });
    }
    let mut tiers = service_tier::ALL.into_iter();
    tiers.find(|tier| *tier == page.service_tier)?;
    tiers.next().map(first_of)
}

/// Adds the result of one page to that of the sweep.
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
    fn the_page_with_the_highest_number_is_the_last() {
        let page = SweepPage {
            service_tier: "flex".into(),
            page_num: MAX_PAGE_NUM,
        };
        assert_eq!(after(&page, false), None);
    }
}
