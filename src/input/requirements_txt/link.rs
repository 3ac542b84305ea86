//! URLs in requirements: their kinds, fragments and targets (`docs/facts/pip.md` 1.6 and 2.4).

use std::path::PathBuf;

use percent_encoding::percent_decode_str;
use url::Url;

use crate::domain::{MaskedUrl, PackageName, Source, WheelFilename};
use crate::input::location::normalize;
use crate::input::{InputSource, PathKind};

use super::ParseFault;

/// The version control systems that pip supports, each with what may follow its `+`.
const REPOSITORIES: [(&str, &[&str]); 4] = [
    ("git", &["http", "https", "ssh", "git", "file"]),
    ("hg", &["file", "http", "https", "ssh", "static-http"]),
    ("svn", &["ssh", "http", "https", "svn", "file"]),
    ("bzr", &["http", "https", "ssh", "sftp", "ftp", "lp", "file"]),
];

/// Returns the scheme of a URL in lower case.
pub fn scheme(text: &str) -> Option<String> {
    let (scheme, _) = text.split_once(':')?;
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic()) && scheme.bytes().all(is_part);
    is_scheme.then(|| scheme.to_ascii_lowercase())
}

/// Whether pip takes the text for a URL rather than a name or path.
pub fn is_url(text: &str) -> bool {
    let is_web = |scheme: &str| matches!(scheme, "http" | "https" | "file" | "ftp");
    scheme(text).is_some_and(|scheme| is_web(&scheme) || is_repository_scheme(&scheme))
}

/// Whether the text is the URL of a repository.
pub fn is_repository(text: &str) -> bool {
    scheme(text).is_some_and(|scheme| is_repository_scheme(&scheme))
}

fn is_repository_scheme(scheme: &str) -> bool {
    let Some((system, transport)) = scheme.split_once('+') else { return false };
    REPOSITORIES.iter().any(|(name, transports)| *name == system && transports.contains(&transport))
}

/// Returns `git://…` with the `git+` that pip puts before it.
pub fn with_system(text: &str) -> Option<String> {
    let scheme = scheme(text)?;
    REPOSITORIES.iter().any(|(name, _)| *name == scheme).then(|| format!("{scheme}+{text}"))
}

/// Returns the project that `#egg=` names.
///
/// # Errors
/// When its value is no project name.
pub fn egg(url: &str) -> Result<Option<PackageName>, ParseFault> {
    let Some(at) = url.find("#egg=").into_iter().chain(url.find("&egg=")).min() else { return Ok(None) };
    let start = at + "#egg=".len();
    let value = url[start..].split('&').next().unwrap_or_default();
    match value.parse() {
        Ok(name) if !value.is_empty() => Ok(Some(name)),
        _ => {
            let why = format!("`egg={value}` must be a bare project name: {}", bare_egg(value));
            Err(ParseFault::at(start, why))
        }
    }
}

/// Returns what to write instead of a value of `#egg=` that is no project name.
fn bare_egg(value: &str) -> String {
    let name = value.split(['[', '=', '<', '>', '!', '~']).next().unwrap_or_default();
    if name.is_empty() || name.parse::<PackageName>().is_err() {
        "name the project as in `name @ URL` instead".to_owned()
    } else if value.contains('[') {
        format!("write `egg={name}`, or leave it out, and put extras before the URL, as in `{name}[extra] @ URL`")
    } else {
        format!("write `egg={name}`, or leave it out: a URL has one version")
    }
}

/// Returns the last part of a URL's path, percent-decoded.
pub fn filename(url: &str) -> String {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let path = path.split_once("://").map_or(path, |(_, rest)| rest.split_once('/').map_or("", |(_, path)| path));
    let decoded = percent_decode_str(path.trim_end_matches('/')).decode_utf8_lossy();
    decoded.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned()
}

/// Returns the project in a wheel's file name; `None` for another file.
///
/// # Errors
/// When the file is called `.whl` and its name is not that of a wheel.
pub fn wheel_project(filename: &str) -> Result<Option<PackageName>, ParseFault> {
    if !filename.ends_with(".whl") || filename == ".whl" {
        return Ok(None);
    }
    match filename.parse::<WheelFilename>() {
        Ok(wheel) => Ok(Some(wheel.name)),
        Err(error) => Err(ParseFault::new(format!("`{filename}` is no file name of a wheel: {error}"))),
    }
}

