//! uv: `uv run --script` with a copy of the script, beside which lies its lock with the files of the
//! bundle.

use super::super::{BundleLocation, Pages, ProjectInstaller};
use super::lock;
use crate::domain::{Fetched, LockedProject, mask_credentials};

/// The path of the copy in the bundle.
const SCRIPT: &str = "uv/script.py";

/// The path of its lock, where uv looks for it.
const LOCK: &str = "uv/script.py.lock";

pub const INSTALLER: ProjectInstaller = ProjectInstaller {
    name: "uv",
    lock: "script.py.lock",
    contents: Some(("uv/", "the script and its own lock, with these packages in it, for uv")),
    files,
    preparation: None,
    options: |_| Vec::new(),
    variables,
    command: |_, folder| format!("uv run --frozen --offline --find-links {folder}/wheels --script {folder}/{SCRIPT}"),
    needs: None,
    lock_path: Some(LOCK),
};

fn variables(location: &BundleLocation<'_>) -> Vec<(&'static str, String)> {
    let switches = ["UV_FROZEN", "UV_OFFLINE"].map(|name| (name, "1".to_owned()));
    // Builds of source archives find their requirements there.
    switches.into_iter().chain([("UV_FIND_LINKS", format!("{}wheels", location.url))]).collect()
}

fn files(project: &LockedProject, fetched: &Fetched) -> Result<Pages, String> {
    let [lock, script] = project.files.as_slice() else { return Err("the script does not lie beside it".to_owned()) };
    let relocated =
        lock::relocated(&lock.text, fetched).map_err(|error| format!("{}: {}", lock.path, error.message()))?;
    Ok(vec![(LOCK.to_owned(), relocated.into_bytes()), (SCRIPT.to_owned(), masked(&script.text).into_bytes())])
}

/// Returns a script without the passwords of URLs in its block of requirements.
fn masked(script: &str) -> String {
    let line = |line: &str| if line.starts_with('#') { mask_credentials(line).into_owned() } else { line.to_owned() };
    script.split_inclusive('\n').map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ProjectFile, SelectedGroups};

    #[test]
    fn a_script_is_copied_without_the_secrets_of_its_block() {
        let script = "# /// script\n# dependencies = []\n# [[tool.uv.index]]\n# url = \
                      \"https://me:hunter2@index.example/simple\"\n# ///\nprint(1)\n";
        let mut project = LockedProject {
            format: "script.py.lock",
            groups: SelectedGroups::default(),
            is_default: true,
            default_index: None,
            files: vec![ProjectFile { path: "job.py.lock".to_owned(), text: "version = 1\n".to_owned() }],
        };
        assert!(files(&project, &Fetched::default()).unwrap_err().contains("does not lie beside"));
        project.files.push(ProjectFile { path: "job.py".to_owned(), text: script.to_owned() });
        let pages = files(&project, &Fetched::default()).unwrap();
        let [(lock, _), (path, copy)] = pages.as_slice() else { panic!("{pages:?}") };
        assert_eq!((lock.as_str(), path.as_str()), (LOCK, SCRIPT));
        assert_eq!(String::from_utf8_lossy(copy), script.replace("me:hunter2@", "****@"));
    }
}
