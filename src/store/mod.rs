//! Bytes by their digest. Knows nothing of names, versions, or what a wheel is.

mod disk;
mod error;
mod incoming;
mod scratch;
mod upkeep;

pub use disk::{Claim, DiskStore};
pub use error::StoreError;
pub use incoming::Incoming;
pub use upkeep::Lying;
