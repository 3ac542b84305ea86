//! Where a wheel that was built here comes from.

use serde::{Deserialize, Serialize};

use super::{MaskedUrl, Sha256};

/// The source archive that a wheel was built from, and what took part in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuiltFrom {
    /// The archive's.
    pub filename: Box<str>,
    pub url: MaskedUrl,
    pub sha256: Sha256,
    /// `setuptools==80.9.0`, sorted.
    pub requires: Vec<String>,
    /// The id of the target that the building interpreter is.
    pub python: String,
}
