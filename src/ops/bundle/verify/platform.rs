//! Checks whether binaries run on the targets that they were packed for.

use std::str::FromStr;
use std::sync::Arc;

use super::completeness::{AvailableFile, AvailableFiles};
use super::{Finding, FindingKind};
use crate::domain::{Platform, Release, System, Target, WheelFilename};

/// The C library, with its version, that every binary for Linux must run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LibcFloor {
    Glibc(Release),
    Musl(Release),
}

impl LibcFloor {
    fn name(self) -> &'static str {
        match self {
            Self::Glibc(_) => "glibc",
            Self::Musl(_) => "musl",
        }
    }

    fn release(self) -> Release {
        match self {
            Self::Glibc(release) | Self::Musl(release) => release,
        }
    }
}

impl FromStr for LibcFloor {
    type Err = String;

    /// Parses `glibc-2.17`, `musl-1.2`, or a platform such as `manylinux_2_17_x86_64`.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no C library with its version; write it as glibc-2.17 or musl-1.2");
        let release = |numbers: &str| {
            let (major, minor) = numbers.trim_start_matches(['-', ' ']).split_once('.').ok_or_else(wrong)?;
            Ok::<_, String>(Release(major.parse().map_err(|_| wrong())?, minor.parse().map_err(|_| wrong())?))
        };
        if let Some(numbers) = text.strip_prefix("glibc") {
            return release(numbers).map(Self::Glibc);
        }
        if let Some(numbers) = text.strip_prefix("musl-") {
            return release(numbers).map(Self::Musl);
        }
        match Platform::of_tag(text).system {
            System::Manylinux(release) => Ok(Self::Glibc(release)),
            System::Musllinux(release) => Ok(Self::Musl(release)),
            _ => Err(wrong()),
        }
    }
}

/// Returns a finding for each file that no target can use.
pub fn unfit_files(available: &AvailableFiles<'_>) -> Vec<Finding> {
    let unfit = available.files.iter().flat_map(|(path, file)| {
        let wheel = file.filename.parse::<WheelFilename>().ok();
        unfit(available, file, wheel.as_ref()).into_iter().map(move |finding| finding.at(path))
    });
    unfit.collect()
}

/// Returns a finding for each of the files at `paths` that requires a newer C library than `floor`.
pub fn too_new_files<'a>(paths: impl Iterator<Item = &'a str>, floor: LibcFloor) -> Vec<Finding> {
    let too_new = paths.filter_map(|path| {
        let wheel = path.rsplit('/').next()?.parse().ok()?;
        Some(too_new(&wheel, floor)?.at(path))
    });
    too_new.collect()
}

/// Returns a finding if all targets have another C library than `floor`.
pub fn other_library(targets: &[Arc<Target>], floor: LibcFloor) -> Option<Finding> {
    let may_have = |target: &Arc<Target>| match target.platform().system {
        System::Manylinux(_) => matches!(floor, LibcFloor::Glibc(_)),
        System::Musllinux(_) => matches!(floor, LibcFloor::Musl(_)),
        System::Linux | System::Other => true,
        _ => false,
    };
    let name = floor.name();
    let finding = || Finding::new(FindingKind::Platform, format!("none of its targets runs on {name}"));
    (!targets.is_empty() && !targets.iter().any(may_have)).then(finding)
}

/// Returns a finding if all of the wheel's tags require a newer C library than `floor`.
fn too_new(wheel: &WheelFilename, floor: LibcFloor) -> Option<Finding> {
    let releases = wheel.platform.split('.').filter_map(|tag| match (Platform::of_tag(tag).system, floor) {
        (System::Manylinux(release), LibcFloor::Glibc(_)) | (System::Musllinux(release), LibcFloor::Musl(_)) => {
            Some(release)
        }
        _ => None,
    });
    let (name, has) = (floor.name(), floor.release());
    let needs = releases.min().filter(|needs| *needs > has)?;
    Some(Finding::new(FindingKind::Platform, format!("it needs {name} {needs}, and there is {has}")))
}

fn unfit(available: &AvailableFiles<'_>, file: &AvailableFile<'_>, wheel: Option<&WheelFilename>) -> Vec<Finding> {
    if file.targets.is_empty() && !available.targets.is_empty() {
        return vec![Finding::new(FindingKind::Unneeded, "no target needs it")];
    }
    let those = |is_meant: &dyn Fn(&Target) -> bool| -> Vec<String> {
        let served = file.targets.iter().filter_map(|position| available.targets.get(*position));
        served.filter(|target| is_meant(target)).map(|target| target.id().to_owned()).collect()
    };
    let wants = file.inspection.metadata.as_ref().ok().and_then(|needs| needs.requires_python.as_ref());
    let mismatched = those(&|target| wheel.is_some_and(|wheel| target.tags().rank(wheel).is_none()));
    let wrong_python = those(&|target| wants.is_some_and(|wants| !wants.contains(target.python())));
    let tags = Finding::new(FindingKind::Platform, "its tags do not fit").on(mismatched);
    let wants = wants.map(ToString::to_string).unwrap_or_default();
    let python = Finding::new(FindingKind::RequiresPython, format!("it needs Python {wants}")).on(wrong_python);
    [tags, python].into_iter().filter(|finding| !finding.targets.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floors_are_read_in_every_spelling() {
        for (text, expected) in [
            ("glibc-2.17", LibcFloor::Glibc(Release(2, 17))),
            ("glibc2.28", LibcFloor::Glibc(Release(2, 28))),
            ("musl-1.2", LibcFloor::Musl(Release(1, 2))),
            ("manylinux2014_x86_64", LibcFloor::Glibc(Release(2, 17))),
            ("musllinux_1_1_aarch64", LibcFloor::Musl(Release(1, 1))),
        ] {
            assert_eq!(text.parse::<LibcFloor>().unwrap(), expected, "{text}");
        }
        for text in ["glibc", "2.17", "musl-1", "win_amd64", "glibc-x.y"] {
            assert!(text.parse::<LibcFloor>().unwrap_err().contains("glibc-2.17"), "{text}");
        }
    }

    #[test]
    fn the_oldest_tag_of_a_wheel_counts() {
        let says = |tags: &str, floor: &str| {
            let wheel = format!("demo-1.0-cp312-cp312-{tags}.whl").parse().unwrap();
            too_new(&wheel, floor.parse().unwrap()).map(|finding| finding.message)
        };
        assert_eq!(says("manylinux_2_28_x86_64", "glibc-2.17").unwrap(), "it needs glibc 2.28, and there is 2.17");
        assert_eq!(says("manylinux_2_17_x86_64.manylinux2014_x86_64", "glibc-2.17"), None);
        assert_eq!(says("manylinux_2_28_x86_64.manylinux2014_x86_64", "glibc-2.17"), None);
        assert_eq!(says("musllinux_1_2_x86_64", "glibc-2.17"), None);
        assert_eq!(says("musllinux_1_2_x86_64", "musl-1.1").unwrap(), "it needs musl 1.2, and there is 1.1");
        assert_eq!(says("win_amd64", "glibc-2.5"), None);
    }
}
