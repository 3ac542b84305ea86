//! Reads `setup.cfg` of setuptools: the literal parts of `[options]`.

use std::collections::BTreeMap;

use super::egg_info::Requirements;
use super::keywords::{Keyword, SetupKeywords};
use super::requirement_lines::logical_lines;

/// Parses a `setup.cfg` into keywords of `setup()`; `file:` and `attr:` values are computed.
///
/// Returns `None` if the text is no such file.
pub fn read(bytes: &[u8]) -> Option<SetupKeywords> {
    let sections = parse(std::str::from_utf8(bytes).ok()?)?;
    let options = sections.get("options");
    let option = |name: &str| options.and_then(|options| options.get(name)).map(String::as_str);
    let mut keywords = SetupKeywords {
        install_requires: option("install_requires").map_or(Keyword::Absent, list),
        setup_requires: option("setup_requires").map_or(Keyword::Absent, list),
        python_requires: option("python_requires").map_or(Keyword::Absent, text),
        ..SetupKeywords::default()
    };
    if let Some(extras) = sections.get("options.extras_require") {
        let mut all = Some(Requirements::default());
        for (extra, value) in extras {
            let Keyword::Literal(lines) = list(value) else {
                all = None;
                break;
            };
            all = all.and_then(|mut all| all.add(extra, &lines).map(|()| all));
        }
        keywords.extras_require = all.map_or(Keyword::Computed, Keyword::Literal);
    }
    Some(keywords)
}

fn text(value: &str) -> Keyword<String> {
    if is_directive(value) { Keyword::Computed } else { Keyword::Literal(value.trim().to_owned()) }
}

/// Splits a list at line breaks, or at semicolons if it is a single line.
fn list(value: &str) -> Keyword<Vec<String>> {
    if is_directive(value) {
        return Keyword::Computed;
    }
    let lines = logical_lines(value);
    let is_one_line = !value.contains('\n');
    Keyword::Literal(match lines.as_slice() {
        // Only a line that is no requirement by itself is a list: `a; python_version < "3"` is one.
        [line] if is_one_line && super::requirement_lines::dependency(line).is_none() => {
            line.split(';').map(str::trim).filter(|part| !part.is_empty()).map(ToOwned::to_owned).collect()
        }
        _ => lines,
    })
}

fn is_directive(value: &str) -> bool {
    ["file:", "attr:", "find:"].iter().any(|directive| value.trim_start().starts_with(directive))
}

type Section = BTreeMap<String, String>;

/// Parses sections and options in lower case as `configparser` does: an indented line continues the
/// value before it.
///
/// Returns `None` if a line is none of these.
fn parse(text: &str) -> Option<BTreeMap<String, Section>> {
    let mut sections: BTreeMap<String, Section> = BTreeMap::new();
    let mut section = None;
    let mut option: Option<String> = None;
    for line in text.trim_start_matches('\u{feff}').lines() {
        let content = line.trim();
        if content.is_empty() || content.starts_with(['#', ';']) {
            continue;
        }
        if line.starts_with([' ', '\t'])
            && let (Some(section), Some(option)) = (&section, &option)
        {
            let value = sections.get_mut(section)?.get_mut(option)?;
            value.push('\n');
            value.push_str(content);
        } else if let Some(name) = content.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            sections.entry(name.0.to_owned()).or_default();
            section = Some(name.0.to_owned());
            option = None;
        } else {
            let (name, value) = content.split_once(['=', ':']).unwrap_or((content, ""));
            if name.is_empty() {
                return None;
            }
            // setuptools takes dashes for underscores.
            let name = name.trim().to_lowercase();
            let is_extra = section.as_deref() == Some("options.extras_require");
            let name = if is_extra { name } else { name.replace('-', "_") };
            sections.get_mut(section.as_ref()?)?.insert(name.clone(), value.trim().to_owned());
            option = Some(name);
        }
    }
    Some(sections)
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
