//! `download-cache`: what pip 0.4 to 1.5.6 reads from `PIP_DOWNLOAD_CACHE`
//! (`docs/facts/legacy-pip.md` 1 to 4).
//!
//! Each file lies under its quoted URL, beside a `.content-type` file without which pip ignores it.
//! That cache has no pages, so `links.html` lists the same URLs: with `--no-index --find-links
//! file:///…/links.html` those pips need no network at all. `requirements.txt` is for them too:
//! they know neither markers nor hashes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::domain::{Content, Fetched, FetchedFile, FetchedPackage, Tree};

use super::checked_tree::{CheckedTree, checked_path, literal_path};
use super::held_links::{file_beside, insert_page};
use super::html::{Anchor, AnchorLine, href};
use super::legacy_names::{eggs, own_egg, spelled_name, spelled_version, unidentified};
use super::{HeldFolder, Layout, LayoutError, NewFolder, Usage, UsageLocation};

/// The `download-cache` layout, the cache folder of old pips.
pub struct DownloadCache;

const CONTENT_TYPE_SUFFIX: &str = ".content-type";

/// The content type of every file. pip only uses it to choose an unpacker; with this one old pips
/// look at the file's name instead, which works for every archive.
const CONTENT_TYPE: &[u8] = b"application/octet-stream";

/// The longest quoted URL in bytes: with `.content-type` a longer one is no valid file name.
const LONGEST_KEY: usize = 255 - CONTENT_TYPE_SUFFIX.len();

impl Layout for DownloadCache {
    fn name(&self) -> &'static str {
        "download-cache"
    }

    fn summary(&self) -> &'static str {
        "the PIP_DOWNLOAD_CACHE of pip 0.4 to 1.5.6, with a page of links"
    }

    fn consumer_writes(&self) -> bool {
        true
    }

    fn tree(&self, fetched: &Fetched) -> Result<Tree, LayoutError> {
        self.tree_in(fetched, &NewFolder)
    }

    fn tree_in(&self, fetched: &Fetched, folder: &dyn HeldFolder) -> Result<Tree, LayoutError> {
        let mut files = CheckedTree::default();
        let mut marks = Vec::new();
        let mut anchors = Vec::new();
        for (package, file) in fetched.files() {
            for name in names(file) {
                let path = files.add(&package.name, name, file.object, &file.link.url)?;
                if is_cached(file) {
                    marks.push(checked_path(&package.name, format!("{path}{CONTENT_TYPE_SUFFIX}"))?);
                }
            }
            anchors.extend(links(package, file));
        }
        let mut tree = files.into_tree();
        for mark in marks {
            tree.insert(mark, Content::Generated(CONTENT_TYPE.into()));
        }
        insert_page(&mut tree, ("links.html", "Links"), &anchors, folder, linked_path);
        tree.insert(literal_path("requirements.txt"), Content::Generated(requirements(fetched).into_bytes()));
        Ok(tree)
    }

    fn usage(&self, location: &UsageLocation<'_>) -> Usage {
        Usage {
            variables: vec![("PIP_DOWNLOAD_CACHE", location.path.to_owned())],
            arguments: vec!["--no-index".into(), "--find-links".into(), format!("{}links.html", location.url)],
            condition: Some("with pip 1.0 to 1.5.6"),
        }
    }

    fn caveats(&self, fetched: &Fetched) -> Vec<String> {
        let long = fetched.files().filter(|(_, file)| is_remote(file) && !is_cached(file));
        let long = long.map(|(_, file)| {
            format!(
                "the URL of `{}` is too long for a download cache; old pips find the file by links.html only",
                file.link.filename
            )
        });
        long.chain(unidentified(fetched)).collect()
    }
}

/// Returns the names under which old pips look for the file; its own name if no cache can hold it.
fn names(file: &FetchedFile) -> BTreeSet<String> {
    if is_cached(file) { keys(file) } else { BTreeSet::from([file.link.filename.to_string()]) }
}

fn is_cached(file: &FetchedFile) -> bool {
    is_remote(file) && keys(file).iter().all(|key| key.len() <= LONGEST_KEY)
}

fn is_remote(file: &FetchedFile) -> bool {
    !file.link.url.is_local()
}

/// Returns the quoted URLs by which old pips look for a file: cleaned as a link on a page, the same
/// with `&amp;` left as it is (up to pip 1.3.1), and unchanged if a requirement named it, since no
/// pip cleans that.
fn keys(file: &FetchedFile) -> BTreeSet<String> {
    let url = file.link.url.public();
    let links = [clean(&url), clean(&url.replace('&', "&amp;"))];
    let is_direct = *file.link.index == file.link.url;
    links.into_iter().chain(is_direct.then_some(url)).map(|url| quote(&url)).collect()
}

