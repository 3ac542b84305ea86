//! uv.lock, uv's lock of a project, a workspace or a script, version 1 in every revision.
//!
//! The selection is what `uv sync --frozen` installs; `tests/judges/locks.py` compares them.

mod freshness;
mod graph;
mod project;
mod read;
mod roots;
mod schema;
mod select;
mod wheel_lists;

use super::locking::read_lock;
use super::{Location, RequirementsReader, Role};

/// Whether a file of this name is a lock of a project.
pub fn recognizes(filename: &str) -> bool {
    filename.ends_with("uv.lock")
}

/// Whether a file of this name is a lock of a script, such as `job.py.lock`.
pub fn recognizes_script(filename: &str) -> bool {
    filename.ends_with(".py.lock")
}

/// Reads the lock at `location`, and the project beside it or the requested members of its workspace.
pub fn read(reader: &mut RequirementsReader<'_>, location: &Location, role: Role) {
    let members = reader.groups.members.clone();
    read_lock(reader, (location, role), "uv.lock", |file, source| read::parse_project(file, source, &members));
}

/// Reads the lock of a script at `location`.
pub fn read_script(reader: &mut RequirementsReader<'_>, location: &Location, role: Role) {
    read_lock(reader, (location, role), "script.py.lock", read::parse_script);
}
