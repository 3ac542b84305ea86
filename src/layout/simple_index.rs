//! `simple`: a package index as files (PEP 503), for `file://` and for any static web server.
//!
//! Each project has a folder under its normalized name, with its files, their metadata sidecars
//! (PEP 658, PEP 714), and the project's page in two forms: `index.html`, and `index.json`
//! (PEP 691, PEP 700) for whoever can serve it under its own content type.

mod json;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::domain::{
    Content, Digest, Fetched, FetchedFile, FetchedPackage, Object, PackageName, Specifiers, Timestamp, Tree, Version,
    Yanked,
};

use super::checked_tree::{CheckedTree, checked_path, content, literal_path};
use super::held_links::{file_beside, insert_page};
use super::html::{Anchor, href, page, restrictions};
use super::legacy_names::{own_egg, unidentified};
use super::{HeldFolder, Layout, LayoutError, NewFolder, Usage, UsageLocation};

/// The `simple` layout, a package index as files.
pub struct SimpleIndex;

impl Layout for SimpleIndex {
    fn name(&self) -> &'static str {
        "simple"
    }

    fn summary(&self) -> &'static str {
        "an index (PEP 503, 658, 691) for --index-url, over file:// or any web server"
    }

    fn needs_metadata(&self) -> bool {
        true
    }

    fn tree(&self, fetched: &Fetched) -> Result<Tree, LayoutError> {
        self.tree_in(fetched, &NewFolder)
    }

    fn tree_in(&self, fetched: &Fetched, folder: &dyn HeldFolder) -> Result<Tree, LayoutError> {
        let files: Vec<_> = fetched.files().map(|(package, file)| IndexFile::of(package, file)).collect();
        index_tree(&files, folder)
    }

    fn is_served(&self) -> bool {
        true
    }

    fn usage(&self, location: &UsageLocation<'_>) -> Usage {
        let arguments = ["--index-url", location.url].map(String::from);
        Usage { variables: Vec::new(), arguments: arguments.into(), condition: None }
    }

    fn caveats(&self, fetched: &Fetched) -> Vec<String> {
        unidentified(fetched)
    }
}

/// A distribution with what an index states about it.
#[derive(Clone, Copy)]
pub struct IndexFile<'a> {
    pub project: &'a PackageName,
    pub version: Option<&'a Version>,
    pub filename: &'a str,
    pub object: Object,
    /// The wheel's `METADATA` (PEP 658).
    pub metadata: Option<Object>,
    pub requires_python: Option<&'a Specifiers>,
    pub yanked: &'a Yanked,
    /// The origin of the file, for errors.
    pub origin: &'a dyn fmt::Display,
}

impl<'a> IndexFile<'a> {
    fn of(package: &'a FetchedPackage, file: &'a FetchedFile) -> Self {
        Self {
            project: &package.name,
            version: package.version.as_ref(),
            filename: &file.link.filename,
            object: file.object,
            metadata: file.metadata,
            requires_python: file.link.requires_python.as_ref(),
            yanked: &file.link.yanked,
            origin: &file.link.url,
        }
    }
}

/// A file as the page of its project lists it.
#[derive(Clone, Debug)]
pub struct PageEntry<'a> {
    pub version: Option<&'a Version>,
    pub filename: &'a str,
    pub digest: Option<Digest>,
    /// The size in bytes.
    pub size: Option<u64>,
    /// The digest of the metadata beside it (PEP 658).
    pub metadata: Option<Digest>,
    pub requires_python: Option<&'a Specifiers>,
    pub yanked: &'a Yanked,
    pub uploaded: Option<Timestamp>,
}

impl<'a> From<&IndexFile<'a>> for PageEntry<'a> {
    fn from(file: &IndexFile<'a>) -> Self {
        Self {
            version: file.version,
            filename: file.filename,
            digest: Some(file.object.sha256.into()),
            size: Some(file.object.size),
            metadata: file.metadata.map(|metadata| metadata.sha256.into()),
            requires_python: file.requires_python,
            yanked: file.yanked,
            uploaded: None,
        }
    }
}

/// A page of the index in its two forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexPages {
    pub html: Vec<u8>,
    pub json: Vec<u8>,
}

impl IndexPages {
    /// Makes the page of a project that lists `entries`; of several with one file name the last one counts.
    pub fn of_project<'a>(name: &PackageName, entries: impl IntoIterator<Item = PageEntry<'a>>) -> Self {
        let mut project = IndexedProject::default();
        entries.into_iter().for_each(|entry| project.add(entry));
        let anchors: Vec<_> = project.files.values().map(|entry| file_anchor(name, entry)).collect();
        Self { html: page(&title(name), &anchors), json: json::project(name, &project, None, |_| false) }
    }

    /// Makes the page that lists projects.
    pub fn of_projects<'a, Names: Iterator<Item = &'a PackageName>>(names: impl Fn() -> Names) -> Self {
        Self { html: root_page(names()), json: json::root(names()) }
    }
}

fn title(name: &PackageName) -> String {
    format!("Links for {name}")
}

