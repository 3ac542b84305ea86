//! Bytes by their digest. Knows nothing of names, versions, or what a wheel is.

mod disk;
mod error;
mod incoming;
mod scratch;

pub use disk::{Claim, DiskStore};
pub use error::StoreError;
pub use incoming::Incoming;
