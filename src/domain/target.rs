//! What distributions are chosen for: one Python on one platform.

mod description;

use std::sync::Arc;

pub use description::{DescriptionError, TargetDescription};

use super::{
    Implementation, MarkerEnvironment, MarkerEnvironmentBuilder, Platform, Python, PythonVersion, Tags, Version,
};

/// One Python on one platform, with the tags it takes and the values of its markers.
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
    /// A machine as it describes itself, with the tags that are usual there.
    pub fn of_machine(python: Python, platform: Platform, markers: MarkerEnvironment) -> Self {
        let tags = Tags::new(&python, &platform);
        Self::with_tags(python, platform, markers, tags)
    }

    /// A machine that tells its own tags.
    pub fn with_tags(python: Python, platform: Platform, markers: MarkerEnvironment, tags: Tags) -> Self {
        let id = format!("{}-{platform}", python.short_name()).into();
        let release = python.version.only_release();
        Self { id, release, python, platform, tags: Arc::new(tags), markers }
    }

    /// A machine that is not at hand; its markers have the values that are usual there.
    pub fn foreign(python: Python, platform: Platform) -> Self {
        let markers = foreign_markers(&python, &platform);
        Self::of_machine(python, platform, markers)
    }

    /// `cp312-manylinux_2_28_x86_64`: unique within a run, see [`Target::distinct`].
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What `Requires-Python` is compared with: three numbers. As for pip, a pre-release of 3.15
    /// counts as 3.15 here.
    pub fn python(&self) -> &Version {
        &self.release
    }

    /// `3.12`, for the report.
    pub fn python_version(&self) -> &str {
        &self.markers.python_version().string
    }

    /// The newest platform tag that fits, for the report.
    pub fn platform(&self) -> &Platform {
        &self.platform
    }

    pub fn tags(&self) -> &Tags {
        &self.tags
    }

    pub fn markers(&self) -> &MarkerEnvironment {
        &self.markers
    }

    /// The same machine with another Python: what the platform says of itself stays.
    fn with_python(&self, python: Python) -> Self {
        let usual = foreign_markers(&python, &self.platform);
        let machine = self.markers.clone();
        let sys_platform = sys_platform(machine.sys_platform(), &python).to_owned();
        let markers = machine
            .with_implementation_name(usual.implementation_name())
            .with_implementation_version(usual.implementation_version().clone())
            .with_platform_python_implementation(usual.platform_python_implementation())
            .with_python_full_version(usual.python_full_version().clone())
            .with_python_version(usual.python_version().clone())
            .with_sys_platform(sys_platform);
        Self::of_machine(python, self.platform.clone(), markers)
    }

    /// The same target by the name that it had in another run.
    #[must_use]
    pub fn named(self, id: &str) -> Self {
        Self { id: id.into(), ..self }
    }

    /// Puts the full version into the name: `cp3.12.4-manylinux_2_28_x86_64`.
    fn name_in_full(&mut self) {
        self.id = format!("{}-{}", self.python.full_name(), self.platform).into();
    }

    /// Each target once, in order. Those that would share a name have what tells them apart in
    /// it: the patch of Python, or else a number.
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

/// What is asked of a target: each part left out is the base target's.
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
    /// Every Python on every platform.
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

    /// Whether it says enough to do without an interpreter.
    pub fn is_complete(&self) -> bool {
        self.python.is_some() && self.platform.is_some()
    }

    /// The target; `base` is the one that the interpreter at hand describes.
    ///
    /// # Errors
    /// Names the flag that is needed where neither this nor `base` says enough.
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

/// Where a target stands that has its name in common with another one.
fn positions_of_namesakes(targets: &[Target]) -> Vec<usize> {
    let has_namesake = |target: &Target| targets.iter().filter(|other| other.id == target.id).count() > 1;
    (0..targets.len()).filter(|position| has_namesake(&targets[*position])).collect()
}

fn given_or_none<T: Clone>(given: &[T]) -> Vec<Option<T>> {
    if given.is_empty() { vec![None] } else { given.iter().cloned().map(Some).collect() }
}

fn version_of(python: &Python) -> PythonVersion {
    PythonVersion { version: python.version.clone(), free_threaded: python.is_free_threaded() }
}

/// The markers of a machine that is not at hand. Its kernel's release and version are unknown
/// and empty, as for uv, and PyPy is taken for the first of the releases with its ABI.
fn foreign_markers(python: &Python, platform: &Platform) -> MarkerEnvironment {
    let (major, minor) = python.numbers();
    let full = python.version.to_string();
    let implementation_version = match python.implementation {
        _ if is_ancient(python) => "0",
        Implementation::PyPy => "7.3.0",
        _ => &full,
    };
    let builder = MarkerEnvironmentBuilder {
        implementation_name: if is_ancient(python) { "" } else { python.implementation.name() },
        implementation_version,
        os_name: platform.os_name(),
        platform_machine: platform.platform_machine(),
        platform_python_implementation: python.implementation.title(),
        platform_release: "",
        platform_system: platform.platform_system(),
        platform_version: "",
        python_full_version: &full,
        python_version: &format!("{major}.{minor}"),
        sys_platform: sys_platform(platform.sys_platform(), python),
    };
    builder.try_into().expect("versions printed from versions are versions")
}

