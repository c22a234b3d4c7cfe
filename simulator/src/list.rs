//! The query parameters of a list request.

use std::{
    ops::{Range, RangeInclusive},
    time::SystemTime,
};

use crate::{
    error::ApiError,
    list_dialect::{ListDialect, ListDialects},
    task::Task,
};

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
    pub(crate) fn parse(query: &str, dialects: &ListDialects) -> Result<Self, ApiError> {
        let mut filter = Self {
            page_num: 1,
            page_size: DEFAULT_PAGE_SIZE,
            status: None,
            model: None,
            service_tier: match dialects.contains(ListDialect::ListsAllTiers) {
                true => None,
                false => Some("default".into()),
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
                "filter.service_tier" if dialects.contains(ListDialect::RefusesTiers) => {
                    return Err(ApiError::invalid(&name, "is not supported"));
                }
                "filter.service_tier" if dialects.contains(ListDialect::LacksTiers) => {
                    return Err(ApiError::unknown_path(&format!("list of {value}")));
                }
                "filter.service_tier" => filter.service_tier = Some(value),
                "filter.task_ids" => filter.task_ids.push(value),
                _ => {}
            }
        }
        if dialects.contains(ListDialect::IgnoresPageNum) {
            filter.page_num = 1;
        }
        if let Some(limit) = dialects.page_limit() {
            filter.page_size = filter.page_size.min(limit);
        }
        if dialects.contains(ListDialect::IgnoresTaskIds) {
            filter.task_ids.clear();
        }
        if dialects.contains(ListDialect::RequiresModel) && filter.model.is_none() {
            return Err(ApiError::forbidden("filter.model is required for this key"));
        }
        Ok(filter)
    }

    /// Returns the ids of the tasks to list. Empty: all tasks.
    pub(crate) fn task_ids(&self) -> &[String] {
        &self.task_ids
    }

    /// Returns whether the task passes the filter, apart from its id.
    pub(crate) fn matches(&self, task: &Task, now: SystemTime) -> bool {
        let is_match =
            |filter: &Option<String>, value| filter.as_deref().is_none_or(|it| it == value);
        is_match(&self.model, task.request.model())
            && is_match(&self.service_tier, task.request.service_tier())
            && (self.status.is_none() || is_match(&self.status, task.status(now).0))
    }

    /// Returns which of the tasks that match are on the page, counted from 0.
    pub(crate) fn positions(&self) -> Range<usize> {
        let start = (self.page_num - 1) * self.page_size;
        start..start + self.page_size
    }
}

fn parse_page(name: &str, value: &str) -> Result<usize, ApiError> {
    value
        .parse()
        .ok()
        .filter(|number| PAGE_RANGE.contains(number))
        .ok_or_else(|| ApiError::invalid(name, "must be a number from 1 to 500"))
}

#[cfg(test)]
mod tests;