/// Makes the index of these files, whose pages also list what earlier runs put into `folder`.
///
/// # Errors
/// As [`Layout::tree`].
pub fn index_tree(files: &[IndexFile<'_>], folder: &dyn HeldFolder) -> Result<Tree, LayoutError> {
    let mut tree = CheckedTree::default();
    for file in files {
        tree.add(file.project, format!("{}/{}", file.project, file.filename), file.object, file.origin)?;
    }
    let mut tree = tree.into_tree();
    add_sidecars(&mut tree, files)?;
    let projects = projects(files);
    for (name, project) in &projects {
        add_pages(&mut tree, name, project, folder);
    }
    let names: BTreeSet<_> = projects.into_keys().cloned().chain(held_projects(folder)).collect();
    let root = IndexPages::of_projects(|| names.iter());
    tree.insert(literal_path("index.html"), Content::Generated(root.html));
    tree.insert(literal_path("index.json"), Content::Generated(root.json));
    Ok(tree)
}

/// What one project's folder in the index contains.
#[derive(Default)]
struct IndexedProject<'a> {
    versions: BTreeSet<&'a Version>,
    /// The files, by name.
    files: BTreeMap<&'a str, PageEntry<'a>>,
}

impl<'a> IndexedProject<'a> {
    fn add(&mut self, entry: PageEntry<'a>) {
        self.versions.extend(entry.version);
        self.files.insert(entry.filename, entry);
    }
}

fn projects<'a>(files: &[IndexFile<'a>]) -> BTreeMap<&'a PackageName, IndexedProject<'a>> {
    let mut projects = BTreeMap::<_, IndexedProject<'_>>::new();
    for file in files {
        projects.entry(file.project).or_default().add(file.into());
    }
    projects
}

/// Adds the metadata sidecars (PEP 658) of the files: those that pages promise, since pip fails if
/// one is missing.
fn add_sidecars(tree: &mut Tree, files: &[IndexFile<'_>]) -> Result<(), LayoutError> {
    for IndexFile { project, filename, metadata, .. } in files {
        if let Some(metadata) = metadata {
            tree.insert(checked_path(project, format!("{project}/{filename}.metadata"))?, content(*metadata));
        }
    }
    Ok(())
}

fn root_page<'a>(names: impl Iterator<Item = &'a PackageName>) -> Vec<u8> {
    let anchor = |name: &PackageName| Anchor { href: format!("{name}/"), text: name.to_string(), attributes: vec![] };
    page("Simple index", &names.map(anchor).collect::<Vec<_>>())
}

/// Returns the projects that earlier runs put into `folder`.
fn held_projects(folder: &dyn HeldFolder) -> impl Iterator<Item = PackageName> {
    let folders = folder.folders().into_iter().filter(|name| folder.has_file(&format!("{name}/index.html")));
    let named = folders.filter_map(|folder| Some((folder.parse::<PackageName>().ok()?, folder)));
    named.filter(|(name, folder)| name.as_ref() == *folder).map(|(name, _)| name)
}

/// Adds both pages of a project, which also list the files that earlier runs put there.
fn add_pages(tree: &mut Tree, name: &PackageName, project: &IndexedProject<'_>, folder: &dyn HeldFolder) {
    let anchors: Vec<_> = project.files.values().map(|entry| file_anchor(name, entry)).collect();
    let (html, json) = (format!("{name}/index.html"), format!("{name}/index.json"));
    insert_page(tree, (&html, &title(name)), &anchors, folder, |line| format!("{name}/{}", file_beside(line)));
    let is_held = |filename: &str| folder.has_file(&format!("{name}/{filename}"));
    let held = folder.read(&json);
    tree.insert(literal_path(&json), Content::Generated(json::project(name, project, held.as_deref(), is_held)));
}

fn file_anchor(project: &PackageName, file: &PageEntry<'_>) -> Anchor {
    let egg = own_egg(project, file.version, file.filename).map(|egg| format!("egg={egg}"));
    let mut attributes = restrictions(file.requires_python, file.yanked);
    if let Some(digest) = &file.metadata {
        let digest = fragment(digest);
        attributes.extend(["data-core-metadata", "data-dist-info-metadata"].map(|name| (name, digest.clone())));
    }
    let fragments: Vec<_> = egg.into_iter().chain(file.digest.as_ref().map(fragment)).collect();
    let mark = if fragments.is_empty() { "" } else { "#" };
    Anchor {
        href: format!("{}{mark}{}", href(file.filename), fragments.join("&")),
        text: file.filename.to_owned(),
        attributes,
    }
}

