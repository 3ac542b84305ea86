//! The keywords of a `setup()` call that state name, version and dependencies, as far as they can be
//! known without running it.

use std::collections::BTreeSet;

use super::egg_info::Requirements;
use crate::domain::PackageName;

/// The value of one keyword.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Keyword<T> {
    #[default]
    Absent,
    Literal(T),
    /// The value is computed, but presumably the same on every machine.
    Computed,
    /// The value depends on the machine that runs it.
    Conditional,
}

/// The keywords of a `setup()` call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetupKeywords {
    pub name: Keyword<String>,
    pub version: Keyword<String>,
    pub install_requires: Keyword<Vec<String>>,
    pub extras_require: Keyword<Requirements>,
    pub python_requires: Keyword<String>,
    pub setup_requires: Keyword<Vec<String>>,
    /// Whether a part that is not understood may change the dependencies (`cmdclass`, pbr).
    pub has_plugin: bool,
    /// The projects that literals in branches of the file name as requirements.
    pub in_branches: BTreeSet<PackageName>,
}

impl<T> Keyword<T> {
    pub fn literal(&self) -> Option<&T> {
        match self {
            Self::Literal(value) => Some(value),
            _ => None,
        }
    }

    pub fn is_literal(&self) -> bool {
        self.literal().is_some()
    }

    /// Whether the value is known: a literal, or absent.
    pub fn is_known(&self) -> bool {
        matches!(self, Self::Absent | Self::Literal(_))
    }
}

impl SetupKeywords {
    /// Returns the keywords, taking absent ones from `setup.cfg`, as setuptools does.
    pub fn or(self, cfg: Self) -> Self {
        fn or<T>(own: Keyword<T>, other: Keyword<T>) -> Keyword<T> {
            if matches!(own, Keyword::Absent) { other } else { own }
        }
        Self {
            name: or(self.name, cfg.name),
            version: or(self.version, cfg.version),
            install_requires: or(self.install_requires, cfg.install_requires),
            extras_require: or(self.extras_require, cfg.extras_require),
            python_requires: or(self.python_requires, cfg.python_requires),
            setup_requires: or(self.setup_requires, cfg.setup_requires),
            has_plugin: self.has_plugin || cfg.has_plugin,
            in_branches: self.in_branches,
        }
    }

    /// Whether the dependencies depend on the machine that runs `setup()`.
    pub fn is_conditional(&self) -> bool {
        matches!(self.install_requires, Keyword::Conditional) || matches!(self.extras_require, Keyword::Conditional)
    }

    /// Returns all dependencies with and without extras, or `None` if a part is not known.
    pub fn requirements(&self) -> Option<Requirements> {
        let mut all = Requirements::default();
        match &self.install_requires {
            Keyword::Absent => {}
            Keyword::Literal(lines) => all.add("", lines)?,
            Keyword::Computed | Keyword::Conditional => return None,
        }
        match &self.extras_require {
            Keyword::Absent => {}
            Keyword::Literal(extras) => {
                all.base.extend(extras.base.iter().cloned());
                all.optional.extend(extras.optional.iter().cloned());
                all.extras.extend(extras.extras.iter().cloned());
            }
            Keyword::Computed | Keyword::Conditional => return None,
        }
        Some(all)
    }
}
