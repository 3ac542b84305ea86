//! A tree that checks each file name and refuses two objects under one name.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use crate::domain::{Content, Object, PackageName, RelPath, Tree};

use super::LayoutError;

/// A tree of distributions in which no file can replace another.
#[derive(Default)]
pub struct CheckedTree<'a> {
    tree: Tree,
    /// The objects so far and where each is from, by path in lower case, since many file systems
    /// ignore case.
    taken: BTreeMap<String, (Object, &'a dyn fmt::Display)>,
}

impl<'a> CheckedTree<'a> {
    /// Adds `object` of `project`, which is from `origin`, as `path`; the same object may be added
    /// again.
    ///
    /// # Errors
    /// When another object has this path already, or the text is no valid path.
    pub fn add(
        &mut self,
        project: &PackageName,
        path: String,
        object: Object,
        origin: &'a dyn fmt::Display,
    ) -> Result<RelPath, LayoutError> {
        let path = checked_path(project, path)?;
        match self.taken.entry(path.as_str().to_lowercase()) {
            Entry::Vacant(free) => drop(free.insert((object, origin))),
            Entry::Occupied(held) if held.get().0 != object => {
                let (first, second) = (held.get().1.to_string(), origin.to_string());
                return Err(LayoutError::Clash { path: path.to_string(), first, second });
            }
            Entry::Occupied(_) => {}
        }
        self.tree.insert(path.clone(), content(object));
        Ok(path)
    }

    pub fn into_tree(self) -> Tree {
        self.tree
    }
}

/// Returns `path` as a [`RelPath`].
///
/// # Errors
/// When it is none; the error names the project.
pub fn checked_path(project: &PackageName, path: String) -> Result<RelPath, LayoutError> {
    RelPath::new(path).map_err(|source| LayoutError::Name { project: project.clone(), source })
}

pub fn content(object: Object) -> Content {
    Content::Object { sha256: object.sha256, size: object.size }
}

/// Returns a path that is written in this program, and so is known to be valid.
pub fn literal_path(path: &str) -> RelPath {
    RelPath::new(path).expect("a literal path is valid")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::test_fixtures::file;

    fn add(names: &[(&str, &[u8])]) -> Result<Tree, LayoutError> {
        let held: Vec<_> = names.iter().map(|(name, bytes)| file(name, bytes)).collect();
        let mut files = CheckedTree::default();
        for file in &held {
            files.add(&"demo".parse().unwrap(), file.link.filename.to_string(), file.object, &file.link.url)?;
        }
        Ok(files.into_tree())
    }

    #[test]
    fn one_name_stands_for_one_object() {
        assert_eq!(add(&[("a.whl", b"1"), ("a.whl", b"1")]).unwrap().iter().len(), 1);
        let error = add(&[("a.whl", b"1"), ("A.whl", b"2")]).unwrap_err().to_string();
        assert!(error.contains("files.example/a.whl") && error.contains("files.example/A.whl"), "{error}");
    }

    #[test]
    fn hostile_names_are_errors_of_their_project() {
        let error = add(&[("../x.whl", b"1")]).unwrap_err().to_string();
        assert_eq!(
            error,
            "a file of demo cannot be written: `../x.whl` cannot be a file name here: it has a `.` or `..` part"
        );
    }
}
