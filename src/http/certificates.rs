//! Reads the certificates that the settings name from their files.

use std::path::{Path, PathBuf};

use base64::prelude::{BASE64_STANDARD, Engine};
use parking_lot::Mutex;
use reqwest::Identity;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::CertificateAuthorities;
use super::ClientCertificate;
use super::error::{HttpError, with_causes};

/// The trusted certificates, which are read once: all clients share the hundreds of them.
#[derive(Debug, Default)]
pub(super) struct Certificates {
    read: Mutex<Option<Vec<CertificateDer<'static>>>>,
}

impl Certificates {
    /// Returns the certificates of `authorities`, which must be the same at every call.
    ///
    /// # Errors
    /// When a path has no usable certificate; the error names it.
    pub fn of(&self, authorities: &CertificateAuthorities) -> Result<Vec<CertificateDer<'static>>, HttpError> {
        let mut read = self.read.lock();
        match &*read {
            Some(certificates) => Ok(certificates.clone()),
            None => Ok(read.insert(read_all(authorities)?).clone()),
        }
    }
}

fn read_all(authorities: &CertificateAuthorities) -> Result<Vec<CertificateDer<'static>>, HttpError> {
    let named_by = authorities.named_by.as_str();
    let mut found = Vec::new();
    for path in &authorities.paths {
        match std::fs::read_dir(path) {
            Ok(entries) => found.extend(in_folder(entries.flatten().map(|entry| entry.path()).collect())),
            // OpenSSL passes over what is missing of a list, too.
            Err(_) if authorities.paths.len() > 1 && !path.exists() => {}
            Err(_) => {
                let read = in_bundle(&read(path, named_by)?);
                found.extend(read.map_err(|why| unusable(path, named_by, &why))?);
            }
        }
    }
    match authorities.paths.first() {
        Some(first) if found.is_empty() => Err(unusable(first, named_by, "there is no certificate in it")),
        _ => Ok(found),
    }
}

/// Returns the certificates in the files of a folder, ignoring other files.
///
/// OpenSSL reads only files that are named by a hash, which are mostly links to the others; each
/// certificate is read once.
fn in_folder(mut paths: Vec<PathBuf>) -> Vec<CertificateDer<'static>> {
    if paths.iter().any(|path| is_named_by_hash(path)) {
        paths.retain(|path| is_named_by_hash(path));
    }
    paths.sort_unstable();
    let read = |path: &PathBuf| in_bundle(&std::fs::read(path).unwrap_or_default()).unwrap_or_default();
    paths.iter().flat_map(read).collect()
}

/// Whether the file is named like `5ed36f99.0`, as by `openssl rehash`.
fn is_named_by_hash(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.and_then(|name| name.split_once('.')).is_some_and(|(hash, number)| {
        let is_hash = hash.len() == 8 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hash && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Returns the certificates of a PEM file.
///
/// An unusual file is left to rustls' reader, which takes thirty times as long and says what is
/// wrong.
fn in_bundle(bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    match usual_bundle(bytes) {
        Some(certificates) => Ok(certificates.into_iter().map(CertificateDer::from).collect()),
        None => CertificateDer::pem_slice_iter(bytes).collect::<Result<_, _>>().map_err(|error| error.to_string()),
    }
}

/// Returns the certificates in a PEM file (RFC 7468) with nothing but text between them; `None` for
/// any other file.
fn usual_bundle(bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    const BOUNDARY: &str = "-----";
    let mut parts = str::from_utf8(bytes).ok()?.split(BOUNDARY).skip(1);
    let mut certificates = Vec::new();
    while let Some(label) = parts.next() {
        let (base64, end) = (parts.next()?, parts.next()?);
        parts.next()?;
        if (label, end) != ("BEGIN CERTIFICATE", "END CERTIFICATE") {
            return None;
        }
        let base64: Vec<u8> = base64.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        certificates.push(BASE64_STANDARD.decode(base64).ok()?);
    }
    Some(certificates)
}

/// Returns the client's certificate and key for a connection.
pub(super) fn identity(ClientCertificate { path, named_by }: &ClientCertificate) -> Result<Identity, HttpError> {
    let identity = Identity::from_pem(&read(path, named_by)?);
    identity.map_err(|error| unusable(path, named_by, &with_causes(&error)))
}

/// A client certificate with its chain, and its key.
pub(super) struct ClientIdentity {
    pub chain: Vec<CertificateDer<'static>>,
    pub key: PrivateKeyDer<'static>,
}

impl ClientIdentity {
    /// Reads a client certificate and its key.
    ///
    /// # Errors
    /// When the file cannot be read or lacks either.
    pub fn read(certificate: &ClientCertificate) -> Result<Self, HttpError> {
        // Its words for what is missing are the same wherever the identity is used.
        identity(certificate)?;
        let ClientCertificate { path, named_by } = certificate;
        let bytes = read(path, named_by)?;
        let wrong = |error: rustls::pki_types::pem::Error| unusable(path, named_by, &error.to_string());
        let chain = CertificateDer::pem_slice_iter(&bytes).collect::<Result<_, _>>().map_err(wrong)?;
        Ok(Self { chain, key: PrivateKeyDer::from_pem_slice(&bytes).map_err(wrong)? })
    }
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
        let mixed = format!("{key}{}", pem());
        assert_eq!(in_bundle(mixed.as_bytes()).unwrap().len(), 1);
        for damage in ["-----END CERTIFICATE-----", "-----BEGIN CERTIFICATE-----", "M"] {
            let damaged = pem().replace(damage, if damage == "M" { "!" } else { "" });
            let theirs = reqwest::Certificate::from_pem_bundle(damaged.as_bytes());
            assert_eq!(
                in_bundle(damaged.as_bytes()).map(|found| found.len()).ok(),
                theirs.map(|found| found.len()).ok()
            );
        }
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
