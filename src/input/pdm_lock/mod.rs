//! pdm.lock, the lock of PDM 2 (lock_version 4).
//!
//! With the strategy `inherit_metadata` (PDM 2.11 and later) each package states its groups and its
//! marker; without it, the dependencies of pyproject.toml are followed through the lock. The
//! selection is what `pdm sync` installs.

mod read;
mod schema;
mod walk;

use super::locking::read_lock;
use super::{Location, RequirementsReader, Role};

/// The group of the project's own dependencies.
const DEFAULT: &str = "default";

/// Whether a file of this name is a lock of PDM.
pub fn recognizes(filename: &str) -> bool {
    filename.ends_with("pdm.lock")
}

/// Reads the lock at `location`, and the project beside it.
pub fn read(reader: &mut RequirementsReader<'_>, location: &Location, role: Role) {
    read_lock(reader, (location, role), "pdm.lock", read::parse);
}
