//! Target specifications: what the user states about a target, completed by the interpreter's own.

use super::{Target, TargetError};
use crate::domain::{Implementation, Platform, Python, PythonVersion};

/// What the user states about a target; missing parts come from the base target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetSpec {
    /// `--python-version`.
    pub python: Option<PythonVersion>,
    /// `--platform`.
    pub platform: Option<Platform>,
    /// `--implementation`.
    pub implementation: Option<Implementation>,
    /// `--abi`, best first; empty means the usual ones.
    pub abis: Vec<Box<str>>,
}

impl TargetSpec {
    /// Returns every Python on every platform.
    pub fn product(
        pythons: &[PythonVersion],
        platforms: &[Platform],
        implementation: Option<&Implementation>,
        abis: &[Box<str>],
    ) -> Vec<Self> {
        let spec = |python: &Option<PythonVersion>, platform: &Option<Platform>| Self {
            python: python.clone(),
            platform: platform.clone(),
            implementation: implementation.cloned(),
            abis: abis.to_vec(),
        };
        let (pythons, platforms) = (given_or_none(pythons), given_or_none(platforms));
        pythons.iter().flat_map(|python| platforms.iter().map(move |platform| spec(python, platform))).collect()
    }

    /// Parses `3.11:windows-x86_64`, or a target's name such as `cp311-win_amd64`; `None` for text
    /// of another form, such as a path.
    ///
    /// # Errors
    /// When a version is followed by a colon and no platform.
    pub fn of_name(text: &str) -> Option<Result<Self, TargetError>> {
        if let Some((python, platform)) = text.split_once(':') {
            let python = named_python(python)?;
            return Some(platform.parse().map(|platform| Self::of_pair(python, platform)));
        }
        let (python, tag) = text.split_once('-')?;
        let is_name = python.starts_with(|first: char| first.is_ascii_alphabetic());
        Some(Ok(Self::of_pair(named_python(python).filter(|_| is_name)?, tag.parse().ok()?)))
    }

    fn of_pair((implementation, python): (Option<Implementation>, PythonVersion), platform: Platform) -> Self {
        Self { python: Some(python), platform: Some(platform), implementation, abis: Vec::new() }
    }

    /// Whether it needs no base target.
    pub fn is_complete(&self) -> bool {
        self.python.is_some() && self.platform.is_some()
    }

    /// Returns the target; `base` is that of the interpreter.
    ///
    /// # Errors
    /// When neither this nor `base` says enough; the error names what is missing.
    pub fn resolve(&self, base: Option<&Target>) -> Result<Target, TargetError> {
        if *self == Self::default() {
            return base.cloned().ok_or(TargetError::NothingKnown);
        }
        let platform = self.platform.as_ref().or_else(|| base.map(Target::platform)).ok_or(TargetError::NoPlatform)?;
        let python = self.python(platform, base)?;
        match (&self.platform, base) {
            (None, Some(base)) => Ok(base.with_python(python)),
            _ => Ok(Target::foreign(python, platform.clone())),
        }
    }

    fn python(&self, platform: &Platform, base: Option<&Target>) -> Result<Python, TargetError> {
        let base = base.map(|base| &base.python);
        let asked = self.implementation.clone().or_else(|| base.map(|base| base.implementation.clone()));
        let implementation = asked.unwrap_or(Implementation::CPython);
        let wanted = self.python.clone().or_else(|| base.map(version_of)).ok_or(TargetError::NoPythonVersion)?;
        let kept = base.filter(|base| self.python.is_none() && base.implementation == implementation);
        if !self.abis.is_empty() {
            return Ok(Python { implementation, version: wanted.version, abis: self.abis.clone() });
        }
        match kept {
            Some(base) if implementation != Implementation::CPython => Ok(base.clone()),
            _ => Python::usual(implementation, &wanted, platform),
        }
    }
}

/// Parses `3.11`, `cp311` or `pp3.10`.
fn named_python(text: &str) -> Option<(Option<Implementation>, PythonVersion)> {
    let letters = text.find(|character: char| character.is_ascii_digit())?;
    let (prefix, version) = text.split_at(letters);
    let implementation = if prefix.is_empty() { None } else { Some(prefix.parse().ok()?) };
    Some((implementation, version.parse().ok()?))
}