/// Returns a digest as pages write it (PEP 503).
fn fragment(digest: &Digest) -> String {
    format!("{}={}", digest.algorithm.name(), digest.hex)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::test_fixtures::{fetched, file, object, package, page, paths};

    fn world() -> Fetched {
        let mut wheel = file("foo_bar-2.0+x-py3-none-any.whl", b"wheel");
        wheel.metadata = Some(object(b"metadata"));
        wheel.link.requires_python = Some(">=3.8".parse().unwrap());
        let mut source = file("foo-bar-1.0.tar.gz", b"source");
        source.link.yanked.0 = Some("".into());
        let old = package("foo-bar", "1.0", vec![source]);
        let new = package("foo-bar", "2.0+x", vec![wheel]);
        fetched(vec![old, new, package("demo", "1.0", vec![file("main.zip", b"direct")])])
    }

    #[test]
    fn every_project_has_a_folder_with_pages_files_and_sidecars() {
        let tree = SimpleIndex.tree(&world()).unwrap();
        let expected = [
            "demo/index.html",
            "demo/index.json",
            "demo/main.zip",
            "foo-bar/foo-bar-1.0.tar.gz",
            "foo-bar/foo_bar-2.0+x-py3-none-any.whl",
            "foo-bar/foo_bar-2.0+x-py3-none-any.whl.metadata",
            "foo-bar/index.html",
            "foo-bar/index.json",
            "index.html",
            "index.json",
        ];
        assert_eq!(paths(&tree), expected);
    }

    /// Digests by `sha256sum`; attributes as in PEP 503, 592 and 714.
    #[test]
    fn pages_carry_all_that_the_index_said() {
        let tree = SimpleIndex.tree(&world()).unwrap();
        assert!(page(&tree, "index.html").contains("<a href=\"foo-bar/\">foo-bar</a>"));
        let metadata = "sha256=45447b7afbd5e544f7d0f1df0fccd26014d9850130abd3f020b89ff96b82079f";
        let wheel = format!(
            "<a href=\"foo_bar-2.0%2Bx-py3-none-any.whl#sha256=ba59926159d2aa256eb8739b8da7e2b574b960e1202c6d624cbe981cef996c91\" \
             data-requires-python=\"&gt;=3.8\" data-core-metadata=\"{metadata}\" data-dist-info-metadata=\"{metadata}\">"
        );
        assert!(page(&tree, "foo-bar/index.html").contains(&wheel), "{}", page(&tree, "foo-bar/index.html"));
        assert!(page(&tree, "foo-bar/index.html").contains(" data-yanked=\"\">foo-bar-1.0.tar.gz</a>"));
        assert!(page(&tree, "demo/index.html").contains("\"main.zip#egg=demo-1.0&amp;sha256="));
    }

    /// A folder with the pages of a tree, and all its files but one.
    struct Written(Tree, &'static str);

    impl HeldFolder for Written {
        fn read(&self, path: &str) -> Option<Vec<u8>> {
            self.has_file(path).then(|| page(&self.0, path).into())
        }

        fn has_file(&self, path: &str) -> bool {
            path != self.1 && paths(&self.0).contains(&path)
        }

        fn folders(&self) -> Vec<String> {
            paths(&self.0).iter().filter_map(|path| Some(path.split_once('/')?.0.to_owned())).collect()
        }
    }

    #[test]
    fn pages_list_what_earlier_runs_put_there() {
        let gone = "foo-bar/foo-bar-1.0.tar.gz";
        let held = Written(SimpleIndex.tree(&world()).unwrap(), gone);
        let newer = package("foo-bar", "3.0", vec![file("foo_bar-3.0-py3-none-any.whl", b"newer")]);
        let tree = SimpleIndex.tree_in(&fetched(vec![newer]), &held).unwrap();
        assert_eq!(page(&tree, "index.html").matches("<a ").count(), 2);
        let root: serde_json::Value = serde_json::from_str(page(&tree, "index.json")).unwrap();
        assert_eq!(root["projects"], serde_json::json!([{"name": "demo"}, {"name": "foo-bar"}]));
        let (html, json) = (page(&tree, "foo-bar/index.html"), page(&tree, "foo-bar/index.json"));
        for part in ["foo_bar-2.0%2Bx-py3-none-any.whl", "foo_bar-3.0-py3-none-any.whl", ">=3.8", "2.0+x"] {
            assert!(json.contains(part) && html.contains(&crate::layout::html::escape(part)), "{part}: {html}{json}");
        }
        assert!(!html.contains("foo-bar-1.0") && !json.contains("foo-bar-1.0.tar.gz"), "{html}{json}");
        let mut all = held.0.clone();
        all.extend(tree.clone());
        let again = Written(all, gone);
        let newer = package("foo-bar", "3.0", vec![file("foo_bar-3.0-py3-none-any.whl", b"newer")]);
        assert_eq!(SimpleIndex.tree_in(&fetched(vec![newer]), &again).unwrap(), tree);
    }

    #[test]
    fn two_indexes_with_different_bytes_under_one_name_are_an_error() {
        let packages = ["1.0", "1.0.0"].map(|version| {
            let bytes = format!("bytes of {version}");
            package("demo", version, vec![file("demo-1.0.zip", bytes.as_bytes())])
        });
        let error = SimpleIndex.tree(&fetched(packages.into())).unwrap_err();
        assert!(matches!(error, LayoutError::Clash { path, .. } if path == "demo/demo-1.0.zip"));
    }
}
