//! Output: messages, progress, the summary of a run, and the JSON report.

pub mod escape;
pub mod install_hint;
pub mod lock_report;
pub mod markdown;
pub mod metadata_warning;
pub mod plan_table;
pub mod progress;
pub mod report;
pub mod shared_store_usage;
pub mod source_builds;
pub mod summary;
pub mod target_words;
pub mod terminal;
pub mod version_differences;
