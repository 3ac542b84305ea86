//! Reads pip's configuration files as pip does: INI text by the rules of Python's `RawConfigParser`
//! (`docs/facts/pip.md` 3.10).

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// One value of one file.
///
/// Values may hold credentials, so `Debug` hides them.
#[derive(Clone, PartialEq, Eq)]
pub struct PipSetting {
    pub file: PathBuf,
    /// The section: `global`, or the name of a command.
    pub section: String,
    /// The key in lower case with dashes, such as `index-url`.
    pub key: String,
    pub value: String,
}

impl fmt::Debug for PipSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}.{} = ****", self.file.display(), self.section, self.key)
    }
}

/// The values of all files, weakest file first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PipSettings(Vec<PipSetting>);

/// The error for an invalid configuration file; it does not quote the text, since that may hold
/// credentials.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}:{line}: {why}; pip cannot read this configuration file either, so mend it, or point PIP_CONFIG_FILE elsewhere",
    file.display())]
pub struct PipSettingsError {
    pub file: PathBuf,
    pub line: usize,
    pub why: &'static str,
}

impl PipSettings {
    /// Reads those of `files` that exist, weakest first.
    pub(super) fn read(files: &[PathBuf]) -> Result<Self, PipSettingsError> {
        let mut settings = Self::default();
        for file in files {
            if let Ok(bytes) = fs::read(file) {
                settings.0.extend(parse(&String::from_utf8_lossy(&bytes), file)?);
            }
        }
        Ok(settings)
    }

    /// Parses the text of one file.
    ///
    /// # Errors
    /// When pip refuses the text, too.
    pub fn parse(text: &str, file: &Path) -> Result<Self, PipSettingsError> {
        parse(text, file).map(Self)
    }

    /// Returns the value of `key` for a command.
    ///
    /// The command's own section takes precedence over `[global]`, then the stronger file; empty
    /// values do not count.
    pub fn get(&self, command: &str, key: &str) -> Option<&PipSetting> {
        let last = |section: &str| {
            let mut found = self.0.iter().rev().filter(|setting| setting.section == section && setting.key == key);
            found.find(|setting| !setting.value.is_empty())
        };
        last(command).or_else(|| last("global"))
    }

    pub fn iter(&self) -> impl Iterator<Item = &PipSetting> {
        self.0.iter()
    }
}

/// The section whose values all other sections inherit.
const DEFAULTS: &str = "DEFAULT";

fn parse(text: &str, file: &Path) -> Result<Vec<PipSetting>, PipSettingsError> {
    let mut reader = ConfigReader { file, settings: Vec::new(), sections: Vec::new(), indent: None };
    for (number, line) in text.lines().enumerate() {
        let why = reader.read_line(line);
        why.map_err(|why| PipSettingsError { file: file.to_owned(), line: number + 1, why })?;
    }
    Ok(reader.finish())
}

struct ConfigReader<'a> {
    file: &'a Path,
    settings: Vec<PipSetting>,
    /// The sections so far, of which the last one is being read.
    sections: Vec<String>,
    /// The indentation of the key being read, whose value continues on lines that are indented
    /// more.
    indent: Option<usize>,
}

