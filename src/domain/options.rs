//! Options of requirements files, the environment and the command line.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{DistributionFilename, PackageName};

/// The kinds of distribution that may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Formats {
    pub wheels: bool,
    pub sources: bool,
}

impl Formats {
    const ANY: Self = Self { wheels: true, sources: true };

    /// Whether a distribution of this name may be used.
    pub fn allows(self, distribution: &DistributionFilename) -> bool {
        if distribution.is_wheel() { self.wheels } else { self.sources }
    }
}

/// The settings of `--only-binary` and `--no-binary`, per project.
///
/// Values apply in the order given (pip's rule): `:all:` clears both sets and then stands for every
/// project, `:none:` clears its own set, and a name moves from the other set to this one. A name
/// takes precedence over `:all:`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FormatControl {
    only_binary: PackageSet,
    no_binary: PackageSet,
}

/// The projects of one of the two options.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
struct PackageSet {
    all: bool,
    names: BTreeSet<PackageName>,
}

impl PackageSet {
    /// Adds the projects in `value`, and removes them from `other`.
    fn take(&mut self, value: &str, other: &mut Self) -> Result<(), String> {
        for part in value.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            match part {
                ":all:" => {
                    *other = Self::default();
                    *self = Self { all: true, names: BTreeSet::new() };
                }
                ":none:" => *self = Self::default(),
                name => {
                    let name: PackageName = name.parse().map_err(|_| name.to_owned())?;
                    other.names.remove(&name);
                    self.names.insert(name);
                }
            }
        }
        Ok(())
    }

    /// Applies the later values `later` and `later_other` to this set and `other`; names take
    /// precedence over `:all:` in them.
    fn extend(&mut self, later: &Self, other: &mut Self, later_other: &Self) {
        if later.all {
            (*self, *other) = (Self { all: true, names: BTreeSet::new() }, Self::default());
        }
        if later_other.all {
            (*self, *other) = (Self::default(), Self { all: true, names: BTreeSet::new() });
        }
        self.names.retain(|name| !later_other.names.contains(name));
        other.names.retain(|name| !later.names.contains(name));
        self.names.extend(later.names.iter().cloned());
        other.names.extend(later_other.names.iter().cloned());
    }

    fn values(&self) -> Vec<String> {
        let all = self.all.then(|| ":all:".to_owned());
        all.into_iter().chain(self.names.iter().map(ToString::to_string)).collect()
    }
}

impl FormatControl {
    /// Applies one value of `--only-binary`: names, `:all:` or `:none:`, separated by commas.
    ///
    /// # Errors
    /// When a part is no project name; the error is that part.
    pub fn only_binary(&mut self, value: &str) -> Result<(), String> {
        self.only_binary.take(value, &mut self.no_binary)
    }

    /// Applies one value of `--no-binary`.
    ///
    /// # Errors
    /// When a part is no project name; the error is that part.
    pub fn no_binary(&mut self, value: &str) -> Result<(), String> {
        self.no_binary.take(value, &mut self.only_binary)
    }

    /// Returns the kinds of distribution that may be used for `project`.
    pub fn formats(&self, project: &PackageName) -> Formats {
        let only_binary = Formats { wheels: true, sources: false };
        let no_binary = Formats { wheels: false, sources: true };
        if self.only_binary.names.contains(project) {
            only_binary
        } else if self.no_binary.names.contains(project) {
            no_binary
        } else if self.only_binary.all {
            only_binary
        } else if self.no_binary.all {
            no_binary
        } else {
            Formats::ANY
        }
    }

    /// Applies later settings after these.
    pub fn extend(&mut self, later: &Self) {
        self.only_binary.extend(&later.only_binary, &mut self.no_binary, &later.no_binary);
    }

    /// Returns values of `--only-binary` with the same effect.
    pub fn only_binary_values(&self) -> Vec<String> {
        self.only_binary.values()
    }

    /// Returns values of `--no-binary` with the same effect.
    pub fn no_binary_values(&self) -> Vec<String> {
        self.no_binary.values()
    }
}

/// The settings of `--all-releases` and `--only-final`, per project; values apply as in
/// [`FormatControl`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ReleaseControl {
    all_releases: PackageSet,
    only_final: PackageSet,
}

impl ReleaseControl {
    /// Applies one value of `--all-releases`; `--pre` is `:all:`.
    ///
    /// # Errors
    /// When a part is no project name; the error is that part.
    pub fn all_releases(&mut self, value: &str) -> Result<(), String> {
        self.all_releases.take(value, &mut self.only_final)
    }

    /// Applies one value of `--only-final`.
    ///
    /// # Errors
    /// When a part is no project name; the error is that part.
    pub fn only_final(&mut self, value: &str) -> Result<(), String> {
        self.only_final.take(value, &mut self.all_releases)
    }

