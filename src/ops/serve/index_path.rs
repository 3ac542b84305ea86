//! The paths below `/simple/`.

use percent_encoding::percent_decode_str;

use crate::domain::PackageName;

/// What a path below `/simple/` leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IndexPath {
    Root,
    Project(PackageName),
    /// A name that is not normalized, or lacks its slash: the page is elsewhere (PEP 503).
    Misspelt(PackageName),
    /// A file beside the page of a project, both as the path writes them.
    File {
        project: String,
        filename: String,
    },
}

impl IndexPath {
    /// Parses a path, percent-encoded, without `/simple/`; `None` if nothing can be there.
    pub fn parse(path: &str) -> Option<Self> {
        let decoded = percent_decode_str(path).decode_utf8().ok()?;
        if decoded.is_empty() {
            return Some(Self::Root);
        }
        let (project, file) = decoded.split_once('/').map_or((&*decoded, None), |(name, file)| (name, Some(file)));
        match file {
            None | Some("") => {
                let name = project.parse::<PackageName>().ok()?;
                let is_exact = file.is_some() && name.as_ref() == project;
                Some(if is_exact { Self::Project(name) } else { Self::Misspelt(name) })
            }
            Some(filename) => Some(Self::File { project: project.to_owned(), filename: filename.to_owned() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_pages_and_files() {
        let name = || "foo-bar".parse().unwrap();
        for (path, expected) in [
            ("", Some(IndexPath::Root)),
            ("foo-bar/", Some(IndexPath::Project(name()))),
            ("foo-bar", Some(IndexPath::Misspelt(name()))),
            ("Foo_Bar/", Some(IndexPath::Misspelt(name()))),
            ("foo%2Dbar/", Some(IndexPath::Project(name()))),
            ("f@/", None),
            ("%ff/", None),
            ("foo-bar/a%2Bb.zip", Some(IndexPath::File { project: "foo-bar".into(), filename: "a+b.zip".into() })),
        ] {
            assert_eq!(IndexPath::parse(path), expected, "{path}");
        }
    }
}
