//! Platforms: the system and architecture of a target, and the platform tags that it supports.

mod spelling;

use std::fmt;

use serde::{Deserialize, Serialize};

/// A release of glibc, of musl or of an operating system, such as `2.28`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SystemVersion(pub u16, pub u16);

impl fmt::Display for SystemVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// An operating system, with the newest release that the machine supports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum System {
    /// Linux with glibc (PEP 600).
    Manylinux(SystemVersion),
    /// Linux with musl (PEP 656).
    Musllinux(SystemVersion),
    /// Linux with an unknown C library.
    Linux,
    Macos(SystemVersion),
    Windows,
    Ios(SystemVersion),
    /// Android, with the API level.
    Android(u16),
    /// Another system, of which only the tag is known.
    Other,
}

/// The platform of a target; printed and stored as its newest wheel tag.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Platform {
    pub system: System,
    /// The architecture as wheel tags spell it: `x86_64`, `aarch64`, `arm64`, `amd64`, `win32`; for
    /// [`System::Other`] the whole tag.
    pub architecture: Box<str>,
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let architecture = &self.architecture;
        match self.system {
            System::Manylinux(SystemVersion(major, minor)) => write!(f, "manylinux_{major}_{minor}_{architecture}"),
            System::Musllinux(SystemVersion(major, minor)) => write!(f, "musllinux_{major}_{minor}_{architecture}"),
            System::Linux => write!(f, "linux_{architecture}"),
            System::Macos(SystemVersion(major, minor)) => write!(f, "macosx_{major}_{minor}_{architecture}"),
            System::Windows if &**architecture == "win32" => f.write_str("win32"),
            System::Windows => write!(f, "win_{architecture}"),
            System::Ios(SystemVersion(major, minor)) => write!(f, "ios_{major}_{minor}_{architecture}"),
            System::Android(level) => write!(f, "android_{level}_{architecture}"),
            System::Other => f.write_str(architecture),
        }
    }
}

impl From<String> for Platform {
    fn from(tag: String) -> Self {
        Self::of_tag(&tag)
    }
}

impl From<Platform> for String {
    fn from(platform: Platform) -> Self {
        platform.to_string()
    }
}

/// The old names of some glibc releases (PEP 513, 571, 599).
const LEGACY_MANYLINUX: [(SystemVersion, &str); 3] = [
    (SystemVersion(2, 17), "manylinux2014"),
    (SystemVersion(2, 12), "manylinux2010"),
    (SystemVersion(2, 5), "manylinux1"),
];

impl Platform {
    pub fn new(system: System, architecture: &str) -> Self {
        Self { system, architecture: architecture.into() }
    }

    /// Parses a wheel's platform tag; an unknown one is [`System::Other`].
    pub fn of_tag(tag: &str) -> Self {
        known_tag(tag).unwrap_or_else(|| Self::new(System::Other, tag))
    }

    /// Returns every platform tag that fits, best first, in the order of the `packaging` library
    /// 26.3.
    pub fn tags(&self) -> Vec<String> {
        match self.system {
            System::Manylinux(release) => self.linux_tags(|architecture| manylinux_tags(release, architecture)),
            System::Musllinux(release) => self.linux_tags(|architecture| musllinux_tags(release, architecture)),
            System::Linux => self.linux_tags(|_| Vec::new()),
            System::Macos(release) => macos_tags(release, &self.architecture),
            System::Ios(release) => ios_tags(release, &self.architecture),
            System::Android(level) => {
                (16..=level).rev().map(|level| format!("android_{level}_{}", self.architecture)).collect()
            }
            System::Windows | System::Other => vec![self.to_string()],
        }
    }

    fn linux_tags(&self, newest_first: impl Fn(&str) -> Vec<String>) -> Vec<String> {
        let architectures = match &*self.architecture {
            "armv8l" => vec!["armv8l", "armv7l"],
            only => vec![only],
        };
        let plain = architectures.iter().map(|architecture| format!("linux_{architecture}"));
        plain.chain(architectures.iter().flat_map(|architecture| newest_first(architecture))).collect()
    }

