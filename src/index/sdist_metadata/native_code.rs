//! What a build compiles and downloads, by the names of an archive's files.

use std::collections::BTreeSet;
use std::io::{self, Read};

/// The languages of source files, by their endings.
const LANGUAGES: [(&str, &[&str]); 5] = [
    ("C", &["c", "pyx"]),
    ("C++", &["cc", "cpp", "cxx"]),
    ("Fortran", &["f", "f77", "f90", "f95"]),
    ("Rust", &["rs"]),
    ("Go", &["go"]),
];

/// Folders whose files no build compiles.
const OTHER_FOLDERS: [&str; 7] = ["test", "tests", "testing", "doc", "docs", "example", "examples"];

/// What CMake downloads with, while it configures or builds.
const CMAKE_DOWNLOADS: [&str; 4] = ["FetchContent_Declare", "ExternalProject_Add", "CPMAddPackage", "file(DOWNLOAD"];

/// The largest `CMakeLists.txt` that is searched, in bytes.
const LONGEST_CMAKE: u64 = 1 << 20;

/// The signs of compiled code in a source archive, and of builds that download more of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct NativeCode {
    /// Languages that take a compiler.
    pub languages: BTreeSet<&'static str>,
    /// Whether there is a manifest of a Rust crate, whose build fetches what that needs.
    pub has_crate: bool,
    /// The file and command by which CMake downloads.
    pub cmake_download: Option<String>,
}

impl NativeCode {
    /// Takes note of the file at `path`, below the archive's top folder.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn note(&mut self, path: &str, file: impl Read) -> io::Result<()> {
        let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
        if folders.split('/').any(|folder| OTHER_FOLDERS.contains(&folder)) {
            return Ok(());
        }
        self.has_crate |= name == "Cargo.toml";
        if name == "CMakeLists.txt" && self.cmake_download.is_none() {
            let mut text = Vec::new();
            file.take(LONGEST_CMAKE).read_to_end(&mut text)?;
            let text = String::from_utf8_lossy(&text);
            let command = CMAKE_DOWNLOADS.iter().find(|command| text.contains(**command));
            self.cmake_download = command.map(|command| format!("{command} in {path}"));
        }
        let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
        let language = LANGUAGES.iter().find(|(_, endings)| endings.contains(&ending));
        self.languages.extend(language.map(|(language, _)| *language));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(files: &[(&str, &str)]) -> NativeCode {
        let mut native = NativeCode::default();
        for (path, text) in files {
            native.note(path, text.as_bytes()).unwrap();
        }
        native
    }

    #[test]
    fn languages_are_told_by_the_endings_of_files_that_builds_use() {
        let native = of(&[("src/a.c", ""), ("b.cpp", ""), ("tests/c.f90", ""), ("setup.py", ""), ("README", "")]);
        assert_eq!(Vec::from_iter(native.languages), ["C", "C++"]);
        assert!(of(&[("rust/Cargo.toml", "")]).has_crate && !of(&[("docs/Cargo.toml", "")]).has_crate);
    }

    #[test]
    fn downloads_of_cmake_are_named() {
        let native = of(&[("CMakeLists.txt", "project(x)"), ("lib/CMakeLists.txt", "FetchContent_Declare(y URL z)")]);
        assert_eq!(native.cmake_download.as_deref(), Some("FetchContent_Declare in lib/CMakeLists.txt"));
        assert_eq!(of(&[("CMakeLists.txt", "project(x)")]).cmake_download, None);
    }
}
