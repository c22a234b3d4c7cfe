//! The query parameters of a list request.

use std::{ops::RangeInclusive, time::SystemTime};

use crate::{error::ApiError, record_dialect::ListDialect, task::Task};

/// Allowed values of `page_num` and `page_size`.
const PAGE_RANGE: RangeInclusive<usize> = 1..=500;
const DEFAULT_PAGE_SIZE: usize = 20;

/// The filter and the page of a list request.
pub(crate) struct ListFilter {
    page_num: usize,
    page_size: usize,
    status: Option<String>,
    model: Option<String>,
    /// `None`: every tier.
    service_tier: Option<String>,
    task_ids: Vec<String>,
}

impl ListFilter {
    pub(crate) fn parse(query: &str, dialect: Option<ListDialect>) -> Result<Self, ApiError> {
        let mut filter = Self {
            page_num: 1,
            page_size: DEFAULT_PAGE_SIZE,
            status: None,
            model: None,
            service_tier: match dialect {
                Some(ListDialect::ListsAllTiers) => None,
                _ => Some("default".into()),
            },
            task_ids: Vec::new(),
        };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let value = value.into_owned();
            match &*name {
                "page_num" => filter.page_num = parse_page(&name, &value)?,
                "page_size" => filter.page_size = parse_page(&name, &value)?,
                "filter.status" => filter.status = Some(value),
                "filter.model" => filter.model = Some(value),
                "filter.service_tier" => filter.service_tier = Some(value),
                "filter.task_ids" => filter.task_ids.push(value),
                _ => {}
            }
        }
        match dialect {
            Some(ListDialect::IgnoresPageNum) => filter.page_num = 1,
            Some(ListDialect::RequiresModel) if filter.model.is_none() => {
                return Err(ApiError::forbidden("filter.model is required for this key"));
            }
            _ => {}
        }
        Ok(filter)
    }

    /// Returns whether the task passes the filter.
    pub(crate) fn matches(&self, task: &Task, now: SystemTime) -> bool {
        let is_match =
            |filter: &Option<String>, value| filter.as_deref().is_none_or(|it| it == value);
        is_match(&self.status, task.status(now).0)
            && is_match(&self.model, task.request.model())
            && is_match(&self.service_tier, task.request.service_tier())
            && (self.task_ids.is_empty() || self.task_ids.contains(&task.id))
    }

    /// Returns the tasks on the page, from all tasks that match.
    pub(crate) fn page<'a, T>(&self, matching: &'a [T]) -> impl Iterator<Item = &'a T> {
        matching
            .iter()
            .skip((self.page_num - 1) * self.page_size)
            .take(self.page_size)
    }
}

fn parse_page(name: &str, value: &str) -> Result<usize, ApiError> {
    value
        .parse()
        .ok()
        .filter(|number| PAGE_RANGE.contains(number))
        .ok_or_else(|| ApiError::invalid(name, "must be a number from 1 to 500"))
}
