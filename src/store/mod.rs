//! Bytes by their digest. Knows nothing of names, versions, or what a wheel is.

mod disk;
mod upkeep;

pub use disk::{DiskStore, Incoming, StoreError};
pub use upkeep::Lying;
