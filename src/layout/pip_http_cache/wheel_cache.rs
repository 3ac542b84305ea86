//! pip's cache of the wheels that it built (`wheels/`), where it looks before it builds a source
//! archive (`docs/facts/pip.md` 4.6).

use std::collections::BTreeMap;

use super::key;
use crate::domain::{Algorithm, BuiltFrom, Fetched, FetchedFile, Fingerprint, Target, Tree};
use crate::layout::checked_tree::{content, literal_path};

/// Returns the entries of the wheels that were built here: for each target that one serves, and
/// whether pip knows the archive's digest from its page or not.
pub fn tree(fetched: &Fetched) -> Tree {
    let mut tree = Tree::new();
    for (_, file) in fetched.files() {
        let Some(from) = file.built_from.as_ref().filter(|from| super::is_remote(&from.url)) else { continue };
        for target in &file.targets {
            for path in paths(file, from, &fetched.targets[*target]) {
                tree.insert(literal_path(&path), content(file.object));
            }
        }
    }
    tree
}

fn paths(file: &FetchedFile, from: &BuiltFrom, target: &Target) -> Vec<String> {
    let (implementation, version) = target.interpreter_tag();
    let sha256 = from.sha256.to_string();
    let folders = key::links_of_file(&from.url).into_iter().flat_map(|url| {
        [None, Some(&sha256)].map(|digest| {
            let parts = [("url", Some(&url)), ("sha256", digest)];
            let parts = parts.into_iter().filter_map(|(name, value)| Some((name, value?.as_str())));
            let interpreter = [("interpreter_name", implementation), ("interpreter_version", version.as_str())];
            folder(&parts.chain(interpreter).collect())
        })
    });
    folders.map(|folder| format!("wheels/{folder}/{}", file.link.filename)).collect()
}

/// Returns the folder of a link: the SHA-224 of what pip knows of it, in four parts.
fn folder(parts: &BTreeMap<&str, &str>) -> String {
    let text = serde_json::to_vec(parts).expect("texts can always be encoded");
    let hash = Fingerprint::of(&text, &[Algorithm::Sha224]).digest(Algorithm::Sha224).hex;
    format!("{}/{}/{}/{}", &hash[..2], &hash[2..4], &hash[4..6], &hash[6..])
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::{Linkage, Sha256, TargetSpec};
    use crate::layout::test_fixtures::{fetched, file, package, paths as paths_of};

    /// The paths are those of pip 26.3's `SimpleWheelCache.get_path_for_link`, with and without
    /// `#sha256=abab…`.
    #[test]
    fn a_built_wheel_is_where_pip_keeps_its_own() {
        let mut wheel = file("kit-3.0-py3-none-any.whl", b"wheel");
        let sha256: Sha256 = "ab".repeat(32).parse().unwrap();
        let from = BuiltFrom {
            filename: "kit-3.0.tar.gz".into(),
            url: "https://index.example/files/kit-3.0.tar.gz".parse().unwrap(),
            sha256,
            requires: Vec::new(),
            python: "cp311".into(),
            linkage: Linkage::default(),
        };
        wheel.built_from = Some(Arc::new(from));
        wheel.targets = vec![0];
        let target = TargetSpec::of_name("3.11:linux-x86_64").unwrap().unwrap().resolve(None).unwrap();
        let world = Fetched { targets: vec![Arc::new(target)], ..fetched(vec![package("kit", "3.0", vec![wheel])]) };
        let expected = [
            "wheels/8f/a7/7b/7298087a6f7cfbc32fd83e7fb644673450bd2d4425f8bd7914/kit-3.0-py3-none-any.whl",
            "wheels/c4/74/d4/3314d231641cb636fd5ddacc2af49a7bafc1b30c3869d9c571/kit-3.0-py3-none-any.whl",
        ];
        assert_eq!(paths_of(&tree(&world)), expected);
    }
}
