//! Small sets of fetched files for the tests of layouts.

use std::sync::Arc;

use super::{BundleInput, ProjectSummaries, Sboms, bundle};
use crate::domain::{
    BuiltFrom, Content, Fetched, FetchedFile, FetchedPackage, FileLink, Linkage, MaskedUrl, Object, Origin, Sha256,
    Status, Tree,
};

/// Returns an object with these bytes.
pub fn object(bytes: &[u8]) -> Object {
    Object { sha256: Sha256::of(bytes), size: bytes.len() as u64 }
}

/// Returns a file with these bytes, listed by an index.
pub fn file(filename: &str, bytes: &[u8]) -> FetchedFile {
    let base: MaskedUrl = "https://me:pw@files.example/".parse().unwrap();
    FetchedFile {
        link: FileLink {
            filename: filename.into(),
            index: Arc::new("https://me:pw@index.example/simple/".parse().unwrap()),
            ..FileLink::at(base.join(&filename.replace('\\', "%5C")).unwrap())
        },
        targets: Vec::new(),
        tools: Vec::new(),
        object: object(bytes),
        metadata: None,
        metadata_source: None,
        built_from: None,
        status: Status::Downloaded,
    }
}

/// Returns the wheel of version 1.0 of a project, built of its source archive.
pub fn built_wheel(project: &str) -> FetchedFile {
    let filename = format!("{project}-1.0-py3-none-any.whl");
    let archive = format!("{project}-1.0.tar.gz");
    let built = file(&filename, filename.as_bytes());
    let from = BuiltFrom {
        url: built.link.url.join(&archive).unwrap(),
        filename: archive.into(),
        sha256: Sha256::of(b"archive"),
        requires: Vec::new(),
        python: "cp312-manylinux_2_28_x86_64".to_owned(),
        linkage: Linkage::default(),
    };
    // A target that installs it.
    FetchedFile { built_from: Some(Arc::new(from)), targets: vec![0], ..built }
}

/// Returns a package with these files.
pub fn package(name: &str, version: &str, files: Vec<FetchedFile>) -> FetchedPackage {
    FetchedPackage {
        name: name.parse().unwrap(),
        version: version.parse().ok(),
        requested_by: vec![Origin { file: "requirements.txt".into(), line: 1 }],
        dependencies: Default::default(),
        files,
    }
}

/// Returns these packages as fetched for no target.
pub fn fetched(packages: Vec<FetchedPackage>) -> Fetched {
    Fetched { targets: Vec::new(), packages }
}

/// Returns the paths of a tree.
pub fn paths(tree: &Tree) -> Vec<&str> {
    tree.iter().map(|(path, _)| path.as_str()).collect()
}

/// Returns the text of the page at `path`.
pub fn page<'a>(tree: &'a Tree, path: &str) -> &'a str {
    let found = tree.iter().find(|(each, _)| each.as_str() == path);
    match found.unwrap_or_else(|| panic!("{path} is not in {:?}", paths(tree))) {
        (_, Content::Generated(bytes)) => std::str::from_utf8(bytes).unwrap(),
        (_, _) => panic!("{path} is no page"),
    }
}

/// Returns the bundle of what was fetched, without questions.
pub fn bundled(fetched: &Fetched) -> Tree {
    let input = BundleInput {
        fetched,
        questions: &[],
        summaries: &ProjectSummaries::new(),
        sboms: &Sboms::default(),
        project: None,
    };
    bundle(&input).unwrap()
}