    /// Returns the value of the marker `sys_platform`.
    pub fn sys_platform(&self) -> &str {
        match self.system {
            System::Manylinux(_) | System::Musllinux(_) | System::Linux => "linux",
            System::Macos(_) => "darwin",
            System::Windows => "win32",
            System::Ios(_) => "ios",
            System::Android(_) => "android",
            System::Other => self.architecture.split('_').next().unwrap_or_default(),
        }
    }

    /// Returns the value of the marker `platform_system`.
    pub fn platform_system(&self) -> &str {
        match self.system {
            System::Manylinux(_) | System::Musllinux(_) | System::Linux => "Linux",
            System::Macos(_) => "Darwin",
            System::Windows => "Windows",
            System::Ios(_) => "iOS",
            System::Android(_) => "Android",
            System::Other => "",
        }
    }

    /// Returns the value of the marker `os_name`.
    pub fn os_name(&self) -> &'static str {
        if self.system == System::Windows { "nt" } else { "posix" }
    }

    /// Returns the value of the marker `platform_machine`, the system's own name for the
    /// architecture.
    ///
    /// For a tag of several architectures it is the newest of them.
    pub fn platform_machine(&self) -> &str {
        match (self.system, &*self.architecture) {
            (System::Windows, "amd64") => "AMD64",
            (System::Windows, "arm64") => "ARM64",
            (System::Windows, "win32") => "x86",
            (System::Macos(_), "universal2") => "arm64",
            (System::Macos(_), "intel" | "universal" | "fat64" | "fat3") => "x86_64",
            (System::Ios(_), both) => both.rsplit_once('_').map_or(both, |(architecture, _)| architecture),
            (System::Android(_), "arm64_v8a") => "aarch64",
            (System::Android(_), "armeabi_v7a") => "armv7l",
            (System::Android(_), "x86") => "i686",
            (System::Other, _) => "",
            (_, architecture) => architecture,
        }
    }
}

/// The greatest number of a release that counts as one, far beyond real ones: a platform has a tag for
/// each release before its own.
const LATEST: u16 = 1000;

fn known_tag(tag: &str) -> Option<Platform> {
    if tag == "win32" {
        return Some(Platform::new(System::Windows, tag));
    }
    let (kind, rest) = tag.split_once('_')?;
    if let Some((release, _)) = LEGACY_MANYLINUX.iter().find(|(_, name)| *name == kind) {
        return Some(Platform::new(System::Manylinux(*release), rest));
    }
    let number = |text: &str| text.parse::<u16>().ok().filter(|number| *number <= LATEST);
    let released = |system: fn(SystemVersion) -> System| {
        let (major, rest) = rest.split_once('_')?;
        let (minor, architecture) = rest.split_once('_')?;
        Some(Platform::new(system(SystemVersion(number(major)?, number(minor)?)), architecture))
    };
    match kind {
        "manylinux" => released(System::Manylinux),
        "musllinux" => released(System::Musllinux),
        "macosx" => released(System::Macos),
        "ios" => released(System::Ios),
        "linux" => Some(Platform::new(System::Linux, rest)),
        "win" => Some(Platform::new(System::Windows, rest)),
        "android" => {
            let (level, architecture) = rest.split_once('_')?;
            Some(Platform::new(System::Android(number(level)?), architecture))
        }
        _ => None,
    }
}

/// Returns the tags down to glibc 2.17, and to 2.5 on x86, which has wheels from before that rule.
fn manylinux_tags(SystemVersion(major, newest): SystemVersion, architecture: &str) -> Vec<String> {
    let oldest = if matches!(architecture, "x86_64" | "i686") { 5 } else { 17 };
    let mut tags = Vec::new();
    for minor in (oldest..=newest).rev() {
        tags.push(format!("manylinux_{major}_{minor}_{architecture}"));
        let twin = LEGACY_MANYLINUX.iter().find(|(release, _)| *release == SystemVersion(major, minor));
        tags.extend(twin.map(|(_, name)| format!("{name}_{architecture}")));
    }
    tags
}

