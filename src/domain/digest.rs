//! Digests: the store's own ([`Sha256`]), those that users and indexes state ([`Digest`],
//! [`ExpectedContent`]), and the computation of all of them in one pass ([`Hasher`]).

use std::fmt;
use std::io;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::Digest as _;

use super::read_chunks;

/// A SHA-256 digest, by which the store names objects; printed as 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Sha256([u8; 32]);

impl Sha256 {
    /// Returns the digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(sha2::Sha256::digest(bytes).into())
    }
}

impl AsRef<[u8]> for Sha256 {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{self}")
    }
}

impl FromStr for Sha256 {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let wrong = || DigestError::NotHex(text.to_owned());
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        let mut bytes = [0; 32];
        if pairs.len() != bytes.len() || !rest.is_empty() {
            return Err(wrong());
        }
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = nibble(*high).zip(nibble(*low)).map(|(high, low)| high << 4 | low).ok_or_else(wrong)?;
        }
        Ok(Self(bytes))
    }
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| value.try_into().ok())
}

/// The algorithms that an index page or a URL fragment may name, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    Md5,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

impl Algorithm {
    /// Every algorithm, weakest first.
    pub const ALL: [Self; 6] = [Self::Md5, Self::Sha1, Self::Sha224, Self::Sha256, Self::Sha384, Self::Sha512];

    /// Returns the name as indexes and pip write it: lower case, no dash.
    pub fn name(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha224 => "sha224",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// Returns the algorithm with this [`Algorithm::name`].
    pub fn named(name: &str) -> Option<Self> {
        // Most digests are this one, and a page may name 40,000.
        if name == Self::Sha256.name() {
            return Some(Self::Sha256);
        }
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// Returns the number of hex digits of a digest.
    pub fn digits(self) -> usize {
        match self {
            Self::Md5 => 32,
            Self::Sha1 => 40,
            Self::Sha224 => 56,
            Self::Sha256 => 64,
            Self::Sha384 => 96,
            Self::Sha512 => 128,
        }
    }

    /// Whether `--hash` accepts it; pip allows only the three strong ones.
    pub fn is_allowed_in_hash_option(self) -> bool {
        matches!(self, Self::Sha256 | Self::Sha384 | Self::Sha512)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Algorithm {
    type Err = DigestError;

    /// Parses a name, which is lower case, as in pip.
    fn from_str(text: &str) -> Result<Self, DigestError> {
        Self::named(text).ok_or_else(|| DigestError::UnknownAlgorithm(text.to_owned()))
    }
}

/// A digest that somebody states, printed `sha256:ab…`.
///
/// The hex is kept as given, since pip accepts hex that can never match; comparison ignores its
/// case (pip 24.2 and later).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Digest {
    pub algorithm: Algorithm,
    pub hex: Box<str>,
}

impl Digest {
    pub fn new(algorithm: Algorithm, hex: impl Into<Box<str>>) -> Self {
        Self { algorithm, hex: hex.into() }
    }

    /// Returns the digest as a [`Sha256`], if it is a valid one.
    pub fn as_sha256(&self) -> Option<Sha256> {
        (self.algorithm == Algorithm::Sha256).then(|| self.hex.parse().ok()).flatten()
    }

    /// Whether the digest is possible: hex, in the algorithm's length.
    pub fn is_well_formed(&self) -> bool {
        self.hex.len() == self.algorithm.digits() && self.hex.bytes().all(|byte| byte.is_ascii_hexdigit())
    }

    /// Whether both have the same algorithm and the same hex, in either case.
    pub fn agrees_with(&self, other: &Self) -> bool {
        self.algorithm == other.algorithm && self.hex.eq_ignore_ascii_case(&other.hex)
    }
}

impl From<Sha256> for Digest {
    fn from(sha256: Sha256) -> Self {
        Self::new(Algorithm::Sha256, sha256.to_string())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm, self.hex)
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    /// Parses `algorithm:hex`; the hex is not checked (see [`Digest`]).
    fn from_str(text: &str) -> Result<Self, DigestError> {
        let (algorithm, hex) = text.split_once(':').ok_or_else(|| DigestError::NoAlgorithm(text.to_owned()))?;
        Ok(Self::new(algorithm.parse()?, hex))
    }
}

/// Why a text is no digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    #[error("`{0}` is not 64 hex digits")]
    NotHex(String),
    #[error("`{0}` is not a hash algorithm known here (md5, sha1, sha224, sha256, sha384, sha512)")]
    UnknownAlgorithm(String),
    #[error("`{0}` lacks its algorithm; write it as sha256:<hex>")]
    NoAlgorithm(String),
}

/// The digests and the size that a file must have, as stated before it is fetched.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedContent {
    /// The digests that the user gave (`--hash`, a URL's fragment): one of them must match (pip's
    /// rule).
    pub by_user: Vec<Digest>,
    /// The digests that the index gave: each must match.
    pub by_index: Vec<Digest>,
    /// Size in bytes, if the index states it (PEP 700).
    pub size: Option<u64>,
}

impl ExpectedContent {
    /// Returns the SHA-256 that the file must have, if exactly one is stated.
    pub fn sha256(&self) -> Option<Sha256> {
        let of_index = self.by_index.iter().find_map(Digest::as_sha256);
        of_index.or_else(|| match self.by_user.as_slice() {
            [only] => only.as_sha256(),
            _ => None,
        })
    }

