//! Digests: the store's own ([`Sha256`]), and those that users and indexes state ([`Digest`]).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::Digest as _;

/// A SHA-256 digest, by which the store names objects; printed as 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Sha256(pub(super) [u8; 32]);

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

/// Returns bytes as lower-case hex digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let pairs = bytes.iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    pairs.map(char::from).collect()
}
