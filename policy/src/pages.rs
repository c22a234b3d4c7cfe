//! The order in which a sweep lists the pages of an account, and the sum of their results.

use seedance_archiver_proto::{
    service_tier,
    sweep_page::MAX_PAGE_NUM,
    v1::{SweepPage, SweepVideoTasksResult},
};

/// The lists of an account: one for each service tier and model. An empty filter is not sent. However the filters are
/// ordered and repeated, each list comes once, and the one without filters first.
#[derive(Clone, Debug, PartialEq)]
pub struct Lists {
    /// Service tiers to list. Empty: one list without this filter.
    pub service_tiers: Vec<String>,
    /// Models to list. Empty: all models, with one list. A key with custom permissions may list only named models.
    pub models: Vec<String>,
}

impl Default for Lists {
    /// Returns the tiers that the API or its clients name. Without a filter the public service lists the tier
    /// `default`, and others list every task.
    fn default() -> Self {
        Self {
            service_tiers: ["", service_tier::FLEX, service_tier::PRIORITY]
                .map(str::to_owned)
                .to_vec(),
            models: Vec::new(),
        }
    }
}

impl Lists {
    /// Returns the first page of the first list.
    pub fn first(&self) -> SweepPage {
        self.first_pages().next().unwrap_or_else(any)
    }

    /// Returns the page itself, or the first page if the account has no list with the page's filters, because
    /// the workflow does not know the account's lists or the configuration changed.
    pub fn known(&self, page: SweepPage) -> SweepPage {
        match self.first_pages().any(|first| is_in_list(&first, &page)) {
            true => page,
            false => self.first(),
        }
    }

    /// Returns whether a page belongs to the first list.
    pub fn is_in_first(&self, page: &SweepPage) -> bool {
        is_in_list(&self.first(), page)
    }

    /// Returns the page after `page`: the next one of its list, or the first one of the next list if `page` was the
    /// last of its list. Returns `None` if `page` was the last of all.
    pub fn after(&self, page: &SweepPage, is_last_of_list: bool) -> Option<SweepPage> {
        if !is_last_of_list && page.page_num < MAX_PAGE_NUM {
            return Some(SweepPage {
                page_num: page.page_num + 1,
                ..page.clone()
            });
        }
        let mut lists = self.first_pages();
        lists.find(|first| is_in_list(first, page))?;
        lists.next()
    }

    /// Returns the first page of each list.
    pub fn all(&self) -> Vec<SweepPage> {
        self.first_pages().collect()
    }

    /// Returns the index of the list that shows tasks of this service tier and model. `None` if no list does.
    pub fn index_of(&self, service_tier: &str, model: &str) -> Option<usize> {
        let tier = |tier: &str| match tier {
            "" => service_tier::DEFAULT.to_owned(),
            tier => tier.to_owned(),
        };
        self.first_pages().position(|list| {
            tier(&list.service_tier) == tier(service_tier)
                && (list.model.is_empty() || list.model == model)
        })
    }

    fn first_pages(&self) -> impl Iterator<Item = SweepPage> {
        let models = distinct(&self.models);
        let service_tiers = distinct(&self.service_tiers).into_iter();
        service_tiers.flat_map(move |service_tier| {
            models.clone().into_iter().map(move |model| SweepPage {
                service_tier: service_tier.clone(),
                model,
                ..any()
            })
        })
    }
}

/// Returns each filter once, the empty one first: [`any`] is taken for the first page of its list, so a sweep would skip the
/// lists before it. A repeated filter would lead back to a list that was read.
fn distinct(filters: &[String]) -> Vec<String> {
    let (empty, named): (Vec<_>, Vec<_>) = filters.iter().cloned().partition(String::is_empty);
    let mut distinct = Vec::new();
    for filter in empty.into_iter().chain(named) {
        if !distinct.contains(&filter) {
            distinct.push(filter);
        }
    }
    if distinct.is_empty() {
        distinct.push(String::new());
    }
    distinct
}

/// Returns the page with which a sweep starts, before its lists are known.
pub fn any() -> SweepPage {
    SweepPage {
        page_num: 1,
        ..SweepPage::default()
    }
}

fn is_in_list(a: &SweepPage, b: &SweepPage) -> bool {
    (&a.service_tier, &a.model) == (&b.service_tier, &b.model)
}

