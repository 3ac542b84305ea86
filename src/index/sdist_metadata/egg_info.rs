//! `*.egg-info/requires.txt`, which setuptools wrote when the archive was made.

use super::super::core_metadata::MetadataFile;
use super::requirement_lines::{from_section, logical_lines};

/// What an `*.egg-info` folder holds.
#[derive(Debug, Default)]
pub struct EggInfo {
    pub pkg_info: Option<MetadataFile>,
    /// The text of `requires.txt`; without one nothing is needed.
    pub requires: Option<Vec<u8>>,
}

/// Requirements, extras' ones included, and the names of all extras.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requirements {
    /// What is always needed, as `Requires-Dist` has it.
    pub base: Vec<String>,
    /// What extras need, likewise.
    pub optional: Vec<String>,
    pub extras: Vec<String>,
}

/// Reads a `requires.txt`: lines, then sections `[extra]`, `[:marker]` and `[extra:marker]`.
/// Absent where it cannot be read in full.
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
    /// Adds `lines` of the section `[name]`; the empty name is for those that are always needed.
    /// Absent where the section or a line cannot be read.
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

    /// Everything, with and without extras.
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
