//! The context that every stage of a run uses.

use std::sync::Arc;

use super::claims::Claims;
use super::sdist_builder::SdistBuilder;
use crate::http::HttpClient;
use crate::index::{Indexes, MetadataCache};
use crate::shared_store::SharedStore;
use crate::store::DiskStore;

/// The client, indexes, store and caches of a run.
#[derive(Clone)]
pub struct FetchContext {
    pub indexes: Arc<Indexes>,
    pub client: Arc<HttpClient>,
    pub store: DiskStore,
    /// The store that this machine shares with others.
    pub shared: Option<SharedStore>,
    pub metadata: MetadataCache,
    /// The builder of source archives, if builds are allowed.
    pub builds: Option<SdistBuilder>,
    /// The claims of indexes that the plan of this run depends on until its files are fetched.
    pub claims: Claims,
    /// Whether metadata that a build may contradict is ignored.
    pub strict_metadata: bool,
    /// The identifier of this build of the program, since another one may plan differently.
    pub program: Arc<str>,
}
