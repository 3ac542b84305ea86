//! The targets that a builder builds for, and those that a built wheel runs on.

use crate::domain::{Platform, System, SystemVersion, Target, WheelFilename};
use crate::ops::sdist_build::BuiltWheel;

/// Whether what `host` builds may run on `target`, as far as Python, system and processor tell.
pub fn can_build_for(target: &Target, host: &Target) -> bool {
    let kind = |target: &Target| std::mem::discriminant(&target.platform().system);
    let is_linux = |target: &Target| matches!(target.platform().system, System::Linux | System::Manylinux(_));
    target.has_same_python(host)
        && target.platform().architecture == host.platform().architecture
        && (kind(target) == kind(host) || is_linux(target) && is_linux(host))
}

/// Returns why `target` does not get a wheel that was built on `host`; `None` if it does.
pub fn incompatibility(built: &BuiltWheel, target: &Target, host: &Target) -> Option<String> {
    let (id, name) = (target.id(), &built.filename);
    let Ok(wheel) = name.parse::<WheelFilename>() else { return Some(format!("{name} is no wheel by its name")) };
    if target.tags().rank(&wheel).is_none() {
        return Some(format!("{name}, which was built here, is not for {id}: that gets the source archive"));
    }
    let fits = &*wheel.platform == "any" || has_c_library(built, target.platform(), host.platform());
    (!fits).then(|| {
        let wanted = match built.linkage.glibc {
            Some(release) if !built.linkage.has_cpp => format!("wants glibc {release}"),
            _ => "may want newer libraries than it has".to_owned(),
        };
        format!(
            "{name}, which was built here, does not run on {id} for certain, since it {wanted}: that gets the source \
             archive; build on a machine as old as it, or name the platform that this one is"
        )
    })
}

/// Whether the C library of `target` has what a wheel of `host` wants.
fn has_c_library(built: &BuiltWheel, target: &Platform, host: &Platform) -> bool {
    match (&host.system, &target.system) {
        (System::Manylinux(host), System::Manylinux(target)) => {
            built.linkage.fits_glibc(*target).unwrap_or(host <= target)
        }
        (System::Musllinux(host), System::Musllinux(target)) | (System::Macos(host), System::Macos(target)) => {
            host <= target
        }
        _ => true,
    }
}

/// Returns what everybody who gets the wheel must know of it.
pub fn notes_on(built: &BuiltWheel) -> Vec<String> {
    let BuiltWheel { filename, linkage, .. } = built;
    let linked = (!linkage.libraries.is_empty()).then(|| {
        format!(
            "{filename}, which was built here, is linked to {linkage}: whoever installs it must have that, which no \
             manylinux platform promises"
        )
    });
    linked.into_iter().chain(glibc_contradiction(built)).collect()
}

/// Returns a note on a wheel whose name promises an older glibc than it wants (PEP 600).
fn glibc_contradiction(built: &BuiltWheel) -> Option<String> {
    let wheel: WheelFilename = built.filename.parse().ok()?;
    let promised = wheel.platform.split('.').filter_map(|tag| match Platform::of_tag(tag).system {
        System::Manylinux(release) => Some(release),
        _ => None,
    });
    let broken = |release: &SystemVersion| built.linkage.fits_glibc(*release) == Some(false);
    let promised = promised.min().filter(broken)?;
    let wanted = built.linkage.glibc?;
    Some(format!("{} promises to run with glibc {promised} by its name, but wants {wanted}", built.filename))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Linkage, Sha256, TargetSpec};

    fn target(name: &str) -> Target {
        TargetSpec::of_name(name).unwrap().unwrap().resolve(None).unwrap()
    }

    fn built(tags: &str, linkage: Linkage) -> BuiltWheel {
        let filename = format!("kit-1.0-{tags}.whl").into();
        BuiltWheel { filename, sha256: Sha256::of(b""), size: 0, requires: Vec::new(), linkage }
    }

    fn wanting(minor: u16) -> Linkage {
        Linkage { glibc: Some(SystemVersion(2, minor)), ..Linkage::default() }
    }

    #[test]
    fn a_builder_builds_for_its_own_python_system_and_processor() {
        let host = target("cp311-manylinux_2_36_x86_64");
        for (name, expected) in [
            ("cp311-manylinux_2_17_x86_64", true),
            ("cp312-manylinux_2_36_x86_64", false),
            ("cp311-manylinux_2_36_aarch64", false),
            ("cp311-musllinux_1_2_x86_64", false),
            ("cp311-win_amd64", false),
        ] {
            assert_eq!(can_build_for(&target(name), &host), expected, "{name}");
        }
    }

    #[test]
    fn a_wheel_goes_to_targets_whose_glibc_is_new_enough() {
        let host = target("cp311-manylinux_2_36_x86_64");
        let fits = |tags: &str, linkage: Linkage, minor: u16| {
            incompatibility(&built(tags, linkage), &target(&format!("cp311-manylinux_2_{minor}_x86_64")), &host)
                .is_none()
        };
        assert!(fits("py3-none-any", Linkage::default(), 17));
        assert!(fits("cp311-cp311-linux_x86_64", wanting(14), 17));
        assert!(!fits("cp311-cp311-linux_x86_64", wanting(34), 17));
        let cpp = || Linkage { has_cpp: true, ..wanting(14) };
        assert!(!fits("cp311-cp311-linux_x86_64", cpp(), 17) && fits("cp311-cp311-linux_x86_64", cpp(), 36));
        assert!(!fits("cp312-cp312-linux_x86_64", wanting(14), 36), "of another Python");
    }

    #[test]
    fn foreign_libraries_and_broken_promises_are_told() {
        let linked = Linkage { libraries: ["libpq.so.5".to_owned()].into(), ..Linkage::default() };
        let notes = notes_on(&built("cp311-cp311-linux_x86_64", linked));
        assert!(notes.len() == 1 && notes[0].contains("is linked to libpq.so.5"), "{notes:?}");
        let notes = notes_on(&built("cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64", wanting(34)));
        assert!(notes.len() == 1 && notes[0].contains("glibc 2.17 by its name, but wants 2.34"), "{notes:?}");
        assert_eq!(notes_on(&built("cp311-cp311-manylinux_2_17_x86_64", wanting(17))), Vec::<String>::new());
    }
}
