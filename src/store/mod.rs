//! The content-addressed store: objects by their SHA-256.
//!
//! It knows nothing of names, versions, or what a wheel is.

mod atomic_file;
mod claim;
mod disk;
mod error;
mod incoming;
mod maintenance;
mod seal;

pub use claim::Claim;
pub use disk::DiskStore;
pub use error::StoreError;
pub use incoming::Incoming;
pub use maintenance::StoredObject;
