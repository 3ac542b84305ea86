//! poetry.lock, of Poetry 1.0 to 2.5.
//!
//! From lock-version 2.1 on each package states its conditions; in older ones the project's
//! dependencies are followed, as Poetry's solver does. URLs of files are not recorded.

mod read;
mod schema;
mod walk;

use super::locking::read_lock;
use super::{Location, RequirementsReader, Role};

/// Whether a file of this name is a lock of Poetry.
pub fn recognizes(filename: &str) -> bool {
    filename.ends_with("poetry.lock")
}

/// Reads the lock at `location`, and the project beside it.
pub fn read(reader: &mut RequirementsReader<'_>, location: &Location, role: Role) {
    read_lock(reader, (location, role), "poetry.lock", read::parse);
}
