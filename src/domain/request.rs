//! Requests: requirements with the options that decide whether an install from what was fetched
//! succeeds.

use super::{FormatControl, ReleaseControl, Requirement};

/// The requirements for some targets, with the options that apply to them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Request {
    /// Requirements and constraints in the order in which they were read.
    pub requirements: Vec<Requirement>,
    pub formats: FormatControl,
    pub releases: ReleaseControl,
    pub prefer_binary: bool,
    pub require_hashes: bool,
    pub follow_dependencies: bool,
    /// Positions of the targets that the request is for.
    pub targets: Vec<usize>,
}
