//! The cache folder: which folders it has, in which formats, and how small files get into them
//! whole and out of them checked.

mod entry;
mod layout;
mod regular;
mod stamp;

pub use entry::Readers;
pub use layout::{CacheBucket, CacheLayout, remove_anything};
pub use regular::{open_regular, read_regular};
pub use stamp::FileStamp;
