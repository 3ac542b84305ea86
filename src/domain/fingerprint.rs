//! Fingerprints: size and digests, computed in one pass over the bytes.

use std::io;

use sha2::Digest as _;

use super::digest::{Algorithm, Digest, Sha256, hex};
use super::read_chunks;

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

    /// Whether the digest by the same algorithm is `expected`.
    pub fn agrees_with(&self, expected: &Digest) -> bool {
        self.digest(expected.algorithm).agrees_with(expected)
    }
}

/// Hashes bytes as they pass: by SHA-256 always, and by the algorithms of expected digests.
pub struct Hasher {
    sha256: sha2::Sha256,
    size: u64,
    others: Vec<OtherHasher>,
}

enum OtherHasher {
    Md5(md5::Md5),
    Sha1(sha1::Sha1),
    Sha224(sha2::Sha224),
    Sha384(sha2::Sha384),
    Sha512(sha2::Sha512),
}

impl Hasher {
    pub fn new(algorithms: &[Algorithm]) -> Self {
        let others = algorithms.iter().filter_map(|algorithm| match algorithm {
            Algorithm::Md5 => Some(OtherHasher::Md5(md5::Md5::new())),
            Algorithm::Sha1 => Some(OtherHasher::Sha1(sha1::Sha1::new())),
            Algorithm::Sha224 => Some(OtherHasher::Sha224(sha2::Sha224::new())),
            Algorithm::Sha256 => None,
            Algorithm::Sha384 => Some(OtherHasher::Sha384(sha2::Sha384::new())),
            Algorithm::Sha512 => Some(OtherHasher::Sha512(sha2::Sha512::new())),
        });
        Self { sha256: sha2::Sha256::new(), size: 0, others: others.collect() }
    }

    pub fn update(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        self.size += bytes.len() as u64;
        for other in &mut self.others {
            match other {
                OtherHasher::Md5(state) => state.update(bytes),
                OtherHasher::Sha1(state) => state.update(bytes),
                OtherHasher::Sha224(state) => state.update(bytes),
                OtherHasher::Sha384(state) => state.update(bytes),
                OtherHasher::Sha512(state) => state.update(bytes),
            }
        }
    }

    pub fn finish(self) -> Fingerprint {
        let others = self.others.into_iter().map(|other| match other {
            OtherHasher::Md5(state) => Digest::new(Algorithm::Md5, hex(&state.finalize())),
            OtherHasher::Sha1(state) => Digest::new(Algorithm::Sha1, hex(&state.finalize())),
            OtherHasher::Sha224(state) => Digest::new(Algorithm::Sha224, hex(&state.finalize())),
            OtherHasher::Sha384(state) => Digest::new(Algorithm::Sha384, hex(&state.finalize())),
            OtherHasher::Sha512(state) => Digest::new(Algorithm::Sha512, hex(&state.finalize())),
        });
        Fingerprint { sha256: Sha256(self.sha256.finalize().into()), size: self.size, others: others.collect() }
    }
}
