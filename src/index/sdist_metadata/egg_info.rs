//! Parses `*.egg-info/requires.txt`, which setuptools wrote when the archive was made.

use super::super::core_metadata::MetadataFile;
use super::requirement_lines::from_section;
use crate::domain::logical_lines;

/// The files of an `*.egg-info` folder.
#[derive(Debug, Default)]
pub struct EggInfo {
    pub pkg_info: Option<MetadataFile>,
    /// The bytes of `requires.txt`; without that file there are no dependencies.
    pub requires: Option<Vec<u8>>,
}

/// The dependencies of a distribution, and the names of its extras.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requirements {
    /// The dependencies that are always needed, as lines of `Requires-Dist`.
    pub base: Vec<String>,
    /// The dependencies of extras, as lines of `Requires-Dist`.
    pub optional: Vec<String>,
    pub extras: Vec<String>,
}

/// Parses a `requires.txt`: lines, then sections `[extra]`, `[:marker]` and `[extra:marker]`.
///
/// Returns `None` if any part cannot be parsed.
pub fn read_requires(text: &[u8]) -> Option<Requirements> {
    let text = std::str::from_utf8(text).ok()?;
    let mut requirements = Requirements::default();
    let mut section = String::new();
    for line in logical_lines(text) {
        match line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            Some(name) => name.trim().clone_into(&mut section),
            None => requirements.add(&section, &[line])?,
        }
        requirements.add(&section, &[])?;
    }
    Some(requirements)
}

impl Requirements {
    /// Adds the `lines` of a section `[name]`; the empty name is for those that are always needed.
    ///
    /// Returns `None` if the section or a line cannot be parsed.
    pub fn add(&mut self, section: &str, lines: &[String]) -> Option<()> {
        let (extra, marker) = section.split_once(':').unwrap_or((section, ""));
        let extra = extra.trim();
        if !extra.is_empty() && !self.extras.iter().any(|known| known == extra) {
            self.extras.push(extra.to_owned());
        }
        let all = if extra.is_empty() { &mut self.base } else { &mut self.optional };
        for line in lines {
            all.push(from_section(line, extra, marker.trim())?);
        }
        Some(())
    }

    /// Returns all lines, with and without extras.
    pub fn lines(&self) -> Vec<String> {
        [&self.base[..], &self.optional].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_extras_and_markers() {
        let text = b"six>=1.0\n\n[:python_version < \"3\"]\nfutures\n[socks]\nPySocks!=1.5.7\n# none\n\n\
            [socks:sys_platform == 'win32']\nwin_inet_pton; python_version < '3.3'\n[empty]\n";
        let read = read_requires(text).unwrap();
        assert_eq!(read.base, ["six>=1.0", "futures ; python_version < \"3\""]);
        let win = "win_inet_pton ; (python_version < '3.3') and (sys_platform == 'win32') and (extra == 'socks')";
        assert_eq!(read.optional, ["PySocks!=1.5.7 ; extra == 'socks'", win]);
        assert_eq!(read.extras, ["socks", "empty"]);
    }

    #[test]
    fn what_is_no_requirement_makes_all_of_it_unknown() {
        for text in [&b"six\n-e ../other\n"[..], b"[x:no marker]\nsix\n", b"six\xff\n", b"[it's]\nsix\n"] {
            assert_eq!(read_requires(text), None, "{}", String::from_utf8_lossy(text));
        }
    }
}
