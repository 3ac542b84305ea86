//! The summary and licence in a distribution's core metadata.

/// The fields of core metadata that are for people only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProjectSummary {
    /// The SPDX expression (PEP 639), or the licence field of older metadata.
    pub license: Option<String>,
    /// The one-line description.
    pub summary: Option<String>,
}
