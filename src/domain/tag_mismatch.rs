//! Why a wheel's tags do not fit a target, and how close they are.

use std::cmp::Reverse;

use super::Platform;
use super::platform::{Release, System};

/// The part of a wheel's tags that does not fit; a greater one is closer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum TagMismatch {
    #[error("is for {tag} only")]
    Python { nearness: PythonNearness, tag: Box<str> },
    #[error("is for the ABI {0} only")]
    Abi(Box<str>),
    /// It is for another operating system.
    #[error("is for {0} only")]
    System(Box<str>),
    #[error("is for {0} only")]
    Architecture(Box<str>),
    /// It is for Linux on the same architecture with another C library.
    #[error("is for {0} only")]
    Library(Box<str>),
    /// It is for the same platform, in a release that the target does not have.
    #[error("needs {of} {}, the target has {has}", needs.0)]
    Release { needs: Reverse<Release>, has: Release, of: &'static str },
}

/// How close another Python is: whether it is the same implementation, whether the platform fits,
/// and then how many versions are between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PythonNearness {
    pub is_same_implementation: bool,
    pub fits_platform: bool,
    pub distance: Reverse<u32>,
}

impl PythonNearness {
    /// Compares `own`, such as `cp312`, with the set `tags`.
    pub(super) fn new(own: &str, tags: &str, fits_platform: bool) -> Self {
        let (implementation, minor) = split(own);
        let nearness = tags.split('.').map(|tag| {
            let (other, other_minor) = split(tag);
            let is_same_implementation = other == implementation || other == "py";
            Self { is_same_implementation, fits_platform, distance: Reverse(minor.abs_diff(other_minor)) }
        });
        nearness.max().expect("splitting gives at least one part")
    }
}

/// Splits `cp312` into `cp` and 312 (major times a hundred, plus minor), so that 3.12 is closer to
/// 3.11 than to 3.9, and far from 2.7.
fn split(tag: &str) -> (&str, u32) {
    let digits = tag.find(|character: char| character.is_ascii_digit()).unwrap_or(tag.len());
    let (implementation, digits) = tag.split_at(digits);
    let (major, minor) = digits.split_at(digits.len().min(1));
    let number = |text: &str| text.parse::<u32>().unwrap_or_default();
    (implementation, number(major).saturating_mul(100).saturating_add(number(minor)))
}

impl TagMismatch {
    /// Returns the difference of a wheel's platform tag to the closest of the target's platforms,
    /// which are given in their newest releases.
    pub(super) fn of_platform(tag: &str, targets: &[Platform]) -> Self {
        let wheel = Platform::of_tag(tag);
        let gaps = targets.iter().map(|target| gap(tag, &wheel, target));
        gaps.max().unwrap_or_else(|| Self::System(tag.into()))
    }
}

fn gap(tag: &str, wheel: &Platform, target: &Platform) -> TagMismatch {
    if wheel.sys_platform() != target.sys_platform() {
        TagMismatch::System(tag.into())
    } else if wheel.architecture != target.architecture {
        TagMismatch::Architecture(tag.into())
    } else {
        match (wheel.release(), target.release()) {
            (Some((of, needs)), Some((same, has))) if of == same && needs > has => {
                TagMismatch::Release { needs: Reverse(needs), has, of }
            }
            _ => TagMismatch::Library(tag.into()),
        }
    }
}

impl Platform {
    /// Returns what its release is one of, and the release.
    fn release(&self) -> Option<(&'static str, Release)> {
        match self.system {
            System::Manylinux(release) => Some(("glibc", release)),
            System::Musllinux(release) => Some(("musl", release)),
            System::Macos(release) => Some(("macOS", release)),
            System::Ios(release) => Some(("iOS", release)),
            System::Android(level) => Some(("Android API", Release(level, 0))),
            System::Linux | System::Windows | System::Other => None,
        }
    }

