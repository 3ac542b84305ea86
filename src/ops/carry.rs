//! What becomes of bundles after they were made: unpacked, compared, merged, and brought up to
//! date by the difference to another.

mod apply;
mod delta;
mod diff;
mod error;
mod inspect;
mod merge;
mod opened;
mod unpack;

pub use apply::apply;
pub use delta::{DELTA_PATH, Delta};
pub use diff::{Change, Comparison, compare};
pub use error::CarryError;
pub use inspect::{InspectedPackage, inspect};
pub use merge::merge;
pub use opened::{Base, manifest_at, manifest_text_at};
pub use unpack::{Unpacked, unpack};
