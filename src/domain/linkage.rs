//! Linkage: what the compiled code of a wheel wants of the system that it is installed on.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::Release;

/// What the shared libraries in a wheel are linked to, beyond what the wheel has itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Linkage {
    /// The newest symbol version of glibc that they want.
    pub glibc: Option<Release>,
    /// Whether they want the standard library of C++, whose symbol versions are not compared.
    pub has_cpp: bool,
    /// The libraries that no manylinux platform promises (PEP 600), such as `libpq.so.5`.
    pub libraries: BTreeSet<String>,
}

impl Linkage {
    /// Whether a system with this release of glibc has what the wheel wants, apart from
    /// [`Linkage::libraries`]; `None` if that is not known.
    pub fn fits_glibc(&self, release: Release) -> Option<bool> {
        match (self.glibc, self.has_cpp) {
            (Some(wanted), _) if wanted > release => Some(false),
            (_, true) => None,
            _ => Some(true),
        }
    }
}

impl fmt::Display for Linkage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let libraries: Vec<_> = self.libraries.iter().map(String::as_str).collect();
        f.write_str(&libraries.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_fits_if_its_glibc_is_new_enough() {
        let linkage = Linkage { glibc: Some(Release(2, 14)), ..Linkage::default() };
        assert_eq!(linkage.fits_glibc(Release(2, 12)), Some(false));
        assert_eq!(linkage.fits_glibc(Release(2, 14)), Some(true));
        let cpp = Linkage { has_cpp: true, ..linkage };
        assert_eq!(cpp.fits_glibc(Release(2, 12)), Some(false));
        assert_eq!(cpp.fits_glibc(Release(2, 28)), None);
        assert_eq!(Linkage::default().fits_glibc(Release(2, 5)), Some(true));
    }
}
