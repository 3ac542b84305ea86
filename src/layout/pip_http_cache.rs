//! `pip-http` and `pip-http-v2`: pip's HTTP cache, filled before pip asks (`docs/facts/pip.md` 4.1
//! to 4.4), and its cache of built wheels.
//!
//! Two formats serve every pip since 6.0. Their entries are dated in the year 2100, so that every
//! pip takes them for fresh.

pub(super) mod entry;
mod json_page;
pub(super) mod key;
mod wheel_cache;

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Content, Fetched, FetchedFile, IndexPage, MaskedUrl, Object, PackageName, PipCacheEntry, Tree};

use self::entry::{EntryHeaders, HTML};
use super::checked_tree::{content, literal_path};
use super::html::{Anchor, page, restrictions};
use super::{Layout, LayoutError, Usage, UsageLocation};

/// The layout of one of the two formats of pip's HTTP cache.
pub enum PipHttpCache {
    /// The `http` folder of pip 6.0 to 23.2.1.
    ///
    /// Those pips ask for every index page again, so only files are there.
    First,
    /// The `http-v2` folder of pip 23.3 and later.
    Second {
        /// Whether it also has the projects' pages, listing the fetched files.
        ///
        /// With them pip 26.2 and later ask nobody. That pip sees no release that is not on those
        /// pages, so they do not belong in a cache that serves other work, too.
        has_pages: bool,
    },
}

impl Layout for PipHttpCache {
    fn name(&self) -> &'static str {
        match self {
            Self::First => "pip-http",
            Self::Second { .. } => "pip-http-v2",
        }
    }

    fn summary(&self) -> &'static str {
        match self {
            Self::First => "the files in the cache folder (--cache-dir) of pip 6.0 to 23.2.1",
            Self::Second { .. } => "files and index pages in the cache folder (--cache-dir) of pip 23.3 and later",
        }
    }

    fn needs_metadata(&self) -> bool {
        true
    }

    /// Returns `false`, since the folder is pip's own.
    fn takes_other_files(&self) -> bool {
        false
    }

    fn consumer_writes(&self) -> bool {
        true
    }

    fn tree(&self, fetched: &Fetched) -> Result<Tree, LayoutError> {
        let bodies = fetched.files().flat_map(|(_, file)| bodies(file));
        let mut tree = match self {
            Self::First => first_tree(bodies),
            Self::Second { has_pages } => {
                let mut tree = second_tree(bodies);
                if *has_pages {
                    tree.extend(pages(fetched));
                }
                tree
            }
        };
        tree.extend(wheel_cache::tree(fetched));
        Ok(tree)
    }

    fn usage(&self, location: &UsageLocation<'_>) -> Usage {
        Usage {
            variables: vec![("PIP_CACHE_DIR", location.path.to_owned())],
            arguments: Vec::new(),
            condition: Some("with a pip that still reaches its index, for the pages alone"),
        }
    }

    /// Names the files that pip does not read from its cache: it caches nothing of a server without
    /// TLS (`docs/facts/pip.md` 4.4), and no local file.
    fn caveats(&self, fetched: &Fetched) -> Vec<String> {
        let plain = fetched.files().map(|(_, file)| file.link.url.secret()).filter(|url| url.scheme() == "http");
        let hosts: BTreeSet<_> = plain.filter_map(|url| url.host_str()).collect();
        let hosts = hosts.into_iter().map(|host| {
            format!(
                "pip looks for files of http://{host} in its cache only with --trusted-host {host}, and only since 21.3"
            )
        });
        let local = fetched.files().filter(|(_, file)| file.built_from.is_none() && !is_remote(&file.link.url));
        let local =
            local.map(|(_, file)| format!("`{}` is a local file, and pip's cache has none", file.link.filename));
        hosts.chain(local).collect()
    }
}

/// Returns the tree of the first format, in which an entry is one file: headers and body in one
/// document.
fn first_tree(bodies: impl Iterator<Item = (String, Object)>) -> Tree {
    let mut tree = Tree::new();
    for (key, object) in bodies {
        let (head, tail) = entry::text_around_body(&EntryHeaders::of_file(object.size));
        let envelope = PipCacheEntry { mark: entry::MARK_2, head, object, tail };
        tree.insert(literal_path(&format!("http/{}", key::path(&key))), Content::PipCacheEntry(envelope));
    }
    tree
}

/// Returns the tree of the second format, in which an entry is two files: headers, and body.
fn second_tree(bodies: impl Iterator<Item = (String, Object)>) -> Tree {
    let mut tree = Tree::new();
    for (key, object) in bodies {
        insert(&mut tree, &key, &EntryHeaders::of_file(object.size), content(object));
    }
    tree
}

/// Adds the two files of an entry of the second format.
fn insert(tree: &mut Tree, key: &str, headers: &EntryHeaders, body: Content) {
    let path = format!("http-v2/{}", key::path(key));
    tree.insert(literal_path(&path), Content::Generated(entry::binary(headers, b"")));
    tree.insert(literal_path(&(path + ".body")), body);
}

/// Returns the cache entry of pip 23.3 and later for an index page with all its files, fresh only
/// as long as the index said.
///
/// While it is fresh, pip 26.2 and later ask nobody; afterwards, and earlier pips always, they ask
/// whether it is unchanged.
pub fn index_page(page: &IndexPage) -> Tree {
    let mut tree = Tree::new();
    let headers = EntryHeaders::of_seen_page(page.checked, page.lifetime, page.etag.clone());
    insert(&mut tree, &key::of_url(&page.url), &headers, Content::Generated(json_page::text(&page.listing)));
    tree
}

