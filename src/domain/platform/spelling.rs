//! Parses the spellings of a platform that users type: wheel tags, short names, target triples.

use std::str::FromStr;

use super::{Platform, Release, System};
use crate::domain::TargetError;

/// The glibc of `linux-x86_64`, as in uv: that of RHEL 8, Debian 10, Ubuntu 20.04.
const USUAL_GLIBC: Release = Release(2, 28);
/// The musl of `linux-x86_64-musl`, as in uv: that of Alpine 3.13.
const USUAL_MUSL: Release = Release(1, 2);
/// The macOS of `macos-arm64`, as in uv.
const USUAL_MACOS: Release = Release(13, 0);

/// Linux architectures as in tags and in target triples.
const LINUX: [(&str, &str); 8] = [
    ("x86_64", "x86_64"),
    ("aarch64", "aarch64"),
    ("i686", "i686"),
    ("armv7l", "armv7"),
    ("ppc64le", "powerpc64le"),
    ("s390x", "s390x"),
    ("riscv64", "riscv64gc"),
    ("loongarch64", "loongarch64"),
];
/// Linux architectures that occur in tags only.
const RARE_LINUX: [&str; 3] = ["armv6l", "armv8l", "ppc64"];
const MACOS: [&str; 9] = ["arm64", "x86_64", "universal2", "intel", "i386", "universal", "fat64", "fat3", "fat"];
const WINDOWS: [&str; 3] = ["amd64", "arm64", "win32"];
const IOS: [&str; 3] = ["arm64_iphoneos", "arm64_iphonesimulator", "x86_64_iphonesimulator"];
const ANDROID: [&str; 4] = ["arm64_v8a", "armeabi_v7a", "x86_64", "x86"];

impl FromStr for Platform {
    type Err = TargetError;

    /// Parses a wheel tag (`manylinux_2_28_x86_64`), a short name (`linux-x86_64`), a triple
    /// (`x86_64-unknown-linux-gnu`), or uv's mixture (`x86_64-manylinux_2_28`).
    fn from_str(text: &str) -> Result<Self, TargetError> {
        let lower = text.trim().to_ascii_lowercase();
        let named = || fixed_names().into_iter().find_map(|(name, platform)| (name == lower).then_some(platform));
        let mixed = || {
            let (architecture, tag) = lower.split_once("-manylinux")?;
            usable_tag(&format!("manylinux{tag}_{architecture}"))
        };
        usable_tag(&lower)
            .or_else(named)
            .or_else(mixed)
            .ok_or_else(|| TargetError::Platform { given: text.to_owned(), nearest: nearest(&lower) })
    }
}

/// Returns the platform of a tag with a known architecture.
fn usable_tag(tag: &str) -> Option<Platform> {
    let platform = Platform::of_tag(tag);
    let known: &[&str] = match platform.system {
        System::Manylinux(Release(2, _)) | System::Musllinux(Release(1, _)) | System::Linux => {
            let is_known = LINUX.iter().map(|(name, _)| *name).chain(RARE_LINUX).any(|a| a == &*platform.architecture);
            return is_known.then_some(platform);
        }
        System::Macos(Release(10.., _)) => &MACOS,
        System::Windows => &WINDOWS,
        System::Ios(_) => &IOS,
        System::Android(_) => &ANDROID,
        System::Macos(_) | System::Manylinux(_) | System::Musllinux(_) | System::Other => &[],
    };
    known.contains(&&*platform.architecture).then_some(platform)
}

/// Returns every short name and triple.
fn fixed_names() -> Vec<(String, Platform)> {
    let mut names = linux_names();
    let mut add = |platform: Platform, spellings: &[&str]| {
        names.extend(spellings.iter().map(|name| ((*name).to_owned(), platform.clone())));
    };
    let macos = |architecture| Platform::new(System::Macos(USUAL_MACOS), architecture);
    let windows = |architecture| Platform::new(System::Windows, architecture);
    add(macos("arm64"), &["macos-arm64", "macos-aarch64", "macos", "aarch64-apple-darwin", "arm64-apple-darwin"]);
    add(macos("x86_64"), &["macos-x86_64", "x86_64-apple-darwin"]);
    add(windows("amd64"), &["windows-x86_64", "windows-amd64", "windows", "x86_64-pc-windows-msvc"]);
    add(windows("arm64"), &["windows-arm64", "windows-aarch64", "aarch64-pc-windows-msvc"]);
    add(windows("win32"), &["windows-x86", "windows-i686", "i686-pc-windows-msvc"]);
    names
}

fn linux_names() -> Vec<(String, Platform)> {
    let mut names = Vec::new();
    for (architecture, triple) in LINUX {
        let abi = if architecture == "armv7l" { "eabihf" } else { "" };
        let glibc = Platform::new(System::Manylinux(USUAL_GLIBC), architecture);
        let musl = Platform::new(System::Musllinux(USUAL_MUSL), architecture);
        names.push((format!("linux-{architecture}"), glibc.clone()));
        names.push((format!("{triple}-unknown-linux-gnu{abi}"), glibc.clone()));
        names.push((format!("linux-{architecture}-musl"), musl.clone()));
        names.push((format!("{triple}-unknown-linux-musl{abi}"), musl.clone()));
        let other_name = match architecture {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            _ => continue,
        };
        names.push((format!("linux-{other_name}"), glibc));
        names.push((format!("linux-{other_name}-musl"), musl));
    }
    names.push(("linux".to_owned(), Platform::new(System::Manylinux(USUAL_GLIBC), "x86_64")));
    names
}