/// Returns a link as old pips clean it before anything else.
fn clean(url: &str) -> String {
    let mut cleaned = String::new();
    for byte in url.bytes() {
        if byte.is_ascii_alphanumeric() || b"$&+,/:;=?@.#%_\\|-".contains(&byte) {
            cleaned.push(byte.into());
        } else {
            write!(cleaned, "%{byte:02x}").expect("writing to a string cannot fail");
        }
    }
    cleaned
}

/// Quotes as Python 2's `urllib.quote(url, '')`.
fn quote(url: &str) -> String {
    let mut quoted = String::new();
    for byte in url.bytes() {
        if byte.is_ascii_alphanumeric() || b"_.-".contains(&byte) {
            quoted.push(byte.into());
        } else {
            write!(quoted, "%{byte:02X}").expect("writing to a string cannot fail");
        }
    }
    quoted
}

/// Returns the links to a file: one by its own name, and one for each `#egg=` name that it may be
/// looked up by.
fn links(package: &FetchedPackage, file: &FetchedFile) -> Vec<Anchor> {
    let filename = &*file.link.filename;
    let location = if is_cached(file) { file.link.url.public() } else { href(filename) };
    let by_own_name =
        own_egg(&package.name, package.version.as_ref(), filename).is_none().then(|| own_link(&location, file));
    let by_egg = eggs(package, filename).into_iter();
    let by_egg = by_egg.map(|egg| format!("{location}#egg={egg}&sha256={}", file.object.sha256));
    let anchor = |href| Anchor { href, text: filename.to_owned(), attributes: Vec::new() };
    by_own_name.into_iter().chain(by_egg).map(anchor).collect()
}

/// Returns the path of the file that a line of the page links.
fn linked_path(line: &AnchorLine) -> String {
    match line.target().contains("://") {
        true => quote(&clean(&line.target().replace("&amp;", "&"))),
        false => file_beside(line),
    }
}

/// Returns the link to a file by its own name.
///
/// A link into the folder has no fragment: pip up to 1.2.1 takes it for a part of the file's name.
fn own_link(location: &str, file: &FetchedFile) -> String {
    if is_cached(file) { format!("{location}#sha256={}", file.object.sha256) } else { location.to_owned() }
}

