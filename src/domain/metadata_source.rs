//! The sources of a distribution's metadata.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The part of a distribution that its metadata was read from, or the build that made it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum MetadataSource {
    /// A wheel's `METADATA`, a reliable `PKG-INFO` (PEP 643), or a static `[project]` table (PEP
    /// 621).
    #[default]
    Declared,
    /// `requires.txt` in the `*.egg-info` folder of a source archive.
    EggInfo,
    /// A `PKG-INFO` older than metadata 2.2.
    PkgInfo,
    /// The table of a build backend in `pyproject.toml` (`[tool.flit.metadata]`).
    Pyproject,
    SetupCfg,
    /// The literals in a `setup.py`.
    SetupPy,
    Built,
}

impl MetadataSource {
    const ALL: [Self; 7] =
        [Self::Declared, Self::EggInfo, Self::PkgInfo, Self::Pyproject, Self::SetupCfg, Self::SetupPy, Self::Built];

    /// Returns its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Declared => "declared",
            Self::EggInfo => "egg-info",
            Self::PkgInfo => "pkg-info",
            Self::Pyproject => "pyproject.toml",
            Self::SetupCfg => "setup.cfg",
            Self::SetupPy => "setup.py",
            Self::Built => "built",
        }
    }

    /// Returns the source with this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.name() == name)
    }

    /// Whether a build of the archive may state other dependencies.
    pub fn is_unreliable(self) -> bool {
        !matches!(self, Self::Declared | Self::Built)
    }
}

impl fmt::Display for MetadataSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_is_known_by_its_name() {
        for source in MetadataSource::ALL {
            assert_eq!(MetadataSource::of_name(source.name()), Some(source));
        }
        assert_eq!(MetadataSource::of_name("guessed"), None);
    }
}
