//! What a distribution's metadata tells people.

/// The words of a metadata file that no installer needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProjectSummary {
    /// The SPDX expression (PEP 639), or what older metadata says instead.
    pub license: Option<String>,
    /// The one-line description.
    pub summary: Option<String>,
}
