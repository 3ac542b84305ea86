//! `.pypirc`, where twine and others look up registries: their URLs, users and passwords.

use std::collections::BTreeSet;
use std::path::PathBuf;

use url::Url;

use crate::cli::error::CliError;
use crate::cli::host::environment::Environment;
use crate::domain::{MaskedUrl, mask_credentials};
use crate::interpreter::PipSettings;

/// The variables that twine reads, of which the password is also what its documentation has in CI.
const VARIABLES: [&str; 2] = ["TWINE_USERNAME", "TWINE_PASSWORD"];

/// Returns the registry that is named by its URL, or by its section in `~/.pypirc`.
///
/// Its user and password are those of the URL, else of twine's variables, else of the section that
/// has this URL.
///
/// # Errors
/// When the text is no URL of a server and no section, or the file cannot be read.
pub fn registry(text: &str, environment: &Environment) -> Result<MaskedUrl, CliError> {
    let file = PypiRc::read(environment)?;
    let section = match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => file.with_url(&url),
        Ok(url) if text.contains("://") => {
            return Err(CliError::usage(format!("{}:// takes no uploads", url.scheme()))
                .hint("name a registry by its http:// or https:// URL, or by its section in ~/.pypirc"));
        }
        _ => Some(file.named(text)?),
    };
    let location = section.as_ref().filter(|_| !text.contains("://")).map_or(text, |section| &section.repository);
    let mut url = Url::parse(location)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"))
        .ok_or_else(|| CliError::usage(format!("`{}` is no URL of a registry", mask_credentials(location))))?;
    if url.username().is_empty() && url.password().is_none() {
        let variable = VARIABLES.map(|name| environment.variable(name));
        let [user, password] = match (variable, section) {
            ([None, None], Some(section)) => [section.username, section.password],
            (given, _) => given,
        };
        // Both fail only for URLs that cannot have credentials.
        let _ = url.set_username(&user.unwrap_or_default());
        let _ = url.set_password(password.as_deref());
    }
    Ok(MaskedUrl::new(url))
}

/// The registries of a `.pypirc` file.
struct PypiRc {
    path: Option<PathBuf>,
    sections: Vec<PypiRcSection>,
}

/// A registry.
#[derive(Clone)]
struct PypiRcSection {
    name: String,
    repository: String,
    username: Option<String>,
    password: Option<String>,
}

impl PypiRc {
    fn read(environment: &Environment) -> Result<Self, CliError> {
        let home = environment.variable("HOME").or_else(|| environment.variable("USERPROFILE"));
        let path = home.map(|home| PathBuf::from(home).join(".pypirc"));
        let Some(bytes) = path.as_ref().and_then(|path| std::fs::read(path).ok()) else {
            return Ok(Self { path, sections: Vec::new() });
        };
        let file = path.clone().unwrap_or_default();
        // By the rules of pip's own files: both are read by Python's `RawConfigParser`.
        let settings = PipSettings::parse(&String::from_utf8_lossy(&bytes), &file)
            .map_err(|error| CliError::usage(format!("{}:{}: {}", file.display(), error.line, error.why)))?;
        Ok(Self { path, sections: sections(&settings) })
    }

    fn with_url(&self, url: &Url) -> Option<PypiRcSection> {
        let is_same = |section: &&PypiRcSection| {
            Url::parse(&section.repository)
                .is_ok_and(|own| own.as_str().trim_end_matches('/') == url.as_str().trim_end_matches('/'))
        };
        self.sections.iter().find(is_same).cloned()
    }

    fn named(&self, name: &str) -> Result<PypiRcSection, CliError> {
        let found = self.sections.iter().find(|section| section.name == name);
        found.cloned().ok_or_else(|| {
            let names: Vec<_> = self.sections.iter().map(|section| section.name.as_str()).collect();
            let there = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            let file = self.path.as_ref().map_or_else(|| "~/.pypirc".to_owned(), |path| path.display().to_string());
            CliError::usage(format!(
                "`{}` is no URL, and no section of {file} with a `repository`",
                mask_credentials(name)
            ))
            .hint(format!("name the registry by its URL (https://…), or by a section there (known: {there})"))
        })
    }
}

/// Returns the sections that name a repository, in order.
fn sections(settings: &PipSettings) -> Vec<PypiRcSection> {
    let value = |section: &str, key: &str| {
        let mut found = settings.iter().filter(|setting| setting.section == section && setting.key == key);
        found.next().map(|setting| setting.value.clone()).filter(|value| !value.is_empty())
    };
    let mut seen = BTreeSet::new();
    let names = settings.iter().map(|setting| setting.section.as_str()).filter(|name| seen.insert(*name));
    let section = |name: &str| {
        Some(PypiRcSection {
            name: name.to_owned(),
            repository: value(name, "repository")?,
            username: value(name, "username"),
            password: value(name, "password"),
        })
    };
    names.filter_map(section).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn sections_with_a_repository_are_registries() {
        let text = "[distutils]\nindex-servers =\n  team\n  other\n[team]\nrepository: https://team.example/up/\n\
                    username = me\npassword = 100%sure\n[other]\nusername = you\n";
        let settings = PipSettings::parse(text, Path::new(".pypirc")).unwrap();
        let file = PypiRc { path: None, sections: sections(&settings) };
        let found = file.with_url(&"https://team.example/up".parse().unwrap()).unwrap();
        assert_eq!((found.name.as_str(), found.password.as_deref()), ("team", Some("100%sure")));
        assert!(file.with_url(&"https://team.example/".parse().unwrap()).is_none());
        assert!(file.named("team").is_ok());
        let error = file.named("other").err().unwrap();
        assert!(error.summary().contains("`other`") && error.hints[0].contains("known: team"), "{error:?}");
    }
}