    /// Whether any digest is stated, by which the right bytes can be recognized.
    pub fn has_digest(&self) -> bool {
        !self.by_index.is_empty() || !self.by_user.is_empty()
    }

    /// Returns the algorithms of all digests, each once.
    pub fn algorithms(&self) -> Vec<Algorithm> {
        let mut all: Vec<_> = self.by_user.iter().chain(&self.by_index).map(|digest| digest.algorithm).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Checks the size and digests of the bytes that came.
    ///
    /// # Errors
    /// When the size, a digest of the index, or all digests of the user differ.
    pub fn check(&self, got: &Fingerprint) -> Result<(), ContentMismatch> {
        if let Some(size) = self.size.filter(|size| *size != got.size) {
            return Err(ContentMismatch::Size { expected: size, got: got.size });
        }
        if let Some(wrong) = self.by_index.iter().find(|digest| !got.agrees_with(digest)) {
            return Err(ContentMismatch::Digest {
                by: "the index",
                expected: vec![wrong.clone()],
                got: got.digest(wrong.algorithm),
            });
        }
        if !self.by_user.is_empty() && !self.by_user.iter().any(|digest| got.agrees_with(digest)) {
            return Err(ContentMismatch::Digest {
                by: "the requirement",
                expected: self.by_user.clone(),
                got: got.digest(self.by_user[0].algorithm),
            });
        }
        Ok(())
    }
}

/// The error for bytes that differ from what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContentMismatch {
    #[error("expected {expected} bytes, got {got}")]
    Size { expected: u64, got: u64 },
    #[error("{by} promised {}, got {got}", list(expected))]
    Digest { by: &'static str, expected: Vec<Digest>, got: Digest },
}

fn list(digests: &[Digest]) -> String {
    digests.iter().map(Digest::to_string).collect::<Vec<_>>().join(" or ")
}

/// The size and digests that were computed in a pass over the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    pub sha256: Sha256,
    /// Size in bytes.
    pub size: u64,
    others: Vec<Digest>,
}

impl Fingerprint {
    /// Returns the fingerprint of `bytes`.
    pub fn of(bytes: &[u8], algorithms: &[Algorithm]) -> Self {
        let mut hasher = Hasher::new(algorithms);
        hasher.update(bytes);
        hasher.finish()
    }

    /// Returns the fingerprint of the rest of `input`.
    ///
    /// # Errors
    /// When `input` cannot be read.
    pub fn read(input: &mut (impl io::Read + ?Sized), algorithms: &[Algorithm]) -> io::Result<Self> {
        let mut hasher = Hasher::new(algorithms);
        read_chunks(input, |chunk| {
            hasher.update(chunk);
            io::Result::Ok(())
        })?;
        Ok(hasher.finish())
    }

    /// Returns the digest by `algorithm`.
    ///
    /// # Panics
    /// If the [`Hasher`] was made without that algorithm.
    pub fn digest(&self, algorithm: Algorithm) -> Digest {
        if algorithm == Algorithm::Sha256 {
            return self.sha256.into();
        }
        let found = self.others.iter().find(|digest| digest.algorithm == algorithm);
        found.expect("the hasher was asked for this algorithm").clone()
    }

