//! pixi.lock: the packages of a Python index in it, versions 5 to 7 of the format.
//!
//! Pixi chose one file for each environment and platform. The conda packages are left out: they are
//! of another kind of index.

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