/// Returns the source that a URL stands for, and what pip will find wrong with it later, if
/// anything.
///
/// # Errors
/// When pip cannot use the URL.
pub fn source(url: &str, input_source: &dyn InputSource) -> Result<(Source, Option<ParseFault>), ParseFault> {
    match scheme(url).as_deref() {
        Some(scheme) if is_repository_scheme(scheme) => Ok((Source::Repository(url.to_owned()), None)),
        Some("file") => file_source(url, input_source),
        Some("http" | "https" | "ftp") => match url.parse() {
            Ok(url) => Ok((Source::Url(url), None)),
            Err(error) => Err(ParseFault::new(format!("`{url}` is no URL: {error}"))),
        },
        _ => Err(ParseFault::new(no_url(url))),
    }
}

fn no_url(text: &str) -> String {
    let advice = match text.split_once(':') {
        Some((host, path)) if host.contains('.') && !path.starts_with("//") => {
            format!("a repository is written git+ssh://git@{host}/{path}")
        }
        _ => "after `@` comes https://…, file:///… or git+https://…".to_owned(),
    };
    format!("`{text}` is no URL; {advice}")
}

fn file_source(url: &str, input_source: &dyn InputSource) -> Result<(Source, Option<ParseFault>), ParseFault> {
    let path = file_path(url, input_source)?;
    if let PathKind::Folder { .. } = input_source.path_kind(&path) {
        return Ok((Source::Project(path), None));
    }
    let is_missing = input_source.path_kind(&path) == PathKind::Missing;
    let deferred = is_missing.then(|| ParseFault::new(format!("there is no file {}", path.display())));
    let mut absolute =
        Url::from_file_path(&path).map_err(|()| ParseFault::new(format!("`{url}` is no URL of a local file")))?;
    absolute.set_fragment(url.split_once('#').map(|(_, fragment)| fragment));
    Ok((Source::Url(MaskedUrl::new(absolute)), deferred))
}

/// Returns the path of a `file:` URL; as in pip a relative one starts at the working folder.
fn file_path(url: &str, input_source: &dyn InputSource) -> Result<PathBuf, ParseFault> {
    let location = url["file:".len()..].split(['?', '#']).next().unwrap_or_default();
    if location.starts_with('/') {
        let parsed = Url::parse(url).ok().and_then(|url| url.to_file_path().ok());
        return parsed.ok_or_else(|| ParseFault::new(format!("`{url}` names a file of another host")));
    }
    let relative = percent_decode_str(location).decode_utf8_lossy();
    Ok(normalize(&input_source.working_folder().join(relative.as_ref())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_and_what_is_none() {
        for text in ["HTTPS://h/x", "file:x", "git+ssh://git@h/r", "hg+static-http://h/r", "bzr+lp:x", "ftp://h/x"] {
            assert!(is_url(text), "{text}");
        }
        for text in ["git://h/r", "git@h:r.git", "C:\\x", "foo", "git+foo://h", "1http://h", "foo @ https://h"] {
            assert!(!is_url(text), "{text}");
        }
        assert_eq!(with_system("git://h/r").as_deref(), Some("git+git://h/r"));
        assert_eq!(with_system("https://h/r"), None);
    }

    #[test]
    fn fragments_and_file_names() {
        assert_eq!(egg("https://h/r#subdirectory=s&egg=Foo_x&y").unwrap().unwrap().as_ref(), "foo-x");
        assert_eq!(egg("https://h/r#sha256=00").unwrap(), None);
        for url in ["git+https://h/r#egg=foo[bar]", "https://h/r#egg=", "https://h/r#egg=foo==1"] {
            assert!(egg(url).is_err(), "{url}");
        }
        assert_eq!(filename("https://h/a/b%2Bc.whl/?q#f"), "b+c.whl");
        assert_eq!(filename("https://h.whl"), "");
        assert_eq!(filename("file:x.whl"), "file:x.whl");
        assert!(wheel_project("bad.whl").is_err());
        assert_eq!(wheel_project("a-1-py3-none-any.whl[x]").unwrap(), None);
    }
}
