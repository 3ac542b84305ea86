//! Bytes by their digest. Knows nothing of names, versions, or what a wheel is.

mod disk;

pub use disk::{DiskStore, Incoming, StoreError};
