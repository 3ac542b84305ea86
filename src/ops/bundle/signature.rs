//! Signatures of manifests: Ed25519 in minisign's file formats, so that minisign can check them.

use std::fs;
use std::io::{self, Cursor, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use minisign::{KeyPair, PublicKey, PublicKeyBox, SecretKey, SecretKeyBox, SignatureBox};

/// A decrypted secret key.
#[derive(Clone)]
pub struct SigningKey(Arc<SecretKey>);

/// Why a key or a signature cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SignatureError {
    #[error("{} cannot be read: {why}", path.display())]
    Unreadable { path: PathBuf, why: io::Error },
    #[error("{} cannot be written: {why}", path.display())]
    Unwritable { path: PathBuf, why: io::Error },
    #[error("{} is there already, and a key that is lost cannot be had again; name another file", .0.display())]
    Exists(PathBuf),
    #[error("{} is no secret key of minisign: {why}", path.display())]
    NoSecretKey { path: PathBuf, why: String },
    #[error("{} is protected by a password; put it into PREFETCH_KEY_PASSWORD", .0.display())]
    Protected(PathBuf),
    #[error("`{0}` is neither a public key of minisign nor a file that holds one")]
    NoPublicKey(String),
    #[error("it cannot be signed: {0}")]
    Unsigned(String),
    #[error("it is no signature of minisign: {0}")]
    NoSignature(String),
    #[error("it is not signed by this key, or was altered since: {0}")]
    Wrong(String),
}

/// The trusted comment, which is the same for every bundle, without a time.
///
/// The signature itself differs each time, since the crate adds randomness to Ed25519.
const TRUSTED_COMMENT: &str = "manifest of a prefetch bundle";
const COMMENT: &str = "signature of prefetch.json; check it with prefetch verify --public-key, or minisign -V";

impl SigningKey {
    /// Reads the key at `path`, with its password if it has one.
    ///
    /// # Errors
    /// When the file is no key, or its password is missing or wrong.
    pub fn read(path: &Path, password: Option<String>) -> Result<Self, SignatureError> {
        let text = fs::read_to_string(path).map_err(|why| SignatureError::Unreadable { path: path.to_owned(), why })?;
        let no_key =
            |why: minisign::PError| SignatureError::NoSecretKey { path: path.to_owned(), why: why.to_string() };
        let boxed = SecretKeyBox::from_string(&text).map_err(no_key)?;
        if let Some(key) = without_checksum(&text) {
            return Ok(Self(Arc::new(key)));
        }
        match (boxed.clone().into_unencrypted_secret_key(), password) {
            (Ok(key), _) => Ok(Self(Arc::new(key))),
            (Err(_), Some(password)) => Ok(Self(Arc::new(boxed.into_secret_key(Some(password)).map_err(no_key)?))),
            (Err(why), None) if why.to_string().contains("encrypted") => {
                Err(SignatureError::Protected(path.to_owned()))
            }
            (Err(why), None) => Err(no_key(why)),
        }
    }

    /// Returns the text of the signature file for `bytes`.
    ///
    /// # Errors
    /// When the key cannot sign.
    pub fn sign(&self, bytes: &[u8]) -> Result<String, SignatureError> {
        let signed = minisign::sign(None, &self.0, Cursor::new(bytes), Some(TRUSTED_COMMENT), Some(COMMENT));
        signed.map(SignatureBox::into_string).map_err(|error| SignatureError::Unsigned(error.to_string()))
    }
}

/// Reads a key without password as minisign 0.11 writes it (`-G -W`): without key derivation, and
/// with zeros as checksum, which the crate refuses.
fn without_checksum(text: &str) -> Option<SecretKey> {
    let bytes = BASE64_STANDARD.decode(text.lines().nth(1)?.trim()).ok()?;
    let is_so = bytes.get(2..4)? == [0, 0] && bytes.last_chunk::<32>()? == &[0; 32];
    if is_so { SecretKey::from_bytes(&bytes).ok() } else { None }
}

/// Reads a public key from `text`, or from the file of that name.
///
/// # Errors
/// When the text is neither.
pub fn read_public_key(text: &str, folder: &Path) -> Result<PublicKey, SignatureError> {
    let wrong = || SignatureError::NoPublicKey(text.to_owned());
    if let Ok(key) = PublicKey::from_base64(text) {
        return Ok(key);
    }
    let file = fs::read_to_string(folder.join(text)).map_err(|_| wrong())?;
    PublicKeyBox::from_string(&file).and_then(PublicKeyBox::into_public_key).map_err(|_| wrong())
}

/// Checks that `signature` is one of `bytes` by the owner of `key`.
///
/// # Errors
/// When it is not.
pub fn check_signature(key: &PublicKey, bytes: &[u8], signature: &str) -> Result<(), SignatureError> {
    if !has_whole_signatures(signature) {
        return Err(SignatureError::NoSignature("it does not have the four lines of one".to_owned()));
    }
    let signature =
        SignatureBox::from_string(signature).map_err(|error| SignatureError::NoSignature(error.to_string()))?;
    minisign::verify(key, &signature, Cursor::new(bytes), true, false, false)
        .map_err(|error| SignatureError::Wrong(error.to_string()))
}

