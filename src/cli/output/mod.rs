//! What people and programs read: messages, progress, the summary of a run, and the JSON report.

pub mod install_hint;
pub mod progress;
pub mod report;
pub mod summary;
pub mod terminal;
