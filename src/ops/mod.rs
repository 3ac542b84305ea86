//! The use cases. They emit [`Event`]s and never print, and they know nothing of command lines.

mod build;
mod bundle;
pub mod cache;
mod event;
mod fetch;
mod inside;
mod metadata;
mod plan;
pub mod serve;
mod verify;
mod write;

pub use build::Builds;
pub use bundle::{BundleOutput, request_of};
pub use event::{Event, Listener};
pub use fetch::{FetchError, FetchFailure, FetchSettings, fetch};
pub use metadata::{MetadataFailure, Places};
pub use plan::{PlanFailure, Unreachable, plan};
pub use verify::{Finding, FindingKind, Floor, Proof, Verification, VerifySettings, verify};
pub use write::{Output, Stop, WriteFailure, write};
