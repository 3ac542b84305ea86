//! The cache folder: its folders with their formats, and reading and writing small files in them.

mod entry;
mod layout;
mod lock_file;
mod regular;
mod stamp;

pub use entry::Readers;
pub use layout::{CacheBucket, CacheLayout, remove_anything};
pub use lock_file::LockFile;
pub use regular::{is_same_file, open_regular, read_regular, real_entries};
pub use stamp::FileStamp;
