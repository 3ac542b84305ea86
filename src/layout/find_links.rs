//! `find-links`: a flat folder of distributions under their own names, which every pip since 0.7.2,
//! uv and easy_install read.
//!
//! Some file names are not understood there: pip 24 and later overlook `.tar.bz2` and similar
//! archives (`docs/facts/pip.md` 3.6), and pip up to 9 takes `zope_interface-5.0.tar.gz` for
//! another project than `zope.interface` (`docs/facts/legacy-pip.md` 3 and 7). If there are such
//! files, a page in the folder lists them: pips read every `*.html` in it. (pip up to 1.2.1 reads
//! it too but finds no local file by a link with a fragment, so dotted projects need the
//! `download-cache` layout there; everything else it finds by the folder.)

use crate::domain::{Fetched, FetchedFile, FetchedPackage, Tree};

use super::checked_tree::CheckedTree;
use super::held_links::{file_beside, insert_page};
use super::html::{Anchor, href, restrictions};
use super::legacy_names::{eggs, is_seen_in_a_folder, is_unidentified, unidentified};
use super::{HeldFolder, Layout, LayoutError, NewFolder, Usage, UsageLocation};

/// The `find-links` layout, a flat folder.
pub struct FindLinks;

impl Layout for FindLinks {
    fn name(&self) -> &'static str {
        "find-links"
    }

    fn summary(&self) -> &'static str {
        "a flat folder for --find-links of any pip, and of uv"
    }

    fn tree(&self, fetched: &Fetched) -> Result<Tree, LayoutError> {
        self.tree_in(fetched, &NewFolder)
    }

    fn tree_in(&self, fetched: &Fetched, folder: &dyn HeldFolder) -> Result<Tree, LayoutError> {
        tree_with(fetched, folder, helping_anchors)
    }

    fn is_served(&self) -> bool {
        true
    }

    fn served_tree(&self, fetched: &Fetched, folder: &dyn HeldFolder) -> Result<Tree, LayoutError> {
        tree_with(fetched, folder, anchors)
    }

    fn usage(&self, location: &UsageLocation<'_>) -> Usage {
        let arguments = ["--no-index", "--find-links", location.path].map(String::from);
        Usage { variables: Vec::new(), arguments: arguments.into(), condition: None }
    }

    fn caveats(&self, fetched: &Fetched) -> Vec<String> {
        unidentified(fetched)
    }
}

/// Makes the folder with the page `links.html`, which lists what `anchors` returns.
fn tree_with(
    fetched: &Fetched,
    folder: &dyn HeldFolder,
    anchors: fn(&FetchedPackage, &FetchedFile) -> Vec<Anchor>,
) -> Result<Tree, LayoutError> {
    let (mut files, mut links) = (CheckedTree::default(), Vec::new());
    for (package, file) in fetched.files() {
        files.add(&package.name, file.link.filename.to_string(), file.object, &file.link.url)?;
        links.extend(anchors(package, file));
    }
    let mut tree = files.into_tree();
    insert_page(&mut tree, ("links.html", "Links"), &links, folder, file_beside);
    Ok(tree)
}

/// Returns the links for a file whose name alone some pips misread.
fn helping_anchors(package: &FetchedPackage, file: &FetchedFile) -> Vec<Anchor> {
    let filename = &*file.link.filename;
    let is_understood = is_unidentified(package, filename) || is_seen_in_a_folder(package, filename);
    match eggs(package, filename).is_empty() && is_understood {
        true => Vec::new(),
        false => anchors(package, file),
    }
}