/// Adds the result of one page to that of the sweep.
pub fn add(sum: &mut SweepVideoTasksResult, page: &SweepVideoTasksResult) {
    sum.listed += page.listed;
    sum.archived += page.archived;
    sum.ended += page.ended;
    sum.running += page.running;
    sum.started += page.started;
    sum.skipped += page.skipped;
    sum.incomplete_lists += page.incomplete_lists;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lists(service_tiers: &[&str], models: &[&str]) -> Lists {
        let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        Lists {
            service_tiers: owned(service_tiers),
            models: owned(models),
        }
    }

    /// Returns the pages of lists of two pages each, in the order of a sweep.
    fn walk(lists: Lists) -> Vec<String> {
        let mut seen = Vec::new();
        let mut page = Some(lists.known(any()));
        while let Some(this) = page {
            page = lists.after(&this, this.page_num == 2);
            let page_name = format!("{}/{}/{}", this.service_tier, this.model, this.page_num);
            assert!(!seen.contains(&page_name), "{page_name} again: {seen:?}");
            seen.push(page_name);
            assert!(seen.len() < 20, "no end: {seen:?}");
        }
        seen
    }

    #[test]
    fn every_page_of_every_list_comes_once() {
        let expected = [
            "//1",
            "//2",
            "flex//1",
            "flex//2",
            "priority//1",
            "priority//2",
        ];
        assert_eq!(walk(Lists::default()), expected);
        let expected = [
            "/a/1", "/a/2", "/b/1", "/b/2", "flex/a/1", "flex/a/2", "flex/b/1", "flex/b/2",
        ];
        assert_eq!(walk(lists(&["", "flex"], &["a", "b"])), expected);
    }

    #[test]
    fn filters_in_any_order_and_number_are_listed_once() {
        let both = ["//1", "//2", "flex//1", "flex//2"];
        for tiers in [
            &["flex", ""][..],
            &["flex", "", "flex"],
            &["", "flex", "", ""],
        ] {
            assert_eq!(walk(lists(tiers, &[])), both, "{tiers:?}");
        }
        assert_eq!(walk(lists(&[], &[])), ["//1", "//2"]);
        assert_eq!(walk(lists(&[""], &["a", "a"])), ["/a/1", "/a/2"]);
        let expected = [
            "//1", "//2", "/a/1", "/a/2", "flex//1", "flex//2", "flex/a/1", "flex/a/2",
        ];
        assert_eq!(walk(lists(&["flex", ""], &["a", ""])), expected);
    }

    #[test]
    fn a_page_of_no_list_is_replaced_by_the_first() {
        let lists = lists(&["default", "flex"], &[]);
        assert_eq!(lists.known(any()).service_tier, "default");
        let flex = SweepPage {
            service_tier: "flex".into(),
            page_num: 7,
            ..any()
        };
        assert_eq!(lists.known(flex.clone()), flex);
        assert!(lists.is_in_first(&lists.first()) && !lists.is_in_first(&flex));
        let none = Lists {
            service_tiers: Vec::new(),
            models: Vec::new(),
        };
        assert_eq!(none.first(), any());
        assert_eq!(none.after(&flex, true), None);
    }

    #[test]
    fn a_task_is_in_the_list_of_its_tier_and_model() {
        let all = Lists::default();
        let index = |tier: &str| all.index_of(tier, "seedance-1-0-pro");
        let tiers = ["", "default", "flex", "priority", "other"];
        assert_eq!(tiers.map(index), [Some(0), Some(0), Some(1), Some(2), None]);
        let named = lists(&["default", "flex"], &["a", "b"]);
        assert_eq!(named.index_of("flex", "b"), Some(3));
        assert_eq!(named.index_of("flex", "c"), None);
        assert_eq!(named.all().len(), 4);
    }

    #[test]
    fn the_page_with_the_highest_number_is_the_last() {
        let page = SweepPage {
            service_tier: "priority".into(),
            page_num: MAX_PAGE_NUM,
            ..any()
        };
        assert_eq!(Lists::default().after(&page, false), None);
    }

    #[test]
    fn a_sweep_counts_the_tasks_of_all_its_pages() {
        let page = |listed: i64| SweepVideoTasksResult {
            listed,
            archived: listed + 1,
            ended: listed + 2,
            running: listed + 3,
            started: listed + 4,
            skipped: listed + 5,
            incomplete_lists: listed + 6,
        };
        let mut sum = page(10);
        add(&mut sum, &page(20));
        let expected = SweepVideoTasksResult {
            listed: 30,
            archived: 32,
            ended: 34,
            running: 36,
            started: 38,
            skipped: 40,
            incomplete_lists: 42,
        };
        assert_eq!(sum, expected);
    }
}
