//! Reads `setup.cfg` of setuptools: the literal parts of `[metadata]` and `[options]`.

use super::egg_info::Requirements;
use super::keywords::{Keyword, SetupKeywords};
use crate::domain::{SetupCfg, SetupCfgValue};

/// Parses a `setup.cfg` into keywords of `setup()`; `file:` and `attr:` values are computed.
///
/// Returns `None` if the text is no such file.
pub fn read(bytes: &[u8]) -> Option<SetupKeywords> {
    let file = SetupCfg::parse(std::str::from_utf8(bytes).ok()?)?;
    let text = |section: &str, name: &str| keyword(file.option(section, name), SetupCfgValue::text);
    let list = |name: &str| keyword(file.option("options", name), SetupCfgValue::list);
    Some(SetupKeywords {
        name: text("metadata", "name"),
        version: text("metadata", "version"),
        install_requires: list("install_requires"),
        setup_requires: list("setup_requires"),
        python_requires: text("options", "python_requires"),
        extras_require: extras(&file),
        ..SetupKeywords::default()
    })
}

fn keyword<'c, T>(
    value: Option<SetupCfgValue<'c>>,
    literal: impl FnOnce(SetupCfgValue<'c>) -> Option<T>,
) -> Keyword<T> {
    value.map_or(Keyword::Absent, |value| literal(value).map_or(Keyword::Computed, Keyword::Literal))
}

fn extras(file: &SetupCfg) -> Keyword<Requirements> {
    let mut options = file.options("options.extras_require").peekable();
    if options.peek().is_none() {
        return Keyword::Absent;
    }
    let add =
        |mut all: Requirements, (extra, value): (&str, SetupCfgValue<'_>)| all.add(extra, &value.list()?).map(|()| all);
    options.try_fold(Requirements::default(), add).map_or(Keyword::Computed, Keyword::Literal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_lists_and_texts() {
        let text = b"[metadata]\nname = demo\n[options]\ninstall_requires =\n    six>=1 # why\n    ; no\n\tidna; os_name == 'nt'\n\
            python-requires = >=3.6\nsetup_requires = wheel; cython\n[options.extras_require]\nDocs = sphinx\n  furo\n";
        let keywords = read(text).unwrap();
        assert_eq!(keywords.install_requires.literal().unwrap(), &["six>=1", "idna; os_name == 'nt'"]);
        assert_eq!(keywords.python_requires.literal().unwrap(), ">=3.6");
        assert_eq!(keywords.setup_requires.literal().unwrap(), &["wheel", "cython"]);
        let extras = keywords.extras_require.literal().unwrap();
        assert_eq!(extras.optional, ["sphinx ; extra == 'docs'", "furo ; extra == 'docs'"]);
    }

    #[test]
    fn what_another_file_says_is_computed() {
        let keywords = read(b"[options]\ninstall_requires = file: requirements.txt\npython_requires = attr: demo.x\n");
        let keywords = keywords.unwrap();
        assert_eq!(keywords.install_requires, Keyword::Computed);
        assert_eq!(keywords.python_requires, Keyword::Computed);
    }

    #[test]
    fn what_is_no_such_file_is_absent() {
        assert_eq!(read(b"\xff[options]"), None);
        assert_eq!(read(b"a = b\n"), None);
        assert_eq!(read(b""), Some(SetupKeywords::default()));
    }
}