/// Returns the links for a file where only a page tells of it.
fn anchors(package: &FetchedPackage, file: &FetchedFile) -> Vec<Anchor> {
    let filename = &*file.link.filename;
    let mut fragments: Vec<_> = eggs(package, filename).into_iter().map(|egg| format!("egg={egg}&")).collect();
    if fragments.is_empty() {
        fragments.push(String::new());
    }
    let anchor = |fragment| Anchor {
        href: format!("{}#{fragment}sha256={}", href(filename), file.object.sha256),
        text: filename.to_owned(),
        attributes: restrictions(file.link.requires_python.as_ref(), &file.link.yanked),
    };
    fragments.into_iter().map(anchor).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::test_fixtures::{fetched, file, package, page, paths};

    fn tree(name: &str, version: &str, filename: &str) -> Tree {
        FindLinks.tree(&fetched(vec![package(name, version, vec![file(filename, b"bytes")])])).unwrap()
    }

    /// The columns of `docs/facts/pip.md` 3.6, and the trap of `docs/facts/legacy-pip.md` 3.
    #[test]
    fn the_page_lists_what_some_pip_would_overlook_and_nothing_else() {
        const SHA256: &str = "277089d91c0bdf4f2e6862ba7e4a07605119431f5d13f726dd352b06f1b206a9";
        for (name, filename, links) in [
            ("demo", "demo-1.0-py3-none-any.whl", vec![]),
            ("demo", "demo-1.0.tar.gz", vec![]),
            ("demo", "demo-1.0.zip", vec![]),
            ("demo", "demo-1.0.tar.bz2", vec!["demo-1.0.tar.bz2#"]),
            ("demo", "demo-1.0.tgz", vec!["demo-1.0.tgz#"]),
            ("foo-bar", "foo_bar-1.0-py3-none-any.whl", vec![]),
            ("foo-bar", "foo.bar-1.0.tar.gz", vec![]),
            ("foo-bar", "foo-bar-3.2-1.tar.gz", vec!["foo-bar-3.2-1.tar.gz#egg=foo.bar-3.2-1&amp;"]),
            (
                "a-b-c",
                "a_b_c-1.0.tar.gz",
                vec!["a_b_c-1.0.tar.gz#egg=a.b-c-1.0&amp;", "a_b_c-1.0.tar.gz#egg=a.b.c-1.0&amp;"],
            ),
            ("foo-bar", "foo_bar-1.0+x.tar.gz", vec![]),
            ("foo-bar", "foo_bar-1.0+x.tgz", vec!["foo_bar-1.0%2Bx.tgz#"]),
            ("demo", "main.zip", vec!["main.zip#egg=demo-1.0&amp;"]),
        ] {
            let tree = tree(name, "1.0", filename);
            assert_eq!(tree.iter().len(), 1 + usize::from(!links.is_empty()), "{filename}");
            if !links.is_empty() {
                let page = page(&tree, "links.html");
                let hrefs: Vec<_> = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
                let expected: Vec<_> = links.iter().map(|link| format!("{link}sha256={SHA256}")).collect();
                assert_eq!(hrefs, expected);
            }
        }
    }

    /// A web server lists no folder.
    #[test]
    fn a_served_folder_has_a_page_of_all_its_files() {
        let fetched = fetched(vec![package("demo", "1.0", vec![file("demo-1.0-py3-none-any.whl", b"bytes")])]);
        let tree = FindLinks.served_tree(&fetched, &NewFolder).unwrap();
        assert_eq!(paths(&tree), ["demo-1.0-py3-none-any.whl", "links.html"]);
        assert!(page(&tree, "links.html").contains("href=\"demo-1.0-py3-none-any.whl#sha256="));
    }

    #[test]
    fn the_page_carries_what_the_index_said() {
        let mut overlooked = file("demo-1.0.tgz", b"bytes");
        overlooked.link.requires_python = Some(">=3.8".parse().unwrap());
        overlooked.link.yanked.0 = Some("a \"bad\" one".into());
        let tree = FindLinks.tree(&fetched(vec![package("demo", "1.0", vec![overlooked])])).unwrap();
        let expected = r#" data-requires-python="&gt;=3.8" data-yanked="a &quot;bad&quot; one">demo-1.0.tgz</a>"#;
        assert!(page(&tree, "links.html").contains(expected));
    }

    #[test]
    fn one_file_for_two_versions_of_a_project_lies_there_once() {
        let packages = ["1.0", "1.0.0"].map(|version| package("demo", version, vec![file("demo-1.0.zip", b"1")]));
        assert_eq!(paths(&FindLinks.tree(&fetched(packages.into())).unwrap()), ["demo-1.0.zip"]);
    }
}
