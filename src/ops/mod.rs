//! The use cases. They emit [`Event`]s and never print, and they know nothing of command lines.

mod event;
mod fetch;
mod metadata;
mod plan;
mod transfer;
mod write;

pub use event::{Event, Listener};
pub use fetch::{FetchError, FetchFailure, FetchSettings, check_space, fetch};
pub use metadata::{MetadataFailure, Places};
pub use plan::{PlanFailure, Unreachable, plan};
pub use write::{Output, Stop, WriteFailure, write};
