//! The bundle: what was fetched, with the pages that go with it, in one file; and the proof that
//! its targets install from it.

use std::collections::BTreeMap;
use std::io::BufReader;
use std::path::PathBuf;
use std::sync::Arc;

use super::inside::Inside;
use super::verify::{Finding, Held, prove};
use crate::archive::Format;
use crate::domain::{Fetched, Request, Sha256, Target};
use crate::layout::Licenses;
use crate::resolve::Question;
use crate::store::DiskStore;

/// A bundle that is to be written.
#[derive(Clone)]
pub struct BundleOutput {
    pub format: &'static Format,
    pub path: PathBuf,
    /// Prove at the end that the targets install from it alone.
    pub verify: bool,
}

/// What `question` asks for all of `targets`.
pub fn request_of(question: &Question, targets: &[Arc<Target>]) -> Request {
    Request {
        requirements: question.requirements.clone(),
        formats: question.policy.formats.clone(),
        releases: question.policy.releases.clone(),
        prefer_binary: question.policy.prefer_binary,
        require_hashes: question.require_hashes,
        follow_dependencies: question.follow_dependencies,
        targets: (0..targets.len()).collect(),
    }
}

/// What every fetched file says of itself.
pub(super) fn look_inside(fetched: &Fetched, store: &DiskStore) -> BTreeMap<Sha256, Inside> {
    let insides = fetched.files().filter_map(|(package, file)| {
        let bytes = BufReader::new(store.open(file.object.sha256).ok()?);
        Some((file.object.sha256, Inside::of(bytes, &file.offer.filename, &package.name)))
    });
    insides.collect()
}

pub(super) fn licenses(insides: &BTreeMap<Sha256, Inside>) -> Licenses {
    insides.iter().filter_map(|(sha256, inside)| Some((*sha256, inside.license.clone()?))).collect()
}

/// Every gap that a bundle of these files would have.
pub(super) fn gaps(fetched: &Fetched, requests: &[Request], insides: &BTreeMap<Sha256, Inside>) -> Vec<Finding> {
    prove(requests, &Held::of_fetched(&fetched.targets, &fetched.packages, insides)).1
}
