//! Parses the file names of distributions as pip does (experiments in `docs/facts/pip.md` 3.6).

mod source;
mod wheel;

pub use source::{SourceExtension, SourceFilename};
pub use wheel::{BuildTag, WheelFilename};

use source::source_version;

use super::{PackageName, Version};

/// Whether a file's name has an ending of wheels or source archives.
pub fn is_distribution(filename: &str) -> bool {
    filename.ends_with(".whl") || SourceExtension::split(filename).is_some()
}

/// A parsed file name of a wheel or a source archive.
#[derive(Clone, Debug, PartialEq)]
pub enum DistributionFilename {
    Wheel(WheelFilename),
    Source(SourceFilename),
}

/// Why a file name is not one of a distribution of the project.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilenameError {
    #[error("it is neither a wheel nor a source archive")]
    Extension,
    #[error("it belongs to another project")]
    OtherProject,
    #[error("a wheel's name has five or six parts divided by `-`")]
    WheelParts,
    #[error("it is the wheel variant `{0}` (PEP 825), and variants are never chosen here")]
    Variant(String),
    #[error("`{0}` is not a project name")]
    Name(String),
    #[error("`{0}` is not a PEP 440 version")]
    Version(String),
    #[error("`{0}` is no build tag: a number, then ASCII letters, digits, `_` and `.`")]
    Build(String),
    #[error("`{0}` is no compatibility tag: ASCII letters, digits and `_`, sets divided by `.`")]
    Tag(String),
}

impl DistributionFilename {
    /// Parses `filename` as a distribution of `project`.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(filename: &str, project: &PackageName) -> Result<Self, FilenameError> {
        match filename.strip_suffix(".whl") {
            Some(_) => {
                let wheel: WheelFilename = filename.parse()?;
                if wheel.name != *project { Err(FilenameError::OtherProject) } else { Ok(Self::Wheel(wheel)) }
            }
            None => SourceFilename::parse(filename, project).map(Self::Source),
        }
    }

    /// Returns the text of the version in `filename` without parsing the rest, by which pages of
    /// thousands of files are sorted.
    ///
    /// # Errors
    /// When the name is no distribution of the project.
    pub fn version_text<'a>(filename: &'a str, project: &PackageName) -> Result<&'a str, FilenameError> {
        match filename.strip_suffix(".whl") {
            Some(stem) => {
                let (name, rest) = stem.split_once('-').ok_or(FilenameError::WheelParts)?;
                if !is_same_name(name, project) {
                    return Err(FilenameError::OtherProject);
                }
                rest.split('-').next().ok_or(FilenameError::WheelParts)
            }
            None => {
                let (stem, _) = SourceExtension::split(filename).ok_or(FilenameError::Extension)?;
                source_version(stem, project).ok_or(FilenameError::OtherProject)
            }
        }
    }

    pub fn name(&self) -> &PackageName {
        match self {
            Self::Wheel(wheel) => &wheel.name,
            Self::Source(source) => &source.name,
        }
    }

    pub fn version(&self) -> &Version {
        match self {
            Self::Wheel(wheel) => &wheel.version,
            Self::Source(source) => &source.version,
        }
    }

    pub fn is_wheel(&self) -> bool {
        matches!(self, Self::Wheel(_))
    }
}

/// Parses a version, but refuses the white space that PEP 440 allows around it.
fn parse_version(text: &str) -> Result<Version, FilenameError> {
    let is_dense = !text.contains(|character: char| character.is_whitespace() || !character.is_ascii());
    text.parse().ok().filter(|_| is_dense).ok_or_else(|| FilenameError::Version(text.to_owned()))
}

