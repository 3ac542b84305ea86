//! Certificates, proxies and time-outs: how connections are made.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use memchr::memmem;
use reqwest::{Certificate, Client, Identity};

use super::error::{HttpError, with_causes};
use super::{Authorities, HttpSettings};

/// A stream may run this far ahead of its reader, in bytes: at 1 Gbit/s and 20 ms, 2.5 MB are
/// under way.
const STREAM_WINDOW: u32 = 2 << 20;

/// All streams of a connection together, likewise.
const CONNECTION_WINDOW: u32 = 16 << 20;

/// How a request travels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Line {
    /// With all others to its host, where HTTP/2 is offered: for many small answers.
    #[default]
    Shared,
    /// On a connection of its own, by HTTP/1.1: what one connection carries over a long way is
    /// bounded by its windows, and large files need more (measured: `docs/network.md`).
    Own,
}

/// The clients of a run, each made when it is first needed.
#[derive(Debug, Default)]
pub(super) struct Connectors {
    /// By whether they believe any certificate, and by their line.
    made: [[OnceLock<Client>; 2]; 2],
    /// Those of the settings, once they were read: hundreds, which all clients share. Whoever makes
    /// a client holds them, so that the first requests do not each make one.
    certificates: Mutex<Option<Vec<Certificate>>>,
}

impl Connectors {
    /// The client by `settings`, which are always the same; one that is `trusting` believes any
    /// certificate.
    ///
    /// # Errors
    /// When a certificate cannot be used, or a proxy is no URL.
    pub fn get(&self, settings: &HttpSettings, trusting: bool, line: Line) -> Result<&Client, HttpError> {
        let cell = &self.made[usize::from(trusting)][usize::from(line == Line::Own)];
        if let Some(client) = cell.get() {
            return Ok(client);
        }
        let mut known = self.certificates.lock().unwrap_or_else(PoisonError::into_inner);
        if let (None, Some(authorities)) = (&*known, &settings.authorities) {
            *known = Some(certificates(authorities)?);
        }
        match cell.get() {
            Some(client) => Ok(client),
            None => connector(settings, known.clone(), trusting, line).map(|client| cell.get_or_init(|| client)),
        }
    }
}

/// A client that follows no redirects, since each hop has its own credentials and its own trust,
/// and unpacks nothing, since the bytes of files count as they are.
fn connector(
    settings: &HttpSettings,
    certificates: Option<Vec<Certificate>>,
    trusting: bool,
    line: Line,
) -> Result<Client, HttpError> {
    let wrong = |error: &dyn std::fmt::Display| HttpError::Settings(error.to_string());
    // A second installation, by another client, finds the first one in place.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder()
        .user_agent(concat!("prefetch/", env!("CARGO_PKG_VERSION")))
        .no_gzip()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(settings.timeout)
        .read_timeout(settings.timeout)
        .no_proxy()
        .http2_initial_stream_window_size(STREAM_WINDOW)
        .http2_initial_connection_window_size(CONNECTION_WINDOW)
        .tls_danger_accept_invalid_certs(trusting);
    if let Some(certificates) = certificates {
        builder = builder.tls_certs_only(certificates);
    }
    if let Some(path) = &settings.client_certificate {
        builder = builder.identity(identity(path)?);
    }
    if line == Line::Own {
        builder = builder.http1_only();
    }
    for proxy in settings.proxies.all() {
        // Its own words would repeat the password of the proxy.
        builder = builder.proxy(proxy.map_err(|_| wrong(&"the proxy is no URL"))?);
    }
    builder.build().map_err(|error| wrong(&with_causes(&error)))
}

