//! Descriptions of targets for people.

use crate::domain::{Platform, System, Target};

/// Returns a description such as `Python 3.12 on Linux x86_64 (glibc 2.28 or later)`.
pub fn in_words(target: &Target) -> String {
    let implementation = match target.markers().platform_python_implementation() {
        "CPython" => "Python",
        other => other,
    };
    let full = &target.markers().python_full_version().string;
    let version = full.strip_suffix(".0").filter(|minor| minor.contains('.')).unwrap_or(full);
    let build = if target.is_free_threaded() { ", free-threaded," } else { "" };
    format!("{implementation} {version}{build} on {}", platform(target.platform()))
}

fn platform(platform: &Platform) -> String {
    let architecture = &platform.architecture;
    match platform.system {
        System::Manylinux(release) => format!("Linux {architecture} (glibc {release} or later)"),
        System::Musllinux(release) => format!("Linux {architecture} (musl {release} or later)"),
        System::Linux => format!("Linux {architecture}"),
        System::Macos(release) => format!("macOS {architecture} ({release} or later)"),
        System::Windows => match &**architecture {
            "win32" => "Windows x86 (32 bit)".to_owned(),
            "amd64" => "Windows x86_64".to_owned(),
            other => format!("Windows {other}"),
        },
        System::Ios(release) => format!("iOS {architecture} ({release} or later)"),
        System::Android(level) => format!("Android {architecture} (API level {level} or later)"),
        System::Other => platform.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::TargetSpec;

    #[test]
    fn targets_are_named_as_people_name_them() {
        for (name, words) in [
            ("3.12:linux-x86_64", "Python 3.12 on Linux x86_64 (glibc 2.28 or later)"),
            ("3.12.4:linux-aarch64-musl", "Python 3.12.4 on Linux aarch64 (musl 1.2 or later)"),
            ("3.13t:macos-arm64", "Python 3.13, free-threaded, on macOS arm64 (13.0 or later)"),
            ("pp310:windows-x86_64", "PyPy 3.10 on Windows x86_64"),
            ("cp39-win32", "Python 3.9 on Windows x86 (32 bit)"),
        ] {
            let target = TargetSpec::of_name(name).unwrap().unwrap().resolve(None).unwrap();
            assert_eq!(in_words(&target), words);
        }
    }
}
