//! Why builds fail.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::domain::{HasRemedy, Remedy};

/// Why a build failed.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error("a build needs pip in the environment of {}", python.display())]
    NoPip { python: PathBuf },
    #[error("a build needs pip 22.3 or newer, and {} has {version}", python.display())]
    OldPip { python: PathBuf, version: String },
    #[error("could not run {program}: {source}")]
    CannotRun { program: String, source: io::Error },
    #[error("its build failed; its last words:{said}{hint}")]
    Failed { said: String, hint: String },
    #[error("its build was ended after {} seconds; its last words:{said}", limit.as_secs())]
    TooLong { limit: Duration, said: String },
    #[error("its build was ended, since it left less than {} MiB on the disk of {}", least_free >> 20, folder.display())]
    DiskFull { folder: PathBuf, least_free: u64 },
    #[error("what its build needs cannot be had: {0}")]
    Requirements(String),
    #[error("its build needs {0} itself")]
    Circle(String),
    #[error("the wheel that it builds for {target} needs {built}, and what was read of it before says {read}")]
    OtherDependencies {
        target: String,
        built: String,
        read: String,
        /// Whether no build may contradict what was read (PEP 643).
        is_binding: bool,
    },
    #[error("the answer of its build cannot be used: {0}")]
    Answer(String),
    #[error("there is no place to build in: {0}")]
    Folder(#[from] io::Error),
}

impl HasRemedy for BuildError {
    fn remedy(&self) -> Option<Remedy> {
        match self {
            Self::NoPip { .. } => Some(Remedy::InstallPip),
            Self::OldPip { .. } => Some(Remedy::UpgradePip),
            Self::CannotRun { .. } => Some(Remedy::NameOtherPython),
            Self::TooLong { .. } => Some(Remedy::AllowLongerBuilds),
            Self::DiskFull { .. } => Some(Remedy::MakeSpace),
            Self::OtherDependencies { is_binding, .. } => (!is_binding).then_some(Remedy::AskBuilds),
            Self::Circle(_) => Some(Remedy::TakeWheelsOfTools),
            _ => None,
        }
    }
}
