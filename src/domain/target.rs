//! Targets: one Python on one platform, for which distributions are chosen.

mod description;
mod markers;
mod spec;

use std::sync::Arc;

use super::{HasRemedy, MarkerEnvironment, Platform, Python, Remedy, Tags, Version};

pub use self::description::{DescriptionError, TargetDescription};
use self::markers::{foreign_markers, markers_with};
pub use self::spec::TargetSpec;

/// One Python on one platform, with its tags and the values of its markers.
#[derive(Clone, Debug)]
pub struct Target {
    id: Box<str>,
    release: Version,
    python: Python,
    platform: Platform,
    tags: Arc<Tags>,
    markers: MarkerEnvironment,
}

impl Target {
    /// Makes the target of a machine that described itself, with the usual tags.
    pub fn of_machine(python: Python, platform: Platform, markers: MarkerEnvironment) -> Self {
        let tags = Tags::new(&python, &platform);
        Self::with_tags(python, platform, markers, tags)
    }

    /// Makes the target of a machine that stated its own tags.
    pub fn with_tags(python: Python, platform: Platform, markers: MarkerEnvironment, tags: Tags) -> Self {
        let id = format!("{}-{platform}", python.short_name()).into();
        let release = python.version.only_release();
        Self { id, release, python, platform, tags: Arc::new(tags), markers }
    }

    /// Makes the target of another machine, with the usual values of its markers.
    pub fn foreign(python: Python, platform: Platform) -> Self {
        let markers = foreign_markers(&python, &platform);
        Self::of_machine(python, platform, markers)
    }

    /// Returns the target's name, such as `cp312-manylinux_2_28_x86_64`; unique within a run, see
    /// [`Target::distinct`].
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the version that `Requires-Python` is compared with, three numbers.
    ///
    /// As in pip, a pre-release of 3.15 counts as 3.15.
    pub fn python(&self) -> &Version {
        &self.release
    }

    /// Returns the releases of its Python's series, such as 3.12, from its own on.
    pub fn releases_from_own(&self) -> impl Iterator<Item = Version> {
        /// Of no series were there as many.
        const MOST: u64 = 50;
        let number = |position: usize| self.release.release().get(position).copied().unwrap_or_default();
        let (major, minor) = (number(0), number(1));
        (number(2)..MOST).map(move |patch| Version::new([major, minor, patch]))
    }

    /// Whether both load the same extension modules: implementation, version and kind of build.
    pub fn has_same_python(&self, other: &Self) -> bool {
        self.python.short_name() == other.python.short_name()
    }

    /// Returns the implementation and the version in the tags of its Python: `cp` and `312`.
    pub fn interpreter_tag(&self) -> (&str, String) {
        (self.python.implementation.prefix(), self.python_version().replace('.', ""))
    }

    /// Returns major and minor version, such as `3.12`, for the report.
    pub fn python_version(&self) -> &str {
        &self.markers.python_version().string
    }

    /// Returns the newest platform tag that fits, for the report.
    pub fn platform(&self) -> &Platform {
        &self.platform
    }

    /// Whether its Python is built without the global interpreter lock (PEP 703).
    pub fn is_free_threaded(&self) -> bool {
        self.python.is_free_threaded()
    }

    pub fn tags(&self) -> &Tags {
        &self.tags
    }

    pub fn markers(&self) -> &MarkerEnvironment {
        &self.markers
    }

    /// Returns the same machine with another Python; what depends on the platform stays.
    fn with_python(&self, python: Python) -> Self {
        let markers = markers_with(self.markers.clone(), &python, &self.platform);
        Self::of_machine(python, self.platform.clone(), markers)
    }

    /// Returns the target with the name that it had in another run.
    #[must_use]
    pub fn named(self, id: &str) -> Self {
        Self { id: id.into(), ..self }
    }

    /// Puts the full version into the name: `cp3.12.4-manylinux_2_28_x86_64`.
    fn name_in_full(&mut self) {
        self.id = format!("{}-{}", self.python.full_name(), self.platform).into();
    }

    /// Returns each target once, in order.
    ///
    /// Names that several would share get the patch release of Python, or else a number.
    pub fn distinct(all: impl IntoIterator<Item = Self>) -> Vec<Self> {
        let mut targets: Vec<Self> = Vec::new();
        for target in all {
            if !targets.iter().any(|other| other.is_same(&target)) {
                targets.push(target);
            }
        }
        for position in positions_of_namesakes(&targets) {
            targets[position].name_in_full();
        }
        for (number, position) in positions_of_namesakes(&targets).into_iter().enumerate() {
            targets[position].id = format!("{}-{}", targets[position].id, number + 1).into();
        }
        targets
    }