/// Returns the URLs that pip may ask for when it installs a file, each with the object that answers
/// it.
///
/// pip never checks a cached body again: a metadata file that is not what the index promised would
/// fail every run, so it is left out.
fn bodies(file: &FetchedFile) -> Vec<(String, Object)> {
    let keys = if is_remote(&file.link.url) { key::of_file(&file.link.url) } else { BTreeSet::new() };
    let expected = file.link.sidecar.as_ref().and_then(|sidecar| sidecar.digest.as_ref());
    let is_expected = |object: &Object| {
        expected.is_none_or(|digest| digest.as_sha256().is_some_and(|sha256| sha256 == object.sha256))
    };
    let metadata = file.metadata.filter(is_expected);
    let sidecar = |key: &String| metadata.map(|object| (format!("{key}.metadata"), object));
    keys.iter().flat_map(|key| [Some((key.clone(), file.object)), sidecar(key)]).flatten().collect()
}

fn is_remote(url: &MaskedUrl) -> bool {
    matches!(url.secret().scheme(), "http" | "https")
}

/// Returns the pages with which indexes would answer if they had the fetched files only.
fn pages(fetched: &Fetched) -> Tree {
    let mut projects = BTreeMap::<(&MaskedUrl, &PackageName), Vec<&FetchedFile>>::new();
    for (package, file) in fetched.files().filter(|(_, file)| is_listed(file)) {
        projects.entry((&file.link.index, &package.name)).or_default().push(file);
    }
    let mut tree = Tree::new();
    for ((index, project), files) in projects {
        let anchors: Vec<_> = files.iter().map(|file| anchor(file)).collect();
        let body = page(&format!("Links for {project}"), &anchors);
        let headers = EntryHeaders::of_page(body.len() as u64, HTML);
        insert(&mut tree, &key::of_page(index, project), &headers, Content::Generated(body));
    }
    tree
}

/// Whether an index listed the file; the `index` of a direct URL is the URL itself.
fn is_listed(file: &FetchedFile) -> bool {
    is_remote(&file.link.index) && *file.link.index != file.link.url
}

fn anchor(file: &FetchedFile) -> Anchor {
    Anchor {
        href: format!("{}#sha256={}", file.link.url.public(), file.object.sha256),
        text: file.link.filename.to_string(),
        attributes: restrictions(file.link.requires_python.as_ref(), &file.link.yanked),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Digest, Sidecar};
    use crate::layout::test_fixtures::{fetched, file, object, package, page as page_at, paths};

    /// Paths by Python: `hashlib.sha224(b"https://files.example/demo-1.0-py3-none-any.whl")`.
    fn world(digest: Option<Digest>) -> Fetched {
        let mut wheel = file("demo-1.0-py3-none-any.whl", b"wheel");
        wheel.metadata = Some(object(b"metadata"));
        wheel.link.sidecar = Some(Sidecar { digest });
        wheel.link.requires_python = Some(">=3.8".parse().unwrap());
        fetched(vec![package("demo", "1.0", vec![wheel])])
    }

    fn stem(url: &str) -> String {
        key::path(url)
    }

    const WHEEL: &str = "https://files.example/demo-1.0-py3-none-any.whl";

    #[test]
    fn a_wheel_brings_its_body_its_metadata_and_its_page() {
        let tree = PipHttpCache::Second { has_pages: true }.tree(&world(None)).unwrap();
        let page = stem("https://index.example/simple/demo/");
        let mut expected: Vec<_> = [stem(WHEEL), stem(&format!("{WHEEL}.metadata")), page.clone()]
            .into_iter()
            .flat_map(|stem| [format!("http-v2/{stem}"), format!("http-v2/{stem}.body")])
            .collect();
        expected.sort();
        assert_eq!(paths(&tree), expected);
        let link = format!(
            "<a href=\"{WHEEL}#sha256=ba59926159d2aa256eb8739b8da7e2b574b960e1202c6d624cbe981cef996c91\" \
             data-requires-python=\"&gt;=3.8\">demo-1.0-py3-none-any.whl</a>"
        );
        assert!(page_at(&tree, &format!("http-v2/{page}.body")).contains(&link));
        let without_pages = PipHttpCache::Second { has_pages: false }.tree(&world(None)).unwrap();
        assert_eq!(without_pages.iter().len(), 4);
        assert_eq!(PipHttpCache::First.tree(&world(None)).unwrap().iter().len(), 2);
    }

    #[test]
    fn metadata_that_the_index_contradicts_is_left_out() {
        let right = Digest::from(object(b"metadata").sha256);
        let wrong = Digest::from(object(b"other").sha256);
        let count = |digest| PipHttpCache::First.tree(&world(Some(digest))).unwrap().iter().len();
        assert_eq!((count(right), count(wrong)), (2, 1));
    }

    #[test]
    fn what_pip_will_not_read_is_told() {
        let mut plain = file("demo-1.0.zip", b"1");
        plain.link.url = "http://f.example:8080/demo-1.0.zip".parse().unwrap();
        let mut local = file("demo-2.0.zip", b"2");
        local.link.url = "file:///srv/demo-2.0.zip".parse().unwrap();
        let world = fetched(vec![package("demo", "1.0", vec![plain, local])]);
        let told = PipHttpCache::First.caveats(&world);
        assert!(told[0].contains("--trusted-host f.example") && told[1].contains("`demo-2.0.zip`"), "{told:?}");
        assert_eq!(PipHttpCache::First.tree(&world).unwrap().iter().len(), 1);
    }
}
