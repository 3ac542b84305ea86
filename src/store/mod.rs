//! Bytes by their digest. Knows nothing of names, versions, or what a wheel is.

mod atomic_file;
mod claim;
mod disk;
mod error;
mod incoming;
mod maintenance;

pub use claim::Claim;
pub use disk::DiskStore;
pub use error::StoreError;
pub use incoming::Incoming;
pub use maintenance::StoredObject;