fn certificates(authorities: &Authorities) -> Result<Vec<Certificate>, HttpError> {
    let named_by = authorities.named_by.as_str();
    let mut found = Vec::new();
    for path in &authorities.paths {
        match std::fs::read_dir(path) {
            Ok(entries) => found.extend(in_folder(entries.flatten().map(|entry| entry.path()).collect())),
            // OpenSSL passes over what is missing of a list, too.
            Err(_) if authorities.paths.len() > 1 && !path.exists() => {}
            Err(_) => {
                let read = in_bundle(&read(path, named_by)?);
                found.extend(read.map_err(|error| unusable(path, named_by, &with_causes(&error)))?);
            }
        }
    }
    match authorities.paths.first() {
        Some(first) if found.is_empty() => Err(unusable(first, named_by, "there is no certificate in it")),
        _ => Ok(found),
    }
}

/// The certificates in the files of a folder, which may be something else. OpenSSL looks at those
/// alone that are named by a hash: mostly links to the others, and to each once.
fn in_folder(mut paths: Vec<PathBuf>) -> Vec<Certificate> {
    if paths.iter().any(|path| is_named_by_hash(path)) {
        paths.retain(|path| is_named_by_hash(path));
    }
    paths.sort_unstable();
    let read = |path: &PathBuf| in_bundle(&std::fs::read(path).unwrap_or_default()).unwrap_or_default();
    paths.iter().flat_map(read).collect()
}

/// Whether it is named like `5ed36f99.0`, as by `openssl rehash`.
fn is_named_by_hash(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.and_then(|name| name.split_once('.')).is_some_and(|(hash, number)| {
        let is_hash = hash.len() == 8 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hash && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// The certificates of a PEM file (RFC 7468). One with anything odd is left to reqwest's reader,
/// which takes ten times as long and says what is wrong.
fn in_bundle(bytes: &[u8]) -> reqwest::Result<Vec<Certificate>> {
    let sections = pem::parse_many(bytes).unwrap_or_default();
    if sections.len() != memmem::find_iter(bytes, "-----BEGIN").count() {
        return Certificate::from_pem_bundle(bytes);
    }
    let certificates = sections.iter().filter(|section| section.tag() == "CERTIFICATE");
    certificates.map(|section| Certificate::from_der(section.contents())).collect()
}

fn identity(path: &Path) -> Result<Identity, HttpError> {
    const OPTION: &str = "--client-cert";
    Identity::from_pem(&read(path, OPTION)?).map_err(|error| unusable(path, OPTION, &with_causes(&error)))
}

fn read(path: &Path, named_by: &str) -> Result<Vec<u8>, HttpError> {
    std::fs::read(path).map_err(|error| unusable(path, named_by, &error.to_string()))
}

fn unusable(path: &Path, named_by: &str, why: &str) -> HttpError {
    HttpError::Certificate { path: path.to_owned(), named_by: named_by.to_owned(), why: why.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pem() -> String {
        rcgen::generate_simple_self_signed(["index.example".to_owned()]).unwrap().cert.pem()
    }

    #[test]
    fn a_bundle_is_read_whatever_stands_between() {
        let bundle = format!("# one\n{}\nsubject=two\r\n{}", pem(), pem().replace('\n', "\r\n"));
        assert_eq!(in_bundle(bundle.as_bytes()).unwrap().len(), 2);
        assert!(in_bundle(b"no certificate").unwrap().is_empty());
        let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
        assert!(in_bundle(key.as_bytes()).unwrap().is_empty());
        let damaged = pem().replace("-----END CERTIFICATE-----", "");
        assert!(in_bundle(damaged.as_bytes()).is_err());
    }

    #[test]
    fn of_a_folder_those_count_that_openssl_would_find() {
        let folder = tempfile::tempdir().unwrap();
        let count =
            || in_folder(std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect());
        for name in ["one.pem", "two.crt", "notes.txt", "abc.0"] {
            let content = if name == "notes.txt" { "nothing".to_owned() } else { pem() };
            std::fs::write(folder.path().join(name), content).unwrap();
        }
        assert_eq!(count().len(), 3, "without hashes each file counts");
        std::fs::write(folder.path().join("5ed36f99.0"), pem()).unwrap();
        assert_eq!(count().len(), 1);
    }
}
