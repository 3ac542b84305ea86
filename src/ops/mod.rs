//! The use cases. They emit [`Event`]s and never print, and they know nothing of command lines.

pub mod cache;
mod event;
mod fetch;
mod metadata;
mod plan;
pub mod serve;
mod write;

pub use event::{Event, Listener};
pub use fetch::{FetchError, FetchFailure, FetchSettings, fetch};
pub use metadata::{MetadataFailure, Places};
pub use plan::{PlanFailure, Unreachable, plan};
pub use write::{Output, Stop, WriteFailure, write};