    fn is_same(&self, other: &Self) -> bool {
        let machine = |target: &Self| (target.python.clone(), target.platform.clone());
        machine(self) == machine(other) && self.markers == other.markers && self.tags == other.tags
    }
}

/// Returns the positions of the targets that share their name with another one.
fn positions_of_namesakes(targets: &[Target]) -> Vec<usize> {
    let has_namesake = |target: &Target| targets.iter().filter(|other| other.id == target.id).count() > 1;
    (0..targets.len()).filter(|position| has_namesake(&targets[*position])).collect()
}

/// Why a target cannot be determined.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    #[error("`{0}` is no Python version; write it as 3.12, 312, 3.12.4, or 3.13t for the free-threaded build")]
    PythonVersion(String),
    #[error("`{0}` is no implementation known here; give cp, pp, graalpy, jy, ip, or py for any")]
    Implementation(String),
    #[error(
        "`{given}` is no platform known here{}; give a wheel tag (manylinux_2_28_x86_64, musllinux_1_2_aarch64, \
         macosx_13_0_arm64, win_amd64), a short name (linux-x86_64, linux-x86_64-musl, macos-arm64, windows-x86_64) \
         or a triple (x86_64-unknown-linux-gnu)",
        suggestion(nearest.as_deref())
    )]
    Platform { given: String, nearest: Option<String> },
    #[error("no Python is at hand to take the version from")]
    NoPythonVersion,
    #[error("no Python is at hand to take the platform from")]
    NoPlatform,
    #[error("no Python is at hand")]
    NothingKnown,
    #[error("the ABI of GraalPy depends on its release")]
    GraalPyAbi,
}

impl HasRemedy for TargetError {
    fn remedy(&self) -> Option<Remedy> {
        match self {
            Self::NoPythonVersion => Some(Remedy::GivePythonVersion),
            Self::NoPlatform => Some(Remedy::GivePlatform),
            Self::NothingKnown => Some(Remedy::GiveTarget),
            Self::GraalPyAbi => Some(Remedy::GiveGraalPyAbi),
            Self::PythonVersion(_) | Self::Implementation(_) | Self::Platform { .. } => None,
        }
    }
}

/// Returns a parenthesis with the name that was probably meant, or nothing.
fn suggestion(nearest: Option<&str>) -> String {
    nearest.map(|name| format!(" (did you mean `{name}`?)")).unwrap_or_default()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn spec(implementation: Option<&str>, python: Option<&str>, platform: Option<&str>) -> TargetSpec {
        TargetSpec {
            python: python.map(|text| text.parse().unwrap()),
            platform: platform.map(|text| text.parse().unwrap()),
            implementation: implementation.map(|text| text.parse().unwrap()),
            abis: Vec::new(),
        }
    }

    /// Returns the target of an interpreter on a Mac, whose kernel states its release.
    pub fn mac(implementation: &str, python: &str) -> Target {
        let target = spec(Some(implementation), Some(python), Some("macosx_14_0_arm64")).resolve(None).unwrap();
        let markers = target.markers.clone().with_platform_release("23.5.0");
        Target::of_machine(target.python, target.platform, markers)
    }

    #[test]
    fn duplicates_collapse_and_patches_are_told_apart() {
        let pythons = ["3.12", "312", "3.12.4", "3.13"].map(|text| text.parse().unwrap());
        let platforms = ["linux-x86_64", "manylinux_2_28_x86_64"].map(|text| text.parse().unwrap());
        let specs = TargetSpec::product(&pythons, &platforms, None, &[]);
        assert_eq!(specs.len(), 8);
        let targets = Target::distinct(specs.iter().map(|spec| spec.resolve(None).unwrap()));
        let ids: Vec<_> = targets.iter().map(Target::id).collect();
        let platform = "manylinux_2_28_x86_64";
        assert_eq!(ids, ["cp3.12.0", "cp3.12.4", "cp313"].map(|python| format!("{python}-{platform}")));
    }

    #[test]
    fn machines_that_differ_in_their_tags_alone_are_numbered() {
        let machine = mac("cp", "3.12.4");
        let older_pip = {
            let Target { python, platform, markers, .. } = machine.clone();
            Target::with_tags(python, platform, markers, machine.tags().iter().skip(1).collect())
        };
        let targets = Target::distinct([machine.clone(), older_pip, machine]);
        let ids: Vec<_> = targets.iter().map(Target::id).collect();
        assert_eq!(ids, ["cp3.12.4-macosx_14_0_arm64-1", "cp3.12.4-macosx_14_0_arm64-2"]);
    }
}
