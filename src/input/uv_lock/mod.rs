//! uv.lock, uv's lock of a project, a workspace or a script, version 1 in every revision.
//!
//! The selection is what `uv sync --frozen` installs; `tests/judges/locks.py` compares them.

mod freshness;
mod graph;
mod project;
mod read;
mod schema;
mod select;

use super::locking::read_lock;
use super::{Location, RequirementsReader, Role};

/// Whether a file of this name is a lock of uv, either of a project or of a script (`job.py.lock`).
pub fn recognizes(filename: &str) -> bool {
    filename.ends_with("uv.lock") || filename.ends_with(".py.lock")
}

/// Reads the lock at `location`, and the project beside it.
pub fn read(reader: &mut RequirementsReader<'_>, location: &Location, role: Role) {
    read_lock(reader, (location, role), "uv.lock", read::parse);
}
