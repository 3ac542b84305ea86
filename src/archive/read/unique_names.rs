//! Checks the names in an archive: each is a valid path, and none is there twice.

use std::collections::BTreeMap;

use super::ArchiveFault;
use crate::domain::RelPath;

/// The names that were found so far.
#[derive(Default)]
pub struct UniqueNames {
    /// The paths by their lower-case spelling, since many file systems ignore case.
    taken: BTreeMap<String, RelPath>,
}

impl UniqueNames {
    /// Returns `name` as a path, and remembers it.
    ///
    /// # Errors
    /// When the name is no valid path, or was found before.
    pub fn take(&mut self, name: &[u8]) -> Result<RelPath, ArchiveFault> {
        let text = std::str::from_utf8(name).map_err(|_| ArchiveFault::Encoding(name.escape_ascii().to_string()))?;
        let path = RelPath::new(text)?;
        match self.taken.insert(text.to_lowercase(), path.clone()) {
            Some(other) if other == path => Err(ArchiveFault::Twice(path.to_string())),
            Some(other) => Err(ArchiveFault::Cases { first: other.to_string(), second: path.to_string() }),
            None => Ok(path),
        }
    }
}