    /// Applies later settings after these.
    pub fn extend(&mut self, later: &Self) {
        self.all_releases.extend(&later.all_releases, &mut self.only_final, &later.only_final);
    }

    /// Applies `--pre`, which does not affect projects named by `--only-final`.
    pub fn pre(&mut self) {
        self.all_releases.all = true;
    }

    /// Whether pre-releases of `project` may be used; `None` if no option decides that.
    pub fn prereleases(&self, project: &PackageName) -> Option<bool> {
        if self.all_releases.names.contains(project) {
            Some(true)
        } else if self.only_final.names.contains(project) {
            Some(false)
        } else if self.all_releases.all {
            Some(true)
        } else {
            self.only_final.all.then_some(false)
        }
    }

    /// Whether pre-releases of every project may be used, except named ones.
    pub fn is_pre(&self) -> bool {
        self.all_releases.all
    }

    /// Returns values of `--all-releases` with the same effect.
    pub fn all_releases_values(&self) -> Vec<String> {
        self.all_releases.values()
    }

    /// Returns values of `--only-final` with the same effect.
    pub fn only_final_values(&self) -> Vec<String> {
        self.only_final.values()
    }
}

/// The options that a requirements file or the command line may set.
///
/// Locations are as pip resolves them, with their credentials; they must be masked when they are
/// printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IndexOptions {
    /// The last `--index-url`; earlier extra indexes of the same file are dropped with it.
    pub index_url: Option<String>,
    pub extra_index_urls: Vec<String>,
    /// Indexes that are asked after all others (`supplemental` in Poetry).
    pub supplemental_index_urls: Vec<String>,
    /// The only index of a project, where one is stated.
    pub project_indexes: BTreeMap<PackageName, String>,
    pub find_links: Vec<String>,
    pub no_index: bool,
    pub formats: FormatControl,
    pub prefer_binary: bool,
    /// Whether `--pre` or `--all-releases :all:` is set.
    pub pre: bool,
    /// The settings on pre-releases per project, including `pre`.
    pub releases: ReleaseControl,
    pub require_hashes: bool,
    /// Whether `--hash` options do not turn on hash checking (pip 26.2 and later).
    pub no_require_hashes: bool,
    pub trusted_hosts: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formats(control: &FormatControl, project: &str) -> (bool, bool) {
        let formats = control.formats(&project.parse().unwrap());
        (formats.wheels, formats.sources)
    }

    #[test]
    fn names_beat_all_and_the_last_word_counts() {
        let mut control = FormatControl::default();
        control.only_binary(":all:").unwrap();
        control.no_binary("Foo_Bar,baz").unwrap();
        assert_eq!(formats(&control, "foo-bar"), (false, true));
        assert_eq!(formats(&control, "other"), (true, false));
        control.only_binary("baz").unwrap();
        assert_eq!(formats(&control, "baz"), (true, false));
        control.no_binary(":none:").unwrap();
        assert_eq!(formats(&control, "foo-bar"), (true, false));
        control.no_binary(":all:").unwrap();
        assert_eq!(formats(&control, "baz"), (false, true));
        assert_eq!(control.no_binary("a b"), Err("a b".to_owned()));
    }

    #[test]
    fn what_is_said_later_counts_as_a_whole() {
        let said = |only: &str, no: &str| {
            let (mut one, mut other) = (FormatControl::default(), FormatControl::default());
            one.only_binary(only).unwrap();
            other.no_binary(no).unwrap();
            one.extend(&other);
            one
        };
        let mut control = said("a", ":all:");
        assert_eq!((formats(&control, "a"), formats(&control, "b")), ((false, true), (false, true)));
        control.extend(&said(":all:", "a"));
        assert_eq!((formats(&control, "a"), formats(&control, "b")), ((false, true), (true, false)));
        let mut names_beat_all = FormatControl::default();
        names_beat_all.no_binary(":all:").unwrap();
        names_beat_all.only_binary("a").unwrap();
        control.extend(&names_beat_all);
        assert_eq!((formats(&control, "a"), formats(&control, "b")), ((true, false), (false, true)));
    }

    #[test]
    fn releases_are_controlled_by_name() {
        let mut control = ReleaseControl::default();
        let prereleases = |control: &ReleaseControl, name: &str| control.prereleases(&name.parse().unwrap());
        assert_eq!(prereleases(&control, "foo"), None);
        control.only_final("foo").unwrap();
        control.pre();
        assert_eq!((prereleases(&control, "foo"), prereleases(&control, "bar")), (Some(false), Some(true)));
        control.only_final(":all:").unwrap();
        control.all_releases("foo").unwrap();
        assert_eq!((prereleases(&control, "foo"), prereleases(&control, "bar")), (Some(true), Some(false)));
    }
}
