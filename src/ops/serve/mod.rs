//! A read-only index (PEP 503, 658, 691, 700) over a folder, an unopened bundle, or the store.

mod allowed_hosts;
mod catalogue;
mod connection;
mod file_identity;
mod http_message;
mod members;
mod respond;
mod send_file;

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::net::TcpListener;
use tokio::sync::watch;

pub use self::allowed_hosts::AllowedHosts;
use self::catalogue::Catalogue;
use self::connection::ServerState;
use crate::archive::CancelFlag;
use crate::layout::LayoutError;

/// One request that was answered.
#[derive(Clone, Debug)]
pub struct Access {
    pub client: SocketAddr,
    pub method: String,
    /// With the query, as it was sent.
    pub path: String,
    pub status: u16,
    /// Bytes of the body.
    pub bytes: u64,
}

/// Hears of every request, from any thread.
pub type AccessLog = Arc<dyn Fn(&Access) + Send + Sync>;

/// Why nothing can be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(transparent)]
    Members(#[from] members::MembersError),
    #[error("the manifest in {} is wrong: {why}", path.display())]
    Manifest { path: PathBuf, why: String },
    #[error("the store {} cannot be read: {why}", path.display())]
    Store { path: PathBuf, why: io::Error },
    #[error("{} holds no wheels and no source archives", .0.display())]
    Empty(PathBuf),
    #[error(transparent)]
    Layout(#[from] LayoutError),
}

/// Everything that is served.
#[derive(Clone, Debug)]
pub struct Site(Arc<Catalogue>);

impl Site {
    /// Looks through the folder, bundle or store at `path`. What cannot be read in place is
    /// unpacked below `scratch`, and removed with the site.
    ///
    /// # Errors
    /// When it cannot be read, is hostile, or holds no distribution, or `stop` was set meanwhile.
    pub fn open(path: &Path, scratch: &Path, stop: &CancelFlag) -> Result<Self, ServeError> {
        Catalogue::of(path, scratch, stop).map(|catalogue| Self(Arc::new(catalogue)))
    }

    /// How many projects and files there are.
    pub fn counts(&self) -> (usize, usize) {
        self.0.counts
    }

    /// A sentence for each file that is not served.
    pub fn left_out(&self) -> &[String] {
        &self.0.left_out
    }
}

/// How long answers under way may take once no new ones are begun.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);

/// How long to wait when the system has no room for another connection.
const ACCEPT_RETRY: Duration = Duration::from_millis(50);

/// Answers requests that call this server by one of `hosts`, until `stop` is ready; then lets those under way end. `clock` tells the time.
pub async fn serve(
    site: &Site,
    listener: TcpListener,
    hosts: AllowedHosts,
    log: AccessLog,
    clock: fn() -> SystemTime,
    stop: impl Future<Output = ()>,
) {
    let (stopping, stopped) = watch::channel(false);
    let state = ServerState { catalogue: site.0.clone(), hosts: hosts.into(), log, clock, stop: stopped };
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        match accepted {
            Ok((socket, client)) => connection::spawn(socket, client, state.clone()),
            Err(_) => tokio::time::sleep(ACCEPT_RETRY).await,
        }
    }
    drop((listener, state));
    stopping.send_replace(true);
    let _ = tokio::time::timeout(SHUTDOWN_TIMEOUT, stopping.closed()).await;
}