fn musllinux_tags(SystemVersion(major, newest): SystemVersion, architecture: &str) -> Vec<String> {
    (0..=newest).rev().map(|minor| format!("musllinux_{major}_{minor}_{architecture}")).collect()
}

/// Returns the tags of macOS releases.
///
/// Before macOS 11 each minor number was a release; since then the major numbers are, with 0 as
/// minor number in tags.
fn macos_tags(newest: SystemVersion, architecture: &str) -> Vec<String> {
    let tags = |release: SystemVersion| {
        let formats = macos_formats(release, architecture).into_iter();
        formats.map(move |format| Platform::new(System::Macos(release), format).to_string())
    };
    if newest.0 <= 10 {
        return (0..=newest.1).rev().flat_map(|minor| tags(SystemVersion(10, minor))).collect();
    }
    let recent = (11..=newest.0).rev().flat_map(|major| tags(SystemVersion(major, 0)));
    let old = (4..=16).rev().map(|minor| SystemVersion(10, minor));
    if architecture == "x86_64" {
        return recent.chain(old.flat_map(tags)).collect();
    }
    // There was no other architecture before 11, but a universal2 file may name the release
    // that its x86_64 half needs.
    let universal2 = old.map(|release| Platform::new(System::Macos(release), "universal2").to_string());
    recent.chain(universal2).collect()
}

/// Returns the binary formats that a Mac of this architecture runs.
fn macos_formats(release: SystemVersion, architecture: &str) -> Vec<&str> {
    let more: &[&str] = match architecture {
        "x86_64" if release < SystemVersion(10, 4) => return Vec::new(),
        "x86_64" => &["intel", "fat64", "fat3", "universal2", "universal"],
        "i386" if release < SystemVersion(10, 4) => return Vec::new(),
        "i386" => &["intel", "fat3", "fat", "universal"],
        "arm64" => &["universal2"],
        "intel" => &["universal"],
        _ => &[],
    };
    [architecture].into_iter().chain(more.iter().copied()).collect()
}

/// Returns the tags down to iOS 12, with minor releases up to 9, as the reference implementation
/// does.
fn ios_tags(SystemVersion(major, minor): SystemVersion, architecture: &str) -> Vec<String> {
    if major < 12 {
        return Vec::new();
    }
    let own = (0..=minor).rev().map(|minor| (major, minor));
    let older = (12..major).rev().flat_map(|major| (0..=9).rev().map(move |minor| (major, minor)));
    own.chain(older).map(|(major, minor)| format!("ios_{major}_{minor}_{architecture}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read_and_printed() {
        for tag in [
            "manylinux_2_28_x86_64",
            "musllinux_1_2_aarch64",
            "linux_armv7l",
            "macosx_10_9_universal2",
            "win32",
            "win_amd64",
            "ios_13_0_arm64_iphoneos",
            "android_24_arm64_v8a",
            "freebsd_14_1_release_amd64",
            "manylinux_2_x86_64",
        ] {
            assert_eq!(Platform::of_tag(tag).to_string(), tag);
        }
        assert_eq!(Platform::of_tag("manylinux2014_x86_64").to_string(), "manylinux_2_17_x86_64");
        assert_eq!(Platform::of_tag("freebsd_14").system, System::Other);
    }

    #[test]
    fn a_release_of_the_far_future_is_no_known_platform() {
        for tag in ["manylinux_2_65535_x86_64", "macosx_65535_0_arm64", "android_65535_x86_64"] {
            assert_eq!(Platform::of_tag(tag).system, System::Other, "{tag}");
            assert!(tag.parse::<Platform>().is_err(), "{tag}");
        }
        assert!(Platform::of_tag("manylinux_2_1000_x86_64").tags().len() < 1100);
    }
}
