//! A Python by what matters for wheel tags: implementation, version and ABIs.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::platform::{Platform, System};
use super::{TargetError, Version};

/// The implementation of an interpreter, as `--implementation` names it; stored as
/// [`Implementation::prefix`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Implementation {
    CPython,
    PyPy,
    GraalPy,
    /// Any other, by the prefix of its tags: `py` (pip's word for "any"), `jy`, `ip`.
    Other(Box<str>),
}

impl Implementation {
    /// Returns the prefix of its wheel tags.
    pub fn prefix(&self) -> &str {
        match self {
            Self::CPython => "cp",
            Self::PyPy => "pp",
            Self::GraalPy => "graalpy",
            Self::Other(prefix) => prefix,
        }
    }

    /// Returns the value of the marker `implementation_name`, which is `sys.implementation.name`.
    pub fn name(&self) -> &str {
        match self {
            Self::CPython => "cpython",
            Self::PyPy => "pypy",
            Self::GraalPy => "graalpy",
            Self::Other(prefix) => match &**prefix {
                "py" => "cpython",
                "jy" => "jython",
                "ip" => "ironpython",
                other => other,
            },
        }
    }

    /// Returns the value of the marker `platform_python_implementation`, as in the `platform`
    /// module.
    pub fn title(&self) -> &str {
        match self.name() {
            "cpython" => "CPython",
            "pypy" => "PyPy",
            "graalpy" => "GraalVM",
            "jython" => "Jython",
            "ironpython" => "IronPython",
            other => other,
        }
    }
}

impl From<String> for Implementation {
    /// Returns the implementation called `name`; one without a reserved prefix keeps its name.
    fn from(name: String) -> Self {
        name.parse().unwrap_or_else(|_| Self::Other(name.into()))
    }
}

impl From<Implementation> for String {
    fn from(implementation: Implementation) -> Self {
        implementation.prefix().to_owned()
    }
}

impl FromStr for Implementation {
    type Err = TargetError;

    /// Parses pip's two letters and the full names.
    fn from_str(text: &str) -> Result<Self, TargetError> {
        Ok(match text.to_ascii_lowercase().as_str() {
            "cp" | "cpython" => Self::CPython,
            "pp" | "pypy" => Self::PyPy,
            "graalpy" => Self::GraalPy,
            "py" => Self::Other("py".into()),
            "jy" | "jython" => Self::Other("jy".into()),
            "ip" | "ironpython" => Self::Other("ip".into()),
            _ => return Err(TargetError::Implementation(text.to_owned())),
        })
    }
}

/// A value of `--python-version`: `39`, `3.9`, `3.9.1`, `3.13t`, `3.15.0b1`.
///
/// Without a patch release it means `.0`, as in uv and for pip's `Requires-Python`; the patch
/// release of the running interpreter has no influence, so that the result is the same on every
/// machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PythonVersion {
    /// The version with three numbers, maybe a pre-release.
    pub version: Version,
    /// Whether it is built without the global interpreter lock (PEP 703).
    pub free_threaded: bool,
}

impl FromStr for PythonVersion {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let wrong = || TargetError::PythonVersion(text.to_owned());
        let free_threaded = text.ends_with('t');
        let numbers = text.strip_suffix('t').unwrap_or(text);
        let dotted = match numbers.split_at_checked(1) {
            Some((major, minor)) if !minor.is_empty() && !numbers.contains('.') => format!("{major}.{minor}"),
            _ => numbers.to_owned(),
        };
        let version: Version = dotted.parse().map_err(|_| wrong())?;
        let is_plain = version.epoch() == 0 && !version.is_post() && !version.is_dev() && !version.is_local();
        let &[major @ 2..=9, minor @ 0..=99, ref patch @ ..] = version.release() else { return Err(wrong()) };
        if !is_plain || patch.len() > 1 || (free_threaded && (major, minor) < (3, 13)) {
            return Err(wrong());
        }
        let patch = patch.first().copied().unwrap_or(0);
        Ok(Self { version: version.with_release([major, minor, patch]), free_threaded })
    }
}

/// An interpreter by what decides the Python and ABI parts of its tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Python {
    pub implementation: Implementation,
    /// The full version.
    pub version: Version,
    /// The ABIs of its extension modules, best first, such as `cp312`; `abi3` and `none` are
    /// implied.
    pub abis: Vec<Box<str>>,
}

impl Python {
    /// Returns the usual build of `wanted` for `platform`.
    ///
    /// # Errors
    /// When it is GraalPy, whose ABI names a release that its Python version does not imply.
    pub fn usual(
        implementation: Implementation,
        wanted: &PythonVersion,
        platform: &Platform,
    ) -> Result<Self, TargetError> {
        let (major, minor) = numbers(&wanted.version);
        let abi = match implementation {
            Implementation::CPython => {
                let threads = if wanted.free_threaded { "t" } else { "" };
                Some(format!("cp{major}{minor}{threads}{}", old_flags((major, minor), platform)))
            }
            Implementation::PyPy => Some(format!("pypy{major}{minor}_pp73")),
            Implementation::GraalPy => return Err(TargetError::GraalPyAbi),
            Implementation::Other(_) => None,
        };
        let abis = abi.into_iter().map(String::into_boxed_str).collect();
        Ok(Self { implementation, version: wanted.version.clone(), abis })
    }