/// Before 3.3 there was no `sys.implementation`, and `packaging` says "" and "0" for it.
fn is_ancient(python: &Python) -> bool {
    python.numbers() < (3, 3)
}

/// What `python` calls the platform that others call `name`.
fn sys_platform<'a>(name: &'a str, python: &Python) -> &'a str {
    match name {
        "linux" | "linux2" => {
            if is_ancient(python) {
                "linux2"
            } else {
                "linux"
            }
        }
        other => other,
    }
}

/// Why there is no target, with the way out.
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
        likeness(nearest.as_deref())
    )]
    Platform { given: String, nearest: Option<String> },
    #[error("no Python is at hand to take the version from; add --python-version, or name one with --python")]
    NoPythonVersion,
    #[error("no Python is at hand to take the platform from; add --platform, or name one with --python")]
    NoPlatform,
    #[error("no Python is at hand; name one with --python, or the target with --python-version and --platform")]
    NothingKnown,
    #[error("the ABI of GraalPy depends on its release; add it, as in --abi graalpy242_311_native")]
    GraalPyAbi,
}

fn likeness(nearest: Option<&str>) -> String {
    nearest.map(|name| format!(" (did you mean `{name}`?)")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::MarkerTree;

    fn spec(implementation: Option<&str>, python: Option<&str>, platform: Option<&str>) -> TargetSpec {
        TargetSpec {
            python: python.map(|text| text.parse().unwrap()),
            platform: platform.map(|text| text.parse().unwrap()),
            implementation: implementation.map(|text| text.parse().unwrap()),
            abis: Vec::new(),
        }
    }

    /// An interpreter on a Mac, whose kernel says its release.
    fn mac(implementation: &str, python: &str) -> Target {
        let target = spec(Some(implementation), Some(python), Some("macosx_14_0_arm64")).resolve(None).unwrap();
        let markers = target.markers.clone().with_platform_release("23.5.0");
        Target::of_machine(target.python, target.platform, markers)
    }

    fn variable(markers: &MarkerEnvironment, name: &str) -> String {
        let values = serde_json::to_value(markers).unwrap();
        values[name].as_str().unwrap_or_else(|| panic!("{name} is missing")).to_owned()
    }

    /// Where `pep508_rs` 0.9 itself differs, whatever the values: it drops a list with commas, and
    /// compares a pre-release Python by its release alone.
    const FAULTS_OF_THE_CRATE: [&str; 3] =
        ["python_version in '3.8, 3.9'", "python_full_version >= '3.15.0b1'", "python_full_version < '3.15'"];

    #[test]
    fn markers_are_those_of_packaging() {
        let expected = include_str!("../../testdata/markers/expected.txt");
        let mut wrong = Vec::new();
        for paragraph in expected.trim().split("\n\n") {
            let (description, lines) = paragraph.split_once('\n').unwrap();
            let [_, implementation, python, platform] = description.split(' ').collect::<Vec<_>>()[..] else {
                panic!("{description}");
            };
            let target = spec(Some(implementation), Some(python), Some(platform)).resolve(None).unwrap();
            let wrong_here = lines.lines().filter(|line| {
                !is_right(target.markers(), line) && !FAULTS_OF_THE_CRATE.iter().any(|marker| line.ends_with(marker))
            });
            wrong.extend(wrong_here.map(|line| format!("{description}: {line}")));
        }
        assert!(wrong.is_empty(), "packaging says:\n{}", wrong.join("\n"));
    }

    /// `variable=value`, `yes MARKER` or `no MARKER`.
    fn is_right(markers: &MarkerEnvironment, line: &str) -> bool {
        let evaluate = |marker: &str| marker.parse::<MarkerTree>().unwrap().evaluate(markers, &[]);
        match line.split_once(' ') {
            Some(("yes", marker)) => evaluate(marker),
            Some(("no", marker)) => !evaluate(marker),
            _ => line.split_once('=').is_some_and(|(name, value)| variable(markers, name) == value),
        }
    }

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
    fn without_a_base_the_missing_flag_is_named() {
        let error = |python, platform| spec(None, python, platform).resolve(None).unwrap_err().to_string();
        assert!(error(Some("3.9"), None).contains("--platform"));
        assert!(error(None, Some("win32")).contains("--python-version"));
        assert!(error(None, None).contains("--python-version and --platform"));
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
