//! The tables of settings. To add a setting, add a row here and the field that it writes.

pub(super) mod account;
pub(super) mod archive;
pub(super) mod worker;
