//! The content that a file must have, by what the user and the index state before it is fetched.

use serde::{Deserialize, Serialize};

use super::digest::{Algorithm, Digest, Sha256};
use super::fingerprint::Fingerprint;

/// The digests and the size that a file must have, as stated before it is fetched.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
