//! A Python as wheel tags see it: implementation, version and ABIs.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::platform::{Platform, System};
use super::{TargetError, Version};

/// Who made the interpreter; what `--implementation` names. Kept as [`Implementation::prefix`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Implementation {
    CPython,
    PyPy,
    GraalPy,
    /// Any other, by what its tags begin with: `py` (pip's word for "any"), `jy`, `ip`.
    Other(Box<str>),
}

impl Implementation {
    /// What its wheel tags begin with.
    pub fn prefix(&self) -> &str {
        match self {
            Self::CPython => "cp",
            Self::PyPy => "pp",
            Self::GraalPy => "graalpy",
            Self::Other(prefix) => prefix,
        }
    }

    /// The marker `implementation_name`, which is what `sys.implementation.name` holds.
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

    /// The marker `platform_python_implementation`, as the `platform` module says it.
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
    /// The implementation that calls itself `name`; one without a reserved prefix keeps its name.
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

    /// Takes pip's two letters and the names in full.
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
/// Without a patch it means `.0`, as for uv and for pip's `Requires-Python`; the patch of the
/// running interpreter does not leak in, so the answer is the same on every machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PythonVersion {
    /// Three numbers, and maybe a pre-release.
    pub version: Version,
    /// Built without the global interpreter lock (PEP 703).
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

/// One interpreter: what decides the first two parts of the tags it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Python {
    pub implementation: Implementation,
    /// The full version.
    pub version: Version,
    /// What extension modules it loads, best first: `cp312`; `abi3` and `none` need no mention.
    pub abis: Vec<Box<str>>,
}

impl Python {
    /// The usual build of `wanted` for `platform`.
    ///
    /// # Errors
    /// GraalPy's ABI names a release that its Python version does not tell.
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

    /// Whether it is a free-threaded CPython, which takes `abi3t` for `abi3` (PEP 803).
    pub fn is_free_threaded(&self) -> bool {
        self.flags().contains('t')
    }

    /// `cp312`, `cp313t`, `pp310`: its part of a target's name.
    pub fn short_name(&self) -> String {
        format!("{}{}", self.tag(), self.kind_of_build())
    }

    /// `cp3.12.4`, `cp3.13.0t`: the same with the full version.
    pub fn full_name(&self) -> String {
        format!("{}{}{}", self.implementation.prefix(), self.version, self.kind_of_build())
    }

    /// Pairs of Python and ABI tag for wheels that are bound to a platform, best first.
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

    /// Python tags for wheels that run on any platform, best first; their ABI is `none`. pip begins
    /// with its own tag on every implementation (`pp310`), where `packaging` alone says `pp3` for PyPy.
    pub fn portable_tags(&self) -> Vec<String> {
        [self.tag()].into_iter().chain(self.generic_tags()).collect()
    }

    /// Major and minor.
    pub(super) fn numbers(&self) -> (u64, u64) {
        numbers(&self.version)
    }

    /// `cp312`.
    fn tag(&self) -> String {
        let (major, minor) = self.numbers();
        format!("{}{major}{minor}", self.implementation.prefix())
    }

    /// The letters behind the version in CPython's ABI: `t`, `d`, `m`, `mu`.
    fn flags(&self) -> &str {
        let abi = self.abis.first().and_then(|abi| abi.strip_prefix("cp"));
        abi.map(|abi| abi.trim_start_matches(|c: char| c.is_ascii_digit())).unwrap_or_default()
    }

    /// `t` for free-threaded, `d` for debug.
    fn kind_of_build(&self) -> String {
        self.flags().replace(['m', 'u'], "")
    }

    fn specific_abis(&self) -> impl Iterator<Item = &str> {
        let is_specific = |abi: &&str| !matches!(*abi, "none" | "abi3") && Some(*abi) != self.stable_abi();
        self.abis.iter().map(|abi| &**abi).filter(is_specific)
    }

    /// The ABI that outlives a minor version (PEP 384, PEP 803).
    fn stable_abi(&self) -> Option<&'static str> {
        let has_one = self.implementation == Implementation::CPython && self.numbers() >= (3, 2);
        has_one.then_some(if self.is_free_threaded() { "abi3t" } else { "abi3" })
    }

    /// `py312`, `py3`, `py311` … `py30`.
    fn generic_tags(&self) -> impl Iterator<Item = String> + use<> {
        let (major, minor) = self.numbers();
        let older = (0..minor).rev().map(move |older| format!("py{major}{older}"));
        [format!("py{major}{minor}"), format!("py{major}")].into_iter().chain(older)
    }
}

/// What old CPythons add to their ABI: `m` for its own allocator, and `u` for four-byte
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

/// Major and minor; 0 for one that is left out.
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
