//! `setup.cfg` of setuptools: its sections, and the lists and texts in them.

use std::collections::BTreeMap;

use super::{CoreMetadata, ResolutionMetadata};

type Section = BTreeMap<String, String>;

/// The sections of a `setup.cfg`, with their options in lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetupCfg(BTreeMap<String, Section>);

/// The value of an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetupCfgValue<'c>(&'c str);

impl SetupCfg {
    /// Parses sections and options as `configparser` does: an indented line continues the value
    /// before it.
    ///
    /// Returns `None` if a line is none of these.
    pub fn parse(text: &str) -> Option<Self> {
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
                let name = option_name(section.as_deref(), name);
                sections.get_mut(section.as_ref()?)?.insert(name.clone(), value.trim().to_owned());
                option = Some(name);
            }
        }
        Some(Self(sections))
    }

    /// Returns the value of an option.
    pub fn option(&self, section: &str, option: &str) -> Option<SetupCfgValue<'_>> {
        self.0.get(section)?.get(option).map(|value| SetupCfgValue(value))
    }

    /// Returns the options of a section with their values.
    pub fn options(&self, section: &str) -> impl Iterator<Item = (&str, SetupCfgValue<'_>)> {
        self.0.get(section).into_iter().flatten().map(|(name, value)| (name.as_str(), SetupCfgValue(value)))
    }
}

/// Returns the name of an option as setuptools takes it, with underscores for dashes; an extra keeps
/// its own.
fn option_name(section: Option<&str>, name: &str) -> String {
    let name = name.trim().to_lowercase();
    if section == Some("options.extras_require") { name } else { name.replace('-', "_") }
}

impl SetupCfgValue<'_> {
    /// Returns the value as a text; `None` if it stands in another file or in the code.
    pub fn text(self) -> Option<String> {
        (!self.is_directive()).then(|| self.0.trim().to_owned())
    }

    /// Returns the items of a list, which are its lines, or of a single line what semicolons separate;
    /// `None` if it stands in another file or in the code.
    pub fn list(self) -> Option<Vec<String>> {
        if self.is_directive() {
            return None;
        }
        let lines = logical_lines(self.0);
        let is_one_line = !self.0.contains('\n');
        Some(match lines.as_slice() {
            // Only a line that is no requirement by itself is a list: `a; python_version < "3"` is one.
            [line] if is_one_line && !is_requirement(line) => {
                line.split(';').map(str::trim).filter(|part| !part.is_empty()).map(ToOwned::to_owned).collect()
            }
            _ => lines,
        })
    }

    fn is_directive(self) -> bool {
        ["file:", "attr:", "find:"].iter().any(|directive| self.0.trim_start().starts_with(directive))
    }
}

/// Whether a line of metadata is a requirement, even if it has to be repaired.
fn is_requirement(line: &str) -> bool {
    let metadata = CoreMetadata { requires_dist: vec![line.to_owned()], ..CoreMetadata::default() };
    ResolutionMetadata::of(&metadata).unreadable.is_empty()
}

/// Returns the lines of a text without blank ones and comments, as `yield_lines` of pkg_resources
/// does: a comment may follow a line after a space, and a backslash joins lines.
pub fn logical_lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut open = String::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let line = line.split_once(" #").map_or(line, |(line, _)| line).trim();
        match line.strip_suffix('\\') {
            Some(part) => open.push_str(part.trim_end()),
            None => lines.push(std::mem::take(&mut open) + line),
        }
    }
    if !open.is_empty() {
        lines.push(open);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_those_of_pkg_resources() {
        let text = "\n# comment\n six >= 1 # why\nhttps://index.example/#egg\nlong\\\n  name\nopen\\";
        assert_eq!(logical_lines(text), ["six >= 1", "https://index.example/#egg", "longname", "open"]);
    }

    #[test]
    fn values_are_texts_or_lists() {
        let text = "[options]\nsetup-requires = wheel; cython\nextra = six; os_name == 'nt'\npython_requires = attr: demo.x\n\
                    many =\n  a # b\n  ; no\n\tc\n";
        let file = SetupCfg::parse(text).unwrap();
        let list = |name: &str| file.option("options", name).unwrap().list().unwrap();
        assert_eq!(list("setup_requires"), ["wheel", "cython"]);
        assert_eq!(list("extra"), ["six; os_name == 'nt'"]);
        assert_eq!(list("many"), ["a", "c"]);
        assert_eq!(file.option("options", "python_requires").unwrap().text(), None);
        assert_eq!(SetupCfg::parse("a = b\n"), None);
    }
}
