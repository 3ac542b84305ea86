//! Repositories in URLs of requirements, as pip reads them: `git+https://host/repo@revision`.

use std::borrow::Cow;
use std::fmt;
use std::path::{Component, Path};

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use url::Url;

use super::{MaskedUrl, mask_credentials, without_login};

/// A git repository, with the requested revision and folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepositoryUrl {
    /// The address for git, which may hold a password.
    address: String,
    /// A branch, a tag or a commit; `None` for the repository's default branch.
    pub revision: Option<String>,
    /// The project's folder in the repository, with `/` between its parts.
    pub subdirectory: Option<String>,
}

/// Why the URL of a repository cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RepositoryUrlError {
    #[error("repositories of {0} are not read, only those of git; build a wheel from it and name that")]
    System(String),
    #[error("`{0}` is no way to a git repository; write git+https://, git+ssh:// or git+file://")]
    Transport(String),
    #[error("`{0}` is no revision: it is empty or begins with a dash")]
    Revision(String),
    #[error("the subdirectory `{0}` leads out of the repository")]
    Subdirectory(String),
}

/// The allowed transports of git; `ext::` would run a command.
const TRANSPORTS: [&str; 5] = ["https", "http", "ssh", "git", "file"];

/// Returns the URL of git's short spelling, `git@host:owner/repo`, which has no scheme; any other text stays
/// as it is.
pub fn git_url(text: &str) -> Cow<'_, str> {
    let is_short = |(host, path): &(&str, &str)| {
        host.contains(['@', '.']) && !host.contains(['/', '\\', '+']) && !path.is_empty() && !path.starts_with("//")
    };
    match text.split_once(':').filter(is_short) {
        Some((host, path)) => Cow::Owned(format!("ssh://{host}/{}", path.trim_start_matches('/'))),
        None => Cow::Borrowed(text),
    }
}

/// A login for the HTTP of one host; it is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpLogin {
    /// The host, as a URL without a path: `https://host.example:8443`.
    pub origin: String,
    pub username: String,
    pub password: String,
}

impl fmt::Debug for HttpLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a login for {}", self.origin)
    }
}

impl RepositoryUrl {
    /// Parses pip's form: `git+https://host/repo@revision#subdirectory=folder`.
    ///
    /// # Errors
    /// When it is of another system than git, or holds what git could mistake for an option, a
    /// command or another folder.
    pub fn parse(text: &str) -> Result<Self, RepositoryUrlError> {
        let (scheme, _) = text.split_once(':').unwrap_or((text, ""));
        let (system, transport) = scheme.split_once('+').unwrap_or(("", scheme));
        if !system.eq_ignore_ascii_case("git") {
            return Err(RepositoryUrlError::System(system.to_owned()));
        }
        let (url, fragment) = text.split_once('#').unwrap_or((text, ""));
        let (_, url) = url.split_once('+').unwrap_or(("", url));
        let rest = url.split_once("://").map(|(_, rest)| rest);
        let is_known = TRANSPORTS.iter().any(|known| transport.eq_ignore_ascii_case(known));
        let Some(rest) = rest.filter(|rest| is_known && !rest.starts_with('-')) else {
            return Err(RepositoryUrlError::Transport(transport.to_owned()));
        };
        // An `@` before the path divides a user from a host.
        let path = url.len() - rest.len() + rest.find('/').unwrap_or(rest.len());
        let (address, revision) = match url[path..].rsplit_once('@') {
            Some((before, revision)) => (&url[..path + before.len()], Some(revision.to_owned())),
            None => (url, None),
        };
        let subdirectory = fragment.split('&').find_map(|part| part.strip_prefix("subdirectory="));
        Ok(Self {
            address: address.to_owned(),
            revision: revision.map(check_revision).transpose()?,
            subdirectory: subdirectory.map(check_subdirectory).transpose()?,
        })
    }

    /// Returns the address for git itself, with its password.
    pub fn secret_address(&self) -> &str {
        &self.address
    }

    /// Returns the address without user and password.
    pub fn public_address(&self) -> String {
        let public = self.address.parse().map(|url: MaskedUrl| url.public());
        public.unwrap_or_else(|_| mask_credentials(&self.address).into_owned())
    }

    /// Returns the address without password, and for HTTP without the user name, which may be a token: what
    /// others may see on a command line, and what relative addresses of submodules start from.
    pub fn public_origin(&self) -> String {
        match self.address.parse::<Url>() {
            Ok(url) if !url.scheme().eq_ignore_ascii_case("ssh") => without_login(&url).into(),
            _ => self.address.clone(),
        }
    }

    /// Returns the login in the address; `None` if it has no user, or is not one of HTTP.
    pub fn http_login(&self) -> Option<HttpLogin> {
        let url: Url = self.address.parse().ok()?;
        let has_user = !url.username().is_empty() || url.password().is_some();
        let is_http = matches!(url.scheme(), "http" | "https");
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        (has_user && is_http).then(|| HttpLogin {
            origin: url.origin().ascii_serialization(),
            username: decoded(url.username()),
            password: decoded(url.password().unwrap_or_default()),
        })
    }

    /// Whether it is on this machine, so that no network is needed.
    pub fn is_local(&self) -> bool {
        self.address.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("file:"))
    }
}

