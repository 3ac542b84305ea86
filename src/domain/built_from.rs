//! The origin of a wheel that was built here.

use serde::{Deserialize, Serialize};

use super::{Linkage, MaskedUrl, Sha256};

/// The source archive that a wheel was built from, and what the build depended on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuiltFrom {
    /// The file name of the archive.
    pub filename: Box<str>,
    pub url: MaskedUrl,
    pub sha256: Sha256,
    /// The build requirements that were installed, sorted: `setuptools==80.9.0`.
    pub requires: Vec<String>,
    /// The id of the target of the interpreter that built it.
    pub python: String,
    pub linkage: Linkage,
}
