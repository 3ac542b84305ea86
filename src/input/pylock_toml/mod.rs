//! pylock.toml (PEP 751), the lock file for all installers.
//!
//! The selection is what `uv pip install -r pylock.toml` installs; `tests/judges/locks.py` compares
//! them.

mod read;
mod schema;

use super::locking::read_lock;
use super::{Location, RequirementsReader, Role};

/// Whether a file of this name is such a lock: `pylock.toml` or `pylock.NAME.toml`.
pub fn recognizes(filename: &str) -> bool {
    let name = filename.strip_prefix("pylock.").and_then(|rest| rest.strip_suffix(".toml"));
    filename == "pylock.toml" || name.is_some_and(|name| !name.is_empty() && !name.contains('.'))
}

/// Reads the lock at `location`.
pub fn read(reader: &mut RequirementsReader<'_>, location: &Location, role: Role) {
    read_lock(reader, (location, role), "pylock.toml", read::parse);
}
