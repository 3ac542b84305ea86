//! Operations on bundles: write, verify, sign, unpack, compare, merge, and update by a delta.

mod apply;
mod delta;
mod diff;
mod error;
pub mod finding;
mod inspect;
mod manifest_file;
mod merge;
mod open_bundle;
pub mod output;
pub mod signature;
mod unpack;
pub mod verify;

pub use apply::apply;
pub use delta::{DELTA_PATH, Delta, DeltaBase};
pub use diff::{BundleDiff, VersionChange, compare};
pub use error::BundleError;
pub use inspect::{InspectedPackage, inspect};
pub use manifest_file::{LARGEST_PAGE, manifest_at, manifest_text_at};
pub use merge::merge;
pub use unpack::{Unpacked, unpack};