/// Whether there are four lines, of which the second and the fourth have the lengths of a signature
/// and of the one over the comment: the crate (minisign 0.10) panics where the latter is shorter.
fn has_whole_signatures(text: &str) -> bool {
    const LENGTHS: [usize; 2] = [74, 64];
    let decoded = text.lines().skip(1).step_by(2).map(|line| BASE64_STANDARD.decode(line.trim()));
    text.lines().count() == 4 && decoded.map(|bytes| bytes.map_or(0, |bytes| bytes.len())).eq(LENGTHS)
}

/// Writes a new key pair: the secret key to `path`, encrypted if a password is given, and the
/// public key beside it with `.pub` appended.
///
/// Returns the public key.
///
/// # Errors
/// When a file exists already, or cannot be written.
pub fn generate_keys(path: &Path, password: Option<String>) -> Result<String, SignatureError> {
    let mut public = path.as_os_str().to_owned();
    public.push(".pub");
    let public = PathBuf::from(public);
    if let Some(there) = [path, &public].into_iter().find(|file| file.exists()) {
        return Err(SignatureError::Exists(there.to_owned()));
    }
    let failed = |error: minisign::PError| SignatureError::Unsigned(error.to_string());
    let pair = match password {
        Some(password) => KeyPair::generate_encrypted_keypair(Some(password)),
        None => KeyPair::generate_unencrypted_keypair(),
    };
    let KeyPair { pk, sk } = pair.map_err(failed)?;
    write_new(path, &sk.to_box(None).map_err(failed)?.into_string(), true)?;
    write_new(&public, &pk.to_box().map_err(failed)?.into_string(), false)?;
    Ok(pk.to_base64())
}

fn write_new(path: &Path, text: &str, is_secret: bool) -> Result<(), SignatureError> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    restrict(&mut options, is_secret);
    let written = options.open(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|why| SignatureError::Unwritable { path: path.to_owned(), why })
}

/// Lets only the owner read a secret key.
#[cfg(unix)]
fn restrict(options: &mut fs::OpenOptions, is_secret: bool) {
    std::os::unix::fs::OpenOptionsExt::mode(options, if is_secret { 0o600 } else { 0o644 });
}

/// Does nothing on systems without file modes, where the folder decides who may read a file.
#[cfg(not(unix))]
fn restrict(_: &mut fs::OpenOptions, _: bool) {}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key pair and a signature made by minisign 0.11 of Debian.
    #[test]
    fn keys_and_signatures_of_minisign_itself_are_taken() {
        let folder = tempfile::tempdir().unwrap();
        let secret = folder.path().join("key");
        fs::write(&secret, include_str!("../../../testdata/minisign/secret.key")).unwrap();
        let public = include_str!("../../../testdata/minisign/public.key").lines().nth(1).unwrap();
        let public = read_public_key(public, folder.path()).unwrap();
        let theirs = include_str!("../../../testdata/minisign/message.txt.minisig");
        check_signature(&public, b"message\n", theirs).unwrap();
        assert!(check_signature(&public, b"massage\n", theirs).is_err());
        let ours = SigningKey::read(&secret, None).unwrap().sign(b"message\n").unwrap();
        check_signature(&public, b"message\n", &ours).unwrap();
    }

    #[test]
    fn what_was_signed_is_known_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        for (name, password) in [("plain", None), ("protected", Some("secret".to_owned()))] {
            let path = folder.path().join(name);
            let told = generate_keys(&path, password.clone()).unwrap();
            let key = SigningKey::read(&path, password).unwrap();
            let signature = key.sign(b"manifest").unwrap();
            for public in [told, format!("{name}.pub")] {
                let public = read_public_key(&public, folder.path()).unwrap();
                check_signature(&public, b"manifest", &signature).unwrap();
                assert!(check_signature(&public, b"Manifest", &signature).is_err());
                let (start, _) = signature.trim_end().rsplit_once('\n').unwrap();
                for last in ["", "AA==", "AAAAAAAAAAAAAAAAAAAAAA=="] {
                    assert!(check_signature(&public, b"manifest", &format!("{start}\n{last}\n")).is_err(), "{last}");
                }
            }
        }
        let other = read_public_key("plain.pub", folder.path()).unwrap();
        let key = SigningKey::read(&folder.path().join("protected"), Some("secret".into())).unwrap();
        assert!(check_signature(&other, b"manifest", &key.sign(b"manifest").unwrap()).is_err());
    }

    #[test]
    fn keys_that_are_none_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        generate_keys(&path, Some("secret".into())).unwrap();
        assert!(matches!(generate_keys(&path, None), Err(SignatureError::Exists(_))));
        assert!(matches!(SigningKey::read(&path, None), Err(SignatureError::Protected(_))));
        assert!(matches!(SigningKey::read(&path, Some("wrong".into())), Err(SignatureError::NoSecretKey { .. })));
        fs::write(folder.path().join("text"), "hello").unwrap();
        assert!(matches!(SigningKey::read(&folder.path().join("text"), None), Err(SignatureError::NoSecretKey { .. })));
        assert!(read_public_key("text", folder.path()).is_err());
    }
}