impl ConfigReader<'_> {
    fn read_line(&mut self, line: &str) -> Result<(), &'static str> {
        let content = line.trim();
        let indent = line.len() - line.trim_start().len();
        if content.is_empty() || content.starts_with(['#', ';']) {
            return Ok(());
        }
        if let (Some(key), Some(setting)) = (self.indent, self.settings.last_mut())
            && indent > key
        {
            setting.value = format!("{}\n{content}", setting.value);
            return Ok(());
        }
        self.indent = None;
        if let Some((section, _)) = content.strip_prefix('[').and_then(|rest| rest.rsplit_once(']')) {
            return self.open(section);
        }
        self.add(content, indent)
    }

    fn open(&mut self, section: &str) -> Result<(), &'static str> {
        if section != DEFAULTS && self.sections.iter().any(|open| open == section) {
            return Err("the section is there twice");
        }
        self.sections.push(section.to_owned());
        Ok(())
    }

    fn add(&mut self, content: &str, indent: usize) -> Result<(), &'static str> {
        let section = self.sections.last().ok_or("there is no `[section]` before it")?.clone();
        let (key, value) = content.split_once(['=', ':']).ok_or("there is no `=` in it")?;
        let key = normalized(key.trim_end());
        if key.is_empty() {
            return Err("there is no name before the `=`");
        }
        if self.settings.iter().any(|other| other.section == section && other.key == key) {
            return Err("the same name is there twice in its section");
        }
        self.indent = Some(indent);
        self.settings.push(PipSetting { file: self.file.to_owned(), section, key, value: value.trim().to_owned() });
        Ok(())
    }

    /// Adds to every section the defaults that it does not set itself.
    fn finish(self) -> Vec<PipSetting> {
        let (defaults, mut settings): (Vec<_>, Vec<_>) =
            self.settings.into_iter().partition(|setting| setting.section == DEFAULTS);
        for section in self.sections.iter().filter(|section| *section != DEFAULTS) {
            for default in &defaults {
                let is_set = settings.iter().any(|own| own.section == *section && own.key == default.key);
                if !is_set {
                    settings.push(PipSetting { section: section.clone(), ..default.clone() });
                }
            }
        }
        settings
    }
}

/// Returns a key in pip's form, `index-url` for `--Index_URL`.
fn normalized(key: &str) -> String {
    let key = key.to_lowercase().replace('_', "-");
    key.strip_prefix("--").map(str::to_owned).unwrap_or(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(texts: &[&str]) -> PipSettings {
        let files = texts.iter().enumerate();
        PipSettings(files.flat_map(|(n, text)| parse(text, Path::new(&format!("{n}.conf"))).unwrap()).collect())
    }

    fn value<'a>(settings: &'a PipSettings, command: &str, key: &str) -> Option<&'a str> {
        settings.get(command, key).map(|setting| setting.value.as_str())
    }

    /// `[install]` in the weakest file beats `[global]` in the strongest (`docs/facts/pip.md` 3.10).
    #[test]
    fn the_section_of_the_command_beats_the_stronger_file() {
        let settings = read(&["[install]\ntimeout = 1\n[global]\nretries=2", "[global]\ntimeout=3\nretries=4\nproxy="]);
        assert_eq!(value(&settings, "install", "timeout"), Some("1"));
        assert_eq!(value(&settings, "download", "timeout"), Some("3"));
        assert_eq!(value(&settings, "install", "retries"), Some("4"));
        assert_eq!(value(&settings, "install", "proxy"), None);
        assert_eq!(settings.get("install", "retries").unwrap().file, Path::new("1.conf"));
    }

    /// The results of Python 3.11's `RawConfigParser` for the same text, except for blank lines
    /// within a value.
    #[test]
    fn text_is_read_as_by_python() {
        let text = "# c\n[global]\r\n--Index_URL : https://index.example/simple\nfind-links =\n    a # b\n  ; c\n\n    d\n\
                    x = 1 ; 2\n[DEFAULT]\nx = 3\ny = 4\n";
        let settings = read(&[text]);
        assert_eq!(value(&settings, "install", "index-url"), Some("https://index.example/simple"));
        assert_eq!(value(&settings, "install", "find-links"), Some("\na # b\nd"));
        assert_eq!(value(&settings, "install", "x"), Some("1 ; 2"));
        assert_eq!(value(&settings, "install", "y"), Some("4"));
    }

    #[test]
    fn what_pip_refuses_is_refused_without_showing_it() {
        for (text, line) in [
            ("index-url = https://me:hunter2@index.example", 1),
            ("[global]\nhunter2", 2),
            ("[global]\n= hunter2", 2),
            ("[global]\na=1\nA=hunter2", 3),
            ("[global]\n[global]", 2),
        ] {
            let error = parse(text, Path::new("pip.conf")).unwrap_err();
            assert_eq!(error.line, line, "{text}");
            assert!(!format!("{error} {error:?}").contains("hunter2"));
        }
        let settings = read(&["[global]\nindex-url = https://me:hunter2@index.example"]);
        assert!(!format!("{settings:?}").contains("hunter2"));
    }
}