/// Whether `name` normalizes to `project` (PEP 503), without allocating.
fn is_same_name(name: &str, project: &PackageName) -> bool {
    let is_separator = |byte: &u8| matches!(byte, b'-' | b'_' | b'.');
    let mut expected = project.as_ref().bytes();
    let mut bytes = name.bytes().peekable();
    while let Some(byte) = bytes.next() {
        let normal = if is_separator(&byte) {
            while bytes.next_if(is_separator).is_some() {}
            b'-'
        } else {
            byte.to_ascii_lowercase()
        };
        if expected.next() != Some(normal) {
            return false;
        }
    }
    expected.next().is_none()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(filename: &str) -> Result<DistributionFilename, FilenameError> {
        DistributionFilename::parse(filename, &"foo-bar".parse().unwrap())
    }

    /// The column "index page 26.3" of the table in `docs/facts/pip.md` 3.6.
    #[test]
    fn wheel_variants_are_told_from_mistakes() {
        let error = |name: &str| name.parse::<WheelFilename>().unwrap_err();
        for name in
            ["demo-1.0-cp313-cp313-linux_x86_64-x86_64_v3.whl", "demo-1.0-1-cp313-cp313-linux_x86_64-x86_64_v3.whl"]
        {
            assert_eq!(error(name), FilenameError::Variant("x86_64_v3".into()), "{name}");
        }
        assert_eq!(error("demo-1.0-2-1-cp313-cp313-linux_x86_64-x-y.whl"), FilenameError::WheelParts);
    }

    #[test]
    fn names_that_pip_takes_from_a_page() {
        for (filename, version) in [
            ("foo_bar-1.0-py3-none-any.whl", "1.0"),
            ("Foo.Bar-1.1-1-py2.py3-none-any.whl", "1.1"),
            ("foo-bar-2.1.tar.gz", "2.1"),
            ("Foo.Bar-2.2.zip", "2.2"),
            ("foo_bar-2.3.tar.bz2", "2.3"),
            ("foo_bar-2.4.tgz", "2.4"),
            ("foo_bar-2.5.tar.lzma", "2.5"),
            ("foo-bar-3.2-1.tar.gz", "3.2.post1"),
            ("foo_bar-3.9+local.1.tar.gz", "3.9+local.1"),
            ("foo-bar-1.0-py3.9.tar.gz", "1.0"),
        ] {
            assert_eq!(parse(filename).unwrap().version().to_string(), version, "{filename}");
            let text = DistributionFilename::version_text(filename, &"foo-bar".parse().unwrap()).unwrap();
            assert_eq!(text.parse::<Version>().unwrap().to_string(), version, "{filename}");
        }
    }

    #[test]
    fn names_that_pip_overlooks() {
        for filename in [
            "foo__bar-1-py3-none-any.whl",
            "foo_bar-1.4_1-py3-none-any.whl",
            "foo-bar-1.3-py3-none-any.whl",
            "foo_bar-1.0-py3-none.whl",
            "foo_bar-1.0-x1-py3-none-any.whl",
            "foo_bar-1.0.TAR.GZ",
            "foo_bar-1.0.egg",
            "foo_bar-1.0.exe",
            "foo_bar_baz-1.0.tar.gz",
            "foo-1.0.tar.gz",
            "foo_bar-2004d.tar.gz",
            "foo_bar.tar.gz",
            "",
        ] {
            assert!(parse(filename).is_err(), "{filename} was taken");
        }
    }

    /// Names as old tools and real indexes write them.
    #[test]
    fn odd_names_of_real_files_are_taken() {
        for (filename, version) in [
            ("foo_bar-1!2.0-py3-none-any.whl", "1!2.0"),
            ("foo_bar-2.1.0+cu118-cp311-cp311-linux_x86_64.whl", "2.1.0+cu118"),
            ("foo_bar-1.0-0_g1234abc-py2.py3-none-any.whl", "1.0"),
            ("foo_bar-1.0-1.el7-cp27-cp27mu-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", "1.0"),
            ("foo.bar-1.0.dev20230101-PY3-NONE-macosx_10_9_universal2.whl", "1.0.dev20230101"),
            ("foo-bar-1.0-rc1.tar.gz", "1.0rc1"),
            ("foo-bar-1.0_rc1.tar.gz", "1.0rc1"),
            ("foo-bar-v1.0.zip", "1.0"),
            ("foo--bar-1.0.zip", "1.0"),
            ("foo_bar-1!2.0.tar.gz", "1!2.0"),
        ] {
            assert_eq!(parse(filename).map(|name| name.version().to_string()).as_deref(), Ok(version), "{filename}");
        }
    }

    #[test]
    fn parts_with_characters_that_no_wheel_has_are_told() {
        for (filename, why) in [
            ("foo_bar-99-1$(touch${IFS}PWNED)-py3-none-any.whl", "build tag"),
            ("foo_bar-1.0-1;x-py3-none-any.whl", "build tag"),
            ("foo_bar-1.0-py3-none-any`x`.whl", "compatibility tag"),
            ("foo_bar-1.0-py3-no'ne-any.whl", "compatibility tag"),
            ("foo_bar-1.0-py3.-none-any.whl", "compatibility tag"),
            ("foo_bar-1.0-py3--any.whl", "compatibility tag"),
            ("foo_bar-1.0-p\u{443}3-none-any.whl", "compatibility tag"),
            ("foo_bar-1.0 -py3-none-any.whl", "PEP 440"),
            ("foo_bar- 1.0.tar.gz", "PEP 440"),
            ("foo_bar-1.0+$(x).tar.gz", "PEP 440"),
        ] {
            let error = parse(filename).unwrap_err().to_string();
            assert!(error.contains(why), "{filename}: {error}");
        }
    }

    const HOSTILE: &str = "[-a-z0-9_.!+]{0,9}[$`'\"\\\\;&|<>(){}*?#~%^=,:@/ \t\r\n\u{7}\u{7f}\u{e9}\u{202e}\u{660}]{0,2}[-a-z0-9_.!+]{0,9}";

    proptest! {
        /// A name that is accepted has only the characters of PEP 427 and 625, whatever its parts
        /// are.
        #[test]
        fn a_name_that_is_taken_holds_nothing_hostile(
            parts in (HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE), at in 0..6_usize, is_wheel: bool,
        ) {
            let part = |number: usize, usual: &str, hostile: &str| if number == at { hostile.to_owned() } else { usual.to_owned() };
            let stem = format!("foo_bar{}-{}", part(5, "", &parts.0), part(0, "1.0", &parts.0));
            let filename = match is_wheel {
                true => format!(
                    "{stem}-{}-{}-{}-{}.whl",
                    part(1, "1a", &parts.1), part(2, "py3", &parts.2), part(3, "none", &parts.3), part(4, "any", &parts.4),
                ),
                false => format!("{stem}.tar.gz"),
            };
            let is_ordinary = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.!+".contains(&byte);
            let is_taken = parse(&filename).is_ok() || SourceFilename::guess(&filename).is_ok();
            prop_assert!(!is_taken || filename.bytes().all(is_ordinary), "{filename:?} was taken");
        }
    }

    #[test]
    fn build_tags_sort_by_number() {
        let tag = |text: &str| text.parse::<BuildTag>().unwrap();
        assert!(tag("2") < tag("10") && tag("10") < tag("10a"));
        assert!("x1".parse::<BuildTag>().is_err());
    }
}
