//! Serves a read-only index (PEP 503, 658, 691, 700) over a folder, an unopened bundle, or the
//! store; or over what other indexes have, as a pull-through index.

mod allowed_hosts;
mod arriving_body;
mod catalogue;
mod connection;
mod downloads;
mod file_body;
mod file_identity;
mod index_path;
mod listings;
mod project_listing;
mod recent_listings;
mod respond;
mod sidecar;
mod static_page;
mod upstream;
mod use_records;
mod wanted_file;

use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;

pub use self::allowed_hosts::AllowedHosts;
use self::catalogue::Catalogue;
use self::connection::ServerState;
pub use self::listings::{ListingDoubt, ListingLog};
use self::respond::{HttpRequest, HttpResponse};
pub use self::upstream::{Upstream, UpstreamSettings};
use crate::archive::CancelFlag;
use crate::layout::LayoutError;
use crate::ops::FetchContext;
use crate::ops::members::MembersError;
use crate::regular_file;

/// A line of the access log.
#[derive(Clone, Debug)]
pub struct Access {
    pub client: SocketAddr,
    pub method: String,
    /// The path as it was sent, with the query.
    pub path: String,
    pub status: u16,
    /// The size of the body in bytes.
    pub bytes: u64,
}

/// A callback for each request, called from any thread.
pub type AccessLog = Arc<dyn Fn(&Access) + Send + Sync>;

/// Why nothing can be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(transparent)]
    Members(#[from] MembersError),
    #[error("the manifest in {} is wrong: {why}", path.display())]
    Manifest { path: PathBuf, why: String },
    #[error("the store {} cannot be read: {why}", path.display())]
    Store { path: PathBuf, why: io::Error },
    #[error("{} holds no wheels and no source archives", .0.display())]
    Empty(PathBuf),
    #[error(transparent)]
    Layout(#[from] LayoutError),
}

/// The content of a server.
#[derive(Clone, Debug)]
pub enum Site {
    /// What is there at the start.
    Held(Arc<Catalogue>),
    /// What other indexes have.
    Upstream(Arc<Upstream>),
}

impl Site {
    /// Makes a site of what the indexes of `context` have.
    pub fn upstream(context: FetchContext, settings: UpstreamSettings) -> Self {
        Self::Upstream(Arc::new(Upstream::new(context, settings)))
    }

    /// Reads the folder, bundle or store at `path`.
    ///
    /// An archive that cannot be read in place is unpacked below `scratch`, and removed with the
    /// site.
    ///
    /// # Errors
    /// When the path cannot be read, is hostile, or holds no distribution, or `stop` was set
    /// meanwhile.
    pub fn open(path: &Path, scratch: &Path, stop: &CancelFlag) -> Result<Self, ServeError> {
        Catalogue::of(path, scratch, stop).map(|catalogue| Self::Held(Arc::new(catalogue)))
    }

    /// Returns the numbers of projects and files; `None` if they are not known.
    pub fn counts(&self) -> Option<(usize, usize)> {
        match self {
            Self::Held(catalogue) => Some(catalogue.counts),
            Self::Upstream(_) => None,
        }
    }

    /// Returns a sentence for each file that is not served.
    pub fn left_out(&self) -> &[String] {
        match self {
            Self::Held(catalogue) => &catalogue.left_out,
            Self::Upstream(_) => &[],
        }
    }

    /// Returns the response to a request.
    async fn respond(&self, request: &HttpRequest<'_>) -> HttpResponse {
        match (respond::refused_method(request), self) {
            (Some(refusal), _) => refusal,
            (None, Self::Held(catalogue)) => respond::respond(catalogue, request),
            (None, Self::Upstream(upstream)) => upstream.respond(request).await,
        }
    }

    /// Opens a file that a response is to be read from.
    ///
    /// # Errors
    /// When the file is gone, or was replaced by another.
    fn open_file(&self, path: &Path) -> io::Result<File> {
        match self {
            Self::Held(catalogue) => catalogue.open(path),
            Self::Upstream(_) => regular_file::open_no_follow(path).map(|(file, _)| file),
        }
    }
}

/// How long running responses may take after the server was stopped.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);

/// How long to wait when the system accepts no further connection.
const ACCEPT_RETRY: Duration = Duration::from_millis(50);

/// Answers requests that address this server by one of `hosts`, until `stop` is ready; then waits
/// for running responses.
pub async fn serve(
    site: &Site,
    listener: TcpListener,
    hosts: AllowedHosts,
    log: AccessLog,
    stop: impl Future<Output = ()>,
) {
    let connections = GracefulShutdown::new();
    let state = ServerState { site: site.clone(), hosts: hosts.into(), log, running: Arc::default() };
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        match accepted {
            Ok((socket, client)) => connection::spawn(socket, client, state.clone(), connections.watcher()),
            Err(_) => tokio::time::sleep(ACCEPT_RETRY).await,
        }
    }
    drop(listener);
    let _ = tokio::time::timeout(SHUTDOWN_TIMEOUT, connections.shutdown()).await;
}
