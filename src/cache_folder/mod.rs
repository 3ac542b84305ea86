//! The cache folder: its folders with their formats, and reading and writing small files in them.

mod entries;
mod entry;
mod layout;
mod lock_file;
mod locked_file;
mod regular;
mod shared;
mod stamp;

pub use entries::{CacheEntries, RemoteEntries};
pub use entry::{Readers, content, is_whole};
pub use layout::{CacheBucket, CacheLayout, remove_anything};
pub use lock_file::LockFile;
pub use locked_file::{LockOutcome, open_locked};
pub use regular::{is_same_file, read_regular, real_entries};
pub use shared::{Proof, SHARED_BUCKETS, SharedBucket};
pub use stamp::FileStamp;