    fn agrees_with(&self, expected: &Digest) -> bool {
        self.digest(expected.algorithm).agrees_with(expected)
    }
}

/// Hashes bytes as they pass: by SHA-256 always, and by the algorithms of expected digests.
pub struct Hasher {
    sha256: sha2::Sha256,
    size: u64,
    others: Vec<Other>,
}

enum Other {
    Md5(md5::Md5),
    Sha1(sha1::Sha1),
    Sha224(sha2::Sha224),
    Sha384(sha2::Sha384),
    Sha512(sha2::Sha512),
}

impl Hasher {
    pub fn new(algorithms: &[Algorithm]) -> Self {
        let others = algorithms.iter().filter_map(|algorithm| match algorithm {
            Algorithm::Md5 => Some(Other::Md5(md5::Md5::new())),
            Algorithm::Sha1 => Some(Other::Sha1(sha1::Sha1::new())),
            Algorithm::Sha224 => Some(Other::Sha224(sha2::Sha224::new())),
            Algorithm::Sha256 => None,
            Algorithm::Sha384 => Some(Other::Sha384(sha2::Sha384::new())),
            Algorithm::Sha512 => Some(Other::Sha512(sha2::Sha512::new())),
        });
        Self { sha256: sha2::Sha256::new(), size: 0, others: others.collect() }
    }

    pub fn update(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        self.size += bytes.len() as u64;
        for other in &mut self.others {
            match other {
                Other::Md5(state) => state.update(bytes),
                Other::Sha1(state) => state.update(bytes),
                Other::Sha224(state) => state.update(bytes),
                Other::Sha384(state) => state.update(bytes),
                Other::Sha512(state) => state.update(bytes),
            }
        }
    }

    pub fn finish(self) -> Fingerprint {
        let others = self.others.into_iter().map(|other| match other {
            Other::Md5(state) => Digest::new(Algorithm::Md5, hex(&state.finalize())),
            Other::Sha1(state) => Digest::new(Algorithm::Sha1, hex(&state.finalize())),
            Other::Sha224(state) => Digest::new(Algorithm::Sha224, hex(&state.finalize())),
            Other::Sha384(state) => Digest::new(Algorithm::Sha384, hex(&state.finalize())),
            Other::Sha512(state) => Digest::new(Algorithm::Sha512, hex(&state.finalize())),
        });
        Fingerprint { sha256: Sha256(self.sha256.finalize().into()), size: self.size, others: others.collect() }
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let pairs = bytes.iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    pairs.map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY_MD5: &str = "d41d8cd98f00b204e9800998ecf8427e";
    const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn expected(by_user: &[&str], by_index: &[&str], size: Option<u64>) -> ExpectedContent {
        let parse = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        ExpectedContent { by_user: parse(by_user), by_index: parse(by_index), size }
    }

    fn outcome(expected: &ExpectedContent) -> Result<(), ContentMismatch> {
        expected.check(&Fingerprint::of(b"", &expected.algorithms()))
    }

    #[test]
    fn digests_of_nothing() {
        assert_eq!(Sha256::of(b"").to_string(), EMPTY_SHA256);
        let got = Fingerprint::of(b"", &Algorithm::ALL);
        assert_eq!(got.digest(Algorithm::Md5).to_string(), format!("md5:{EMPTY_MD5}"));
        assert_eq!(got.digest(Algorithm::Sha512).hex.len(), 128);
    }

    #[test]
    fn one_asked_digest_is_enough_and_case_does_not_matter() {
        let wrong = format!("sha512:{}", "0".repeat(128));
        let right = format!("sha256:{}", EMPTY_SHA256.to_uppercase());
        assert_eq!(outcome(&expected(&[&wrong, &right], &[], None)), Ok(()));
        assert!(outcome(&expected(&[&wrong, "sha256:zz"], &[], None)).is_err());
    }

    #[test]
    fn every_index_digest_must_hold() {
        let right = format!("sha256:{EMPTY_SHA256}");
        assert_eq!(outcome(&expected(&[], &[&right, &format!("md5:{EMPTY_MD5}")], Some(0))), Ok(()));
        let error = outcome(&expected(&[], &[&right, "md5:00"], None)).unwrap_err();
        assert_eq!(error.to_string(), format!("the index promised md5:00, got md5:{EMPTY_MD5}"));
        let error = outcome(&expected(&[], &[&right], Some(7))).unwrap_err();
        assert_eq!(error.to_string(), "expected 7 bytes, got 0");
    }

    #[test]
    fn a_choice_of_hashes_names_no_object() {
        let right = format!("sha256:{EMPTY_SHA256}");
        assert_eq!(expected(&[&right], &[], None).sha256(), Some(Sha256::of(b"")));
        assert_eq!(expected(&[&right, "sha256:zz"], &[], None).sha256(), None);
        assert_eq!(expected(&["sha256:zz"], &[&right], None).sha256(), Some(Sha256::of(b"")));
    }
}
