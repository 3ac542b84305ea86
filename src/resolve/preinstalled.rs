//! What a new environment has before anything is installed into it.

use crate::domain::{PackageName, Target, Version};

/// The Python from which on `venv` no longer installs setuptools.
const WITHOUT_SETUPTOOLS: [u64; 2] = [3, 12];

/// Whether the `venv` or `virtualenv` of the target's Python installs `project`, so that a pip that
/// requires hashes has no need to download it (`docs/facts/pip.md` 2.3).
pub(super) fn is_preinstalled(project: &PackageName, target: &Target) -> bool {
    match project.as_ref() {
        "pip" => true,
        "setuptools" => *target.python() < Version::new(WITHOUT_SETUPTOOLS),
        _ => false,
    }
}

/// Returns what the user should know of a `project` that is fetched without a `--hash`.
pub(super) fn note(project: &PackageName, version: Option<&Version>) -> String {
    let version = version.map(|version| format!(" {version}")).unwrap_or_default();
    format!(
        "hashes are required and {project}{version} has none: nobody but its index vouches for it. pip takes the \
         {project} that a new environment has, where that is new enough, and refuses to download another; to be sure, \
         pin it and add its digest"
    )
}
