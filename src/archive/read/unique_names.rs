//! Checks the names in an archive: each is a valid path, and none is there twice.

use std::collections::BTreeMap;

use super::Fault;
use crate::domain::RelPath;

/// The names met so far.
#[derive(Default)]
pub struct UniqueNames {
    /// By lower case, since many file systems do not tell cases apart.
    taken: BTreeMap<String, RelPath>,
}

impl UniqueNames {
    /// `name` as a path, if it is one that nobody has.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn take(&mut self, name: &[u8]) -> Result<RelPath, Fault> {
        let text = std::str::from_utf8(name).map_err(|_| Fault::Encoding(name.escape_ascii().to_string()))?;
        let path = RelPath::new(text)?;
        match self.taken.insert(text.to_lowercase(), path.clone()) {
            Some(other) if other == path => Err(Fault::Twice(path.to_string())),
            Some(other) => Err(Fault::Cases { first: other.to_string(), second: path.to_string() }),
            None => Ok(path),
        }
    }
}
