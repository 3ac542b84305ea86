//! A finding: one thing that verification found wrong.

use std::fmt;

use crate::archive::ArchiveFault;

/// The kind of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingKind {
    /// The archive itself is damaged.
    Archive,
    /// The archive has the right files, but was packed by another tool.
    Repacked,
    Manifest,
    Missing,
    Unexpected,
    Size,
    Digest,
    /// A distribution is invalid, or not the one that its name states.
    Distribution,
    /// A target does not install from the bundle alone.
    Gap,
    /// A source archive cannot be built from the bundle alone.
    BuildGap,
    /// The build of a source archive fetches from elsewhere than an index, so nothing can be proved.
    Unprovable,
    /// A binary needs more than the platform has.
    Platform,
    RequiresPython,
    /// No target needs the file.
    Unneeded,
    Signature,
}

impl FindingKind {
    /// Returns the name of the kind in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Archive => "archive",
            Self::Repacked => "repacked",
            Self::Manifest => "manifest",
            Self::Missing => "missing",
            Self::Unexpected => "unexpected",
            Self::Size => "size",
            Self::Digest => "digest",
            Self::Distribution => "distribution",
            Self::Gap => "gap",
            Self::BuildGap => "build_gap",
            Self::Unprovable => "unprovable",
            Self::Platform => "platform",
            Self::RequiresPython => "requires_python",
            Self::Unneeded => "unneeded",
            Self::Signature => "signature",
        }
    }
}

/// Something that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub kind: FindingKind,
    /// The path of a file in the bundle.
    pub path: Option<String>,
    /// Ids of the affected targets.
    pub targets: Vec<String>,
    pub message: String,
}

impl Finding {
    pub fn new(kind: FindingKind, message: impl ToString) -> Self {
        Self { kind, path: None, targets: Vec::new(), message: message.to_string() }
    }

    pub fn archive(fault: &impl ToString) -> Self {
        Self::new(FindingKind::Archive, fault.to_string())
    }

    /// Makes a finding from a fault of an archive.
    pub fn of_fault(fault: &ArchiveFault) -> Self {
        let kind =
            if matches!(fault, ArchiveFault::Altered { .. }) { FindingKind::Repacked } else { FindingKind::Archive };
        Self::new(kind, fault)
    }

    pub fn at(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    pub fn on(mut self, targets: Vec<String>) -> Self {
        self.targets = targets;
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.path {
            write!(f, "{path}: ")?;
        }
        f.write_str(&self.message)?;
        if self.targets.is_empty() { Ok(()) } else { write!(f, "\n  for {}", self.targets.join(", ")) }
    }
}