impl fmt::Display for RepositoryUrl {
    /// Writes the URL in pip's form, with secrets masked.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "git+{}", mask_credentials(&self.address))?;
        self.revision.iter().try_for_each(|revision| write!(f, "@{revision}"))?;
        self.subdirectory.iter().try_for_each(|folder| write!(f, "#subdirectory={folder}"))
    }
}

fn check_revision(revision: String) -> Result<String, RepositoryUrlError> {
    let is_usable = !revision.is_empty() && !revision.starts_with('-') && !revision.contains([':', ' ', '\0']);
    if is_usable { Ok(revision) } else { Err(RepositoryUrlError::Revision(revision)) }
}

fn check_subdirectory(folder: &str) -> Result<String, RepositoryUrlError> {
    let parts = Path::new(folder).components().filter(|part| *part != Component::CurDir).map(|part| match part {
        Component::Normal(part) => part.to_str(),
        _ => None,
    });
    match parts.collect::<Option<Vec<_>>>() {
        Some(parts) if !parts.is_empty() => Ok(parts.join("/")),
        _ => Err(RepositoryUrlError::Subdirectory(folder.to_owned())),
    }
}

/// The commit that a source archive was packed from, as in PEP 610 (`vcs_info`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VcsInfo {
    /// The repository, without user and password.
    pub url: String,
    /// The branch, tag or commit that was requested.
    pub requested_revision: Option<String>,
    /// The full hash of the commit.
    pub commit_id: String,
    pub subdirectory: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gits_short_spelling_becomes_a_url() {
        for (text, url) in [
            ("git@host.example:me/r.git", "ssh://git@host.example/me/r.git"),
            ("host.example:/srv/r", "ssh://host.example/srv/r"),
            ("git@host.example:~me/r", "ssh://git@host.example/~me/r"),
            ("https://me@host.example:8443/r", "https://me@host.example:8443/r"),
            ("ssh://git@host.example/r", "ssh://git@host.example/r"),
            ("C:\\repos\\r", "C:\\repos\\r"),
            ("../r.git", "../r.git"),
        ] {
            assert_eq!(git_url(text), url, "{text}");
        }
        let read = RepositoryUrl::parse(&format!("git+{}@v1", git_url("git@host.example:me/r"))).unwrap();
        assert_eq!((read.secret_address(), read.revision.as_deref()), ("ssh://git@host.example/me/r", Some("v1")));
    }

    #[test]
    fn the_revision_follows_the_last_at_sign_of_the_path() {
        for (text, address, revision, subdirectory) in [
            ("git+https://h.example/r", "https://h.example/r", None, None),
            ("git+https://h.example/r.git@v1#egg=r", "https://h.example/r.git", Some("v1"), None),
            ("git+ssh://git@h.example/me/r@feature/x", "ssh://git@h.example/me/r", Some("feature/x"), None),
            ("git+ssh://git@h.example", "ssh://git@h.example", None, None),
            (
                "git+https://me:pw@h.example/a@b/r@1#subdirectory=a/b&egg=r",
                "https://me:pw@h.example/a@b/r",
                Some("1"),
                Some("a/b"),
            ),
            ("GIT+FILE:///srv/r#egg=r&subdirectory=./x/", "FILE:///srv/r", None, Some("x")),
        ] {
            let url = RepositoryUrl::parse(text).unwrap();
            assert_eq!(
                (url.secret_address(), url.revision.as_deref(), url.subdirectory.as_deref()),
                (address, revision, subdirectory)
            );
            assert_eq!(url.is_local(), text.contains("FILE"));
        }
        let url = RepositoryUrl::parse("git+https://me:pw@h.example/r@1#subdirectory=a").unwrap();
        assert_eq!(url.to_string(), "git+https://****@h.example/r@1#subdirectory=a");
    }

    #[test]
    fn a_login_is_part_of_no_public_address() {
        let url = RepositoryUrl::parse("git+https://me:p%40w@h.example:8443/a/r@1").unwrap();
        assert_eq!(url.public_origin(), "https://h.example:8443/a/r");
        let login = url.http_login().unwrap();
        assert_eq!([&*login.origin, &login.username, &login.password], ["https://h.example:8443", "me", "p@w"]);
        for text in ["git+https://h.example/r", "git+ssh://git@h.example/r", "git+file:///srv/r"] {
            let url = RepositoryUrl::parse(text).unwrap();
            assert_eq!((url.http_login(), url.public_origin()), (None, text["git+".len()..].to_owned()));
        }
    }

    #[test]
    fn what_git_could_take_for_something_else_is_refused() {
        use RepositoryUrlError as Error;
        let error = |text: &str| RepositoryUrl::parse(text).unwrap_err();
        assert_eq!(error("hg+https://h.example/r"), Error::System("hg".into()));
        assert_eq!(error("git+ext::sh -c touch% x"), Error::Transport("ext".into()));
        assert_eq!(error("git+ssh://-oProxyCommand=x/r"), Error::Transport("ssh".into()));
        assert_eq!(error("git+https:h.example/r"), Error::Transport("https".into()));
        assert_eq!(error("git+https://h.example/r@--upload-pack=x"), Error::Revision("--upload-pack=x".into()));
        assert_eq!(error("git+https://h.example/r@"), Error::Revision(String::new()));
        assert_eq!(error("git+https://h.example/r@a:b"), Error::Revision("a:b".into()));
        for folder in ["..", "a/../..", "/etc", ""] {
            assert_eq!(
                error(&format!("git+https://h.example/r#subdirectory={folder}")),
                Error::Subdirectory(folder.into())
            );
        }
    }
}