impl Platform {
    /// Returns the full name for a short one without an architecture, such as `linux`.
    pub fn full_name(text: &str) -> Option<&'static str> {
        match text.trim().to_ascii_lowercase().as_str() {
            "linux" => Some("linux-x86_64"),
            "macos" => Some("macos-arm64"),
            "windows" => Some("windows-x86_64"),
            _ => None,
        }
    }
}

/// Names of platforms in other tools, with the accepted ones.
const NICKNAMES: [(&[&str], &str); 8] = [
    (&["mac", "macosx", "osx", "darwin", "apple", "osx-arm64", "darwin-arm64"], "macos-arm64"),
    (&["osx-64", "darwin-amd64", "darwin-x86_64"], "macos-x86_64"),
    (&["win", "win64", "win-64", "windows64", "windows/amd64", "x64"], "windows-x86_64"),
    (&["win-arm64", "windows/arm64"], "windows-arm64"),
    (&["win-32", "windows32"], "windows-x86"),
    (&["alpine", "musl", "linux-musl", "musllinux"], "linux-x86_64-musl"),
    (
        &[
            "linux64",
            "linux-64",
            "linux/amd64",
            "linux-gnu",
            "manylinux",
            "debian",
            "ubuntu",
            "fedora",
            "rhel",
            "centos",
        ],
        "linux-x86_64",
    ),
    (&["linux/arm64", "linux-arm"], "linux-aarch64"),
];

/// Returns the accepted spelling that `text` means, or is most like, if any.
fn nearest(text: &str) -> Option<String> {
    if let Some((_, meant)) = NICKNAMES.iter().find(|(names, _)| names.contains(&text)) {
        return Some((*meant).to_owned());
    }
    let names = fixed_names().into_iter().flat_map(|(name, platform)| [name, platform.to_string()]);
    let (distance, name) = names.map(|name| (strsim::osa_distance(text, &name), name)).min()?;
    (distance <= name.len() / 3).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_understood() {
        for (text, tag) in [
            ("manylinux_2_28_x86_64", "manylinux_2_28_x86_64"),
            ("manylinux2014_aarch64", "manylinux_2_17_aarch64"),
            ("manylinux1_i686", "manylinux_2_5_i686"),
            ("macosx_12_0_arm64", "macosx_12_0_arm64"),
            ("macosx_10_9_universal2", "macosx_10_9_universal2"),
            ("win_amd64", "win_amd64"),
            ("win32", "win32"),
            ("musllinux_1_2_aarch64", "musllinux_1_2_aarch64"),
            ("linux_x86_64", "linux_x86_64"),
            ("linux-x86_64", "manylinux_2_28_x86_64"),
            ("Linux-ARM64", "manylinux_2_28_aarch64"),
            ("linux-x86_64-musl", "musllinux_1_2_x86_64"),
            ("macos-arm64", "macosx_13_0_arm64"),
            ("macos-x86_64", "macosx_13_0_x86_64"),
            ("windows-x86_64", "win_amd64"),
            ("windows-arm64", "win_arm64"),
            ("x86_64-unknown-linux-gnu", "manylinux_2_28_x86_64"),
            ("armv7-unknown-linux-gnueabihf", "manylinux_2_28_armv7l"),
            ("x86_64-unknown-linux-musl", "musllinux_1_2_x86_64"),
            ("aarch64-apple-darwin", "macosx_13_0_arm64"),
            ("x86_64-pc-windows-msvc", "win_amd64"),
            ("x86_64-manylinux_2_31", "manylinux_2_31_x86_64"),
            ("aarch64-manylinux2014", "manylinux_2_17_aarch64"),
            ("ios_13_0_arm64_iphoneos", "ios_13_0_arm64_iphoneos"),
        ] {
            assert_eq!(text.parse::<Platform>().unwrap().to_string(), tag, "{text}");
        }
    }

    #[test]
    fn what_is_meant_by_a_short_or_foreign_name_is_a_name() {
        let short = ["linux", "macos", "windows"].map(|name| (name, Platform::full_name(name).unwrap()));
        for (name, full) in short {
            assert_eq!(name.parse::<Platform>(), full.parse(), "{name}");
        }
        for (names, meant) in NICKNAMES {
            assert!(meant.parse::<Platform>().is_ok(), "{meant}");
            assert!(names.iter().all(|name| name.parse::<Platform>().is_err()), "{names:?}");
        }
    }

    #[test]
    fn typing_errors_are_named_with_their_likeness() {
        for (text, likeness) in [
            ("linux-x86-64", Some("linux-x86_64")),
            ("manylinux_2_28_x86-64", Some("manylinux_2_28_x86_64")),
            ("win-amd64", Some("win_amd64")),
            ("macos-amr64", Some("macos-arm64")),
            ("x86_64-unknow-linux-gnu", Some("x86_64-unknown-linux-gnu")),
            ("mac", Some("macos-arm64")),
            ("Darwin", Some("macos-arm64")),
            ("win64", Some("windows-x86_64")),
            ("alpine", Some("linux-x86_64-musl")),
            ("linux-musl", Some("linux-x86_64-musl")),
            ("linux/arm64", Some("linux-aarch64")),
            ("solaris", None),
            ("", None),
        ] {
            let Err(TargetError::Platform { given, nearest }) = text.parse::<Platform>() else {
                panic!("{text} was taken");
            };
            assert_eq!((given.as_str(), nearest.as_deref()), (text, likeness));
        }
    }
}
