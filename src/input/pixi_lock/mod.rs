//! pixi.lock: its packages from Python indexes, in versions 5 to 7 of the format.
//!
//! Pixi chose one file for each environment and platform. Conda packages are left out, since they
//! come from another kind of index.

mod lock;
mod read;
mod schema;

use super::locking::read_lock;
use super::{Location, RequirementsReader, Role};

/// Whether a file of this name is a lock of pixi.
pub fn recognizes(filename: &str) -> bool {
    filename.ends_with("pixi.lock")
}

/// Reads the lock at `location`.
pub fn read(reader: &mut RequirementsReader<'_>, location: &Location, role: Role) {
    read_lock(reader, (location, role), "pixi.lock", read::parse);
}
