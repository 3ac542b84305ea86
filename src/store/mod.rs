//! Bytes by their digest. Knows nothing of names, versions, or what a wheel is.

mod disk;
mod error;
mod incoming;
mod intake;
mod scratch;
mod seal;
mod upkeep;

pub use disk::DiskStore;
pub use error::StoreError;
pub use incoming::Incoming;
pub use intake::Claim;
pub use upkeep::StoredObject;