fn given_or_none<T: Clone>(given: &[T]) -> Vec<Option<T>> {
    if given.is_empty() { vec![None] } else { given.iter().cloned().map(Some).collect() }
}

fn version_of(python: &Python) -> PythonVersion {
    PythonVersion { version: python.version.clone(), free_threaded: python.is_free_threaded() }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{mac, spec};
    use super::*;
    use crate::domain::{HasRemedy, Remedy};

    #[test]
    fn what_is_left_out_is_the_base_target_s() {
        let base = mac("cp", "3.11.7");
        let id = |implementation, python, platform| {
            spec(implementation, python, platform).resolve(Some(&base)).unwrap().id().to_owned()
        };
        assert_eq!(id(None, None, None), "cp311-macosx_14_0_arm64");
        assert_eq!(id(None, Some("3.9"), None), "cp39-macosx_14_0_arm64");
        assert_eq!(id(None, None, Some("win_amd64")), "cp311-win_amd64");
        assert_eq!(id(Some("pp"), None, Some("linux-x86_64")), "pp311-manylinux_2_28_x86_64");
        assert_eq!(id(None, Some("3.13t"), Some("linux-x86_64")), "cp313t-manylinux_2_28_x86_64");
        let threads = mac("cp", "3.13t");
        let target = spec(None, None, Some("windows-x86_64")).resolve(Some(&threads)).unwrap();
        assert_eq!(target.id(), "cp313t-win_amd64");
    }

    #[test]
    fn the_machine_s_own_markers_stay_with_its_platform_only() {
        let base = mac("cp", "3.11.7");
        let older = spec(None, Some("3.9"), None).resolve(Some(&base)).unwrap();
        assert_eq!(older.markers().platform_release(), "23.5.0");
        assert_eq!(older.markers().python_full_version().string, "3.9.0");
        let elsewhere = spec(None, None, Some("linux-x86_64")).resolve(Some(&base)).unwrap();
        assert_eq!(elsewhere.markers().platform_release(), "");
        assert_eq!(elsewhere.python().to_string(), "3.11.7");
        let plan9 = Target::of_machine(base.python, Platform::of_tag("plan9_mips"), base.markers.with_os_name("plan9"));
        let older = spec(None, Some("2.7"), None).resolve(Some(&plan9)).unwrap();
        assert_eq!(
            (older.markers().os_name(), older.markers().implementation_version().string.as_str()),
            ("plan9", "0")
        );
    }

    #[test]
    fn pypy_keeps_the_abi_it_reports() {
        let mut base = mac("pp", "3.10");
        base.python.abis = vec!["pypy310_pp99".into()];
        let target = spec(None, None, Some("win_amd64")).resolve(Some(&base)).unwrap();
        assert!(target.tags().iter().any(|tag| tag.abi == "pypy310_pp99" && tag.platform == "win_amd64"));
    }

    #[test]
    fn pairs_and_names_are_told_from_paths() {
        let id = |text| TargetSpec::of_name(text)?.ok()?.resolve(None).ok().map(|target| target.id().to_owned());
        for (text, expected) in [
            ("3.11:windows-x86_64", "cp311-win_amd64"),
            ("3.13t:linux-x86_64-musl", "cp313t-musllinux_1_2_x86_64"),
            ("pp310:linux", "pp310-manylinux_2_28_x86_64"),
            ("cp311-win_amd64", "cp311-win_amd64"),
            ("cp313t-macosx_13_0_arm64", "cp313t-macosx_13_0_arm64"),
        ] {
            assert_eq!(id(text).as_deref(), Some(expected), "{text}");
        }
        for path in ["server.json", "C:\\server.json", "3.11", "3.11-win_amd64", "cp311-server.json", "./3.11:linux"] {
            assert!(TargetSpec::of_name(path).is_none(), "{path}");
        }
        assert!(TargetSpec::of_name("3.11:windos").unwrap().is_err());
    }

    #[test]
    fn without_a_base_the_remedy_is_what_is_missing() {
        let remedy = |python, platform| spec(None, python, platform).resolve(None).unwrap_err().remedy();
        assert_eq!(remedy(Some("3.9"), None), Some(Remedy::GivePlatform));
        assert_eq!(remedy(None, Some("win32")), Some(Remedy::GivePythonVersion));
        assert_eq!(remedy(None, None), Some(Remedy::GiveTarget));
    }
}