/// Returns plain pins.
///
/// The pins of a project with several versions are comments: which one applies depends on the
/// target, and old pips know no markers.
fn requirements(fetched: &Fetched) -> String {
    let mut projects = BTreeMap::<_, Vec<_>>::new();
    for package in &fetched.packages {
        projects.entry(spelled_name(package)).or_default().extend(spelled_version(package));
    }
    let mut text = String::new();
    for (name, versions) in projects {
        let choice = if versions.len() == 1 { "" } else { "# one of: " };
        for version in versions {
            writeln!(text, "{choice}{name}=={version}").expect("writing to a string cannot fail");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::domain::MaskedUrl;

    use super::*;
    use crate::layout::test_fixtures::{fetched, file, package, page, paths};

    fn at(url: &str) -> FetchedFile {
        let url: MaskedUrl = url.parse().unwrap();
        let mut held = file(&url.filename(), b"bytes");
        held.link.url = url;
        held
    }

    fn tree(file: FetchedFile) -> Tree {
        DownloadCache.tree(&fetched(vec![package("demo", "1.0", vec![file])])).unwrap()
    }

    /// The keys that real pips were seen to use (`docs/facts/legacy-pip.md` 2, `docs/facts/pip.md`
    /// 4.5).
    #[test]
    fn keys_are_quoted_as_old_pips_quote_them() {
        for (url, expected) in [
            (
                "https://files.example/packages/aa/demo_pkg-1.0-py3-none-any.whl",
                &["https%3A%2F%2Ffiles.example%2Fpackages%2Faa%2Fdemo_pkg-1.0-py3-none-any.whl"][..],
            ),
            ("http://f.example:8080/a+b.zip", &["http%3A%2F%2Ff.example%3A8080%2Fa%2Bb.zip"]),
            ("http://f.example/~me/a.zip", &["http%3A%2F%2Ff.example%2F%257eme%2Fa.zip"]),
            ("http://f.example/%7Eme/a.zip", &["http%3A%2F%2Ff.example%2F%257Eme%2Fa.zip"]),
            ("http://f.example/a b(c).zip", &["http%3A%2F%2Ff.example%2Fa%2520b%2528c%2529.zip"]),
            ("http://f.example/x%2fa.zip", &["http%3A%2F%2Ff.example%2Fx%252fa.zip"]),
            ("http://me:pw@f.example/a.zip#egg=a", &["http%3A%2F%2Ff.example%2Fa.zip"]),
            (
                "http://f.example/a.zip?x=1&y",
                &["http%3A%2F%2Ff.example%2Fa.zip%3Fx%3D1%26amp%3By", "http%3A%2F%2Ff.example%2Fa.zip%3Fx%3D1%26y"],
            ),
        ] {
            assert_eq!(Vec::from_iter(keys(&at(url))), expected, "{url}");
        }
        let mut direct = at("http://f.example/~a.zip");
        direct.link.index = Arc::new(direct.link.url.clone());
        assert_eq!(
            Vec::from_iter(keys(&direct)),
            ["http%3A%2F%2Ff.example%2F%257ea.zip", "http%3A%2F%2Ff.example%2F%7Ea.zip"]
        );
    }

    #[test]
    fn each_file_has_its_mark_and_its_link() {
        let tree = tree(at("https://f.example/demo-1.0.zip"));
        let key = "https%3A%2F%2Ff.example%2Fdemo-1.0.zip";
        assert_eq!(paths(&tree), [key, &format!("{key}.content-type"), "links.html", "requirements.txt"]);
        assert_eq!(page(&tree, &format!("{key}.content-type")), "application/octet-stream");
        let link = "<a href=\"https://f.example/demo-1.0.zip#sha256=\
                    277089d91c0bdf4f2e6862ba7e4a07605119431f5d13f726dd352b06f1b206a9\">demo-1.0.zip</a>";
        assert!(page(&tree, "links.html").contains(link));
        assert_eq!(page(&tree, "requirements.txt"), "demo==1.0\n");
    }

    /// The longest quoted URL has 242 bytes; local files are never looked up
    /// (`docs/facts/legacy-pip.md` 2).
    #[test]
    fn what_no_cache_can_hold_lies_there_under_its_own_name() {
        let url = |length: usize| format!("https://f.example/a{}/demo-1.0.zip", "a".repeat(length));
        let fixed = quote(&url(0)).len();
        let longest = at(&url(242 - fixed));
        assert_eq!(names(&longest), keys(&longest));
        for file in [at(&url(243 - fixed)), at("file:///srv/demo-1.0.zip")] {
            let name = file.link.filename.to_string();
            let tree = tree(file);
            assert_eq!(paths(&tree), [&name, "links.html", "requirements.txt"]);
            assert!(page(&tree, "links.html").contains(&format!("<a href=\"{name}\">")));
        }
        let world = fetched(vec![package("demo", "1.0", vec![at(&url(243 - fixed))])]);
        assert_eq!(DownloadCache.caveats(&world).len(), 1);
    }

    /// Before PEP 440, `3.2-1` and `3.2.post1` were two versions (pip 1.5.6 finds only the first).
    #[test]
    fn pins_are_in_the_words_of_the_file() {
        let world = fetched(vec![package("foo-bar", "3.2.post1", vec![at("https://f.example/foo-bar-3.2-1.tar.gz")])]);
        assert_eq!(page(&DownloadCache.tree(&world).unwrap(), "requirements.txt"), "foo-bar==3.2-1\n");
    }

    #[test]
    fn eggs_come_first_and_pins_are_spelled_as_the_files_are() {
        let held =
            ["zope_interface-5.0.tar.gz", "zope.event-4.0.zip"].map(|name| at(&format!("https://f.example/{name}")));
        let [interface, event] = held;
        let many = ["1.0", "2.0"].map(|version| package("many", version, vec![]));
        let mut packages =
            vec![package("zope-event", "4.0", vec![event]), package("zope-interface", "5.0", vec![interface])];
        packages.extend(many);
        let tree = DownloadCache.tree(&fetched(packages)).unwrap();
        let links = page(&tree, "links.html");
        assert!(links.contains("zope_interface-5.0.tar.gz#egg=zope.interface-5.0&amp;sha256="));
        assert!(links.contains("zope_interface-5.0.tar.gz#sha256="));
        let pins = "# one of: many==1.0\n# one of: many==2.0\nzope-interface==5.0\nzope.event==4.0\n";
        assert_eq!(page(&tree, "requirements.txt"), pins);
    }
}