    /// Whether this is the same or an older release of the same platform.
    pub(super) fn is_covered_by(&self, other: &Self) -> bool {
        let is_covered = match (self.release(), other.release()) {
            (Some((of, older)), Some((same, newer))) => of == same && older <= newer,
            (None, None) => self.system == other.system,
            _ => false,
        };
        is_covered && self.architecture == other.architecture
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::{TagMismatch, Target, TargetSpec, WheelFilename};

    fn target(python: &str, platform: &str) -> Target {
        let spec = TargetSpec {
            python: Some(python.parse().unwrap()),
            platform: Some(platform.parse().unwrap()),
            ..TargetSpec::default()
        };
        spec.resolve(None).unwrap()
    }

    fn mismatch(target: &Target, tags: &str) -> TagMismatch {
        let wheel: WheelFilename = format!("a-1-{tags}.whl").parse().unwrap();
        assert_eq!(target.tags().rank(&wheel), None, "{tags} fits");
        target.tags().mismatch(&wheel)
    }

    #[test]
    fn messages_name_what_ruled_it_out() {
        let linux = target("3.12", "linux-x86_64");
        for (tags, message) in [
            ("cp311-cp311-manylinux_2_17_x86_64", "is for cp311 only"),
            ("cp314-abi3-manylinux_2_17_x86_64", "is for cp314 only"),
            ("cp311-none-any", "is for cp311 only"),
            ("py2-none-any", "is for py2 only"),
            ("cp312-cp312d-manylinux_2_17_x86_64", "is for the ABI cp312d only"),
            ("cp312-cp312-macosx_11_0_arm64", "is for macosx_11_0_arm64 only"),
            ("py3-none-win_amd64", "is for win_amd64 only"),
            ("cp312-cp312-manylinux_2_34_x86_64", "needs glibc 2.34, the target has 2.28"),
            ("cp39-abi3-manylinux_2_34_x86_64.manylinux_2_31_x86_64", "needs glibc 2.31, the target has 2.28"),
            ("cp312-cp312-manylinux_2_17_aarch64", "is for manylinux_2_17_aarch64 only"),
            ("cp312-cp312-musllinux_1_2_x86_64", "is for musllinux_1_2_x86_64 only"),
        ] {
            assert_eq!(mismatch(&linux, tags).to_string(), message, "{tags}");
        }
        let mac = target("3.12", "macosx_13_0_arm64");
        let message = mismatch(&mac, "cp312-cp312-macosx_14_0_universal2").to_string();
        assert_eq!(message, "needs macOS 14.0, the target has 13.0");
        let threads = target("3.13t", "linux-x86_64");
        assert_eq!(mismatch(&threads, "cp39-abi3-manylinux_2_17_x86_64").to_string(), "is for the ABI abi3 only");
    }

    #[test]
    fn nearness_goes_python_abi_system_architecture_library_release() {
        let linux = target("3.12", "linux-x86_64");
        let nearer = ["pp310-pypy310_pp73-manylinux_2_17_x86_64", "py2-none-any", "cp312-cp312d-win_amd64"];
        let mismatches: Vec<_> = nearer.iter().map(|tags| mismatch(&linux, tags)).collect();
        assert!(mismatches.is_sorted_by(|a, b| a < b), "{mismatches:?}");
        let nearer = [
            "pp310-pypy310_pp73-manylinux_2_17_x86_64",
            "cp311-cp311-win_amd64",
            "cp27-cp27mu-manylinux1_x86_64",
            "cp39-cp39-manylinux_2_17_x86_64",
            "cp310-cp310-manylinux_2_17_x86_64",
            "cp311-cp311-manylinux_2_17_x86_64",
            "cp312-cp312d-win_amd64",
            "cp312-cp312-win_amd64",
            "cp312-cp312-manylinux_2_28_aarch64",
            "cp312-cp312-musllinux_1_2_x86_64",
            "cp312-cp312-manylinux_2_39_x86_64",
            "cp312-cp312-manylinux_2_31_x86_64",
        ];
        let mismatches: Vec<_> = nearer.iter().map(|tags| mismatch(&linux, tags)).collect();
        assert!(mismatches.is_sorted_by(|a, b| a < b), "{mismatches:?}");
    }
}