    /// Whether it is a free-threaded CPython, which supports `abi3t` instead of `abi3` (PEP 803).
    pub fn is_free_threaded(&self) -> bool {
        self.flags().contains('t')
    }

    /// Returns its part of a target's name, such as `cp312`, `cp313t` or `pp310`.
    pub fn short_name(&self) -> String {
        format!("{}{}", self.tag(), self.kind_of_build())
    }

    /// Returns its name with the full version, such as `cp3.12.4` or `cp3.13.0t`.
    pub fn full_name(&self) -> String {
        format!("{}{}{}", self.implementation.prefix(), self.version, self.kind_of_build())
    }

    /// Returns the pairs of Python and ABI tag for wheels that depend on a platform, best first.
    pub fn bound_tags(&self) -> Vec<(String, String)> {
        let own = self.tag();
        let mut tags: Vec<_> = self.specific_abis().map(|abi| (own.clone(), abi.to_owned())).collect();
        let stable = self.stable_abi();
        tags.extend(stable.map(|abi| (own.clone(), abi.to_owned())));
        tags.push((own, "none".to_owned()));
        let (major, minor) = self.numbers();
        if let Some(abi) = stable {
            tags.extend((2..minor).rev().map(|older| (format!("cp{major}{older}"), abi.to_owned())));
        }
        tags.extend(self.generic_tags().map(|python| (python, "none".to_owned())));
        tags
    }

    /// Returns the Python tags for wheels without an ABI that run on any platform, best first.
    ///
    /// pip begins with its own tag on every implementation (`pp310`), where `packaging` alone has
    /// `pp3` for PyPy.
    pub fn portable_tags(&self) -> Vec<String> {
        [self.tag()].into_iter().chain(self.generic_tags()).collect()
    }

    /// Returns the major and minor version.
    pub(super) fn numbers(&self) -> (u64, u64) {
        numbers(&self.version)
    }

    /// Returns its Python tag, such as `cp312`.
    fn tag(&self) -> String {
        let (major, minor) = self.numbers();
        format!("{}{major}{minor}", self.implementation.prefix())
    }

    /// Returns the letters after the version in CPython's ABI: `t`, `d`, `m`, `mu`.
    fn flags(&self) -> &str {
        let abi = self.abis.first().and_then(|abi| abi.strip_prefix("cp"));
        abi.map(|abi| abi.trim_start_matches(|c: char| c.is_ascii_digit())).unwrap_or_default()
    }

    /// Returns `t` for free-threaded, `d` for debug builds.
    fn kind_of_build(&self) -> String {
        self.flags().replace(['m', 'u'], "")
    }

    fn specific_abis(&self) -> impl Iterator<Item = &str> {
        let is_specific = |abi: &&str| !matches!(*abi, "none" | "abi3") && Some(*abi) != self.stable_abi();
        self.abis.iter().map(|abi| &**abi).filter(is_specific)
    }

    /// Returns the stable ABI, which does not change with minor versions (PEP 384, PEP 803).
    fn stable_abi(&self) -> Option<&'static str> {
        let has_one = self.implementation == Implementation::CPython && self.numbers() >= (3, 2);
        has_one.then_some(if self.is_free_threaded() { "abi3t" } else { "abi3" })
    }

    /// Returns the generic tags `py312`, `py3`, `py311` … `py30`.
    fn generic_tags(&self) -> impl Iterator<Item = String> + use<> {
        let (major, minor) = self.numbers();
        let older = (0..minor).rev().map(move |older| format!("py{major}{older}"));
        [format!("py{major}{minor}"), format!("py{major}")].into_iter().chain(older)
    }
}

/// Returns the ABI flags of old CPythons: `m` for its own allocator, and `u` for four-byte
/// characters, which Linux had before 3.3 made them universal.
fn old_flags(version: (u64, u64), platform: &Platform) -> &'static str {
    let is_linux = matches!(platform.system, System::Manylinux(_) | System::Musllinux(_) | System::Linux);
    match version {
        (3, 8..) => "",
        (3, 3..) => "m",
        _ if is_linux => "mu",
        _ => "m",
    }
}

/// Returns the major and minor version, 0 for a missing one.
fn numbers(version: &Version) -> (u64, u64) {
    let release = version.release();
    (release.first().copied().unwrap_or(0), release.get(1).copied().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_in_every_spelling() {
        for (text, version, free_threaded) in [
            ("39", "3.9.0", false),
            ("310", "3.10.0", false),
            ("3.9", "3.9.0", false),
            ("3.9.1", "3.9.1", false),
            ("3.13t", "3.13.0", true),
            ("313t", "3.13.0", true),
            ("3.15.0b1", "3.15.0b1", false),
            ("2.7", "2.7.0", false),
        ] {
            let expected = PythonVersion { version: version.parse().unwrap(), free_threaded };
            let got: PythonVersion = text.parse().unwrap();
            assert_eq!(got, expected, "{text}");
            assert_eq!(got.version.to_string(), version, "{text}");
        }
    }

    #[test]
    fn what_is_no_python_version() {
        for text in
            ["", "3", "t", "3.", "3.9.1.2", "3.9.post1", "3.9+l", "1!3.9", "3.12t", "python3", "3.x", "0.9", "é"]
        {
            assert!(text.parse::<PythonVersion>().is_err(), "{text} was taken");
        }
    }
}
