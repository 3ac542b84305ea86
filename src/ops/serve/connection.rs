//! The connection of one client: reads, answers and logs requests one after the other.

use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;

use super::allowed_hosts::AllowedHosts;
use super::catalogue::Catalogue;
use super::http_message::{self, LARGEST_HEAD};
use super::respond::{self, HttpBody, HttpResponse, respond};
use super::send_file;
use super::{Access, AccessLog};

/// How long a client may take for a request, or be idle before it.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// How long a client may accept no bytes of a response.
const SEND_TIMEOUT: Duration = Duration::from_secs(60);

/// The response to a client that addresses this server by a name that is not allowed.
const OTHER_NAME: &str =
    "this server does not answer to that name: ask it by its address, or start it with the name allowed";

/// The state that all connections share.
#[derive(Clone)]
pub struct ServerState {
    pub catalogue: Arc<Catalogue>,
    pub hosts: Arc<AllowedHosts>,
    pub log: AccessLog,
    /// Returns the current time, for the `Date` header.
    pub clock: fn() -> SystemTime,
    /// Becomes true when no new request is to be answered; connections that hold it are still open.
    pub stop: watch::Receiver<bool>,
}

/// Answers the client's requests, until it closes the connection or the server stops; errors of the
/// connection are ignored.
pub fn spawn(socket: TcpStream, client: SocketAddr, state: ServerState) {
    let _ = socket.set_nodelay(true);
    let mut connection = Connection { socket, client, state, unread: Vec::new() };
    tokio::spawn(async move { drop(connection.answer_requests().await) });
}

struct Connection {
    socket: TcpStream,
    client: SocketAddr,
    state: ServerState,
    /// The bytes that were received and not parsed yet.
    unread: Vec<u8>,
}

/// A response that is ready to be sent.
struct PreparedResponse {
    respond: HttpResponse,
    /// The open file with the body, if it is in one.
    file: Option<File>,
    has_body: bool,
    is_last: bool,
}

impl Connection {
    async fn answer_requests(&mut self) -> io::Result<()> {
        while let Some(prepared) = self.next_response().await? {
            let is_last = prepared.is_last;
            self.send(prepared).await?;
            if is_last {
                return self.socket.shutdown().await;
            }
        }
        Ok(())
    }

    /// Returns the response to the next request; `None` if the client sends no more, or the server
    /// stops.
    async fn next_response(&mut self) -> io::Result<Option<PreparedResponse>> {
        let mut stop = self.state.stop.clone();
        let prepared = tokio::select! {
            prepared = timeout(IDLE_TIMEOUT, self.request()) => prepared.unwrap_or(Ok(None)),
            _ = stop.wait_for(|stop| *stop) => Ok(None),
        };
        prepared
    }

    async fn request(&mut self) -> io::Result<Option<PreparedResponse>> {
        loop {
            match http_message::receive(&self.unread) {
                Ok(Some(parsed)) => {
                    let prepared = self.prepared(&parsed);
                    let length = parsed.length;
                    self.unread.drain(..length);
                    return Ok(Some(prepared));
                }
                Ok(None) if self.unread.len() < LARGEST_HEAD => {}
                Ok(None) => return Ok(Some(PreparedResponse::refusal(431, "the head of the request is too long"))),
                Err(why) => return Ok(Some(PreparedResponse::refusal(400, why))),
            }
            if self.socket.read_buf(&mut self.unread).await? == 0 {
                return Ok(None);
            }
        }
    }

    fn prepared(&self, parsed: &http_message::ParsedRequest<'_>) -> PreparedResponse {
        let has_body = parsed.request.method != "HEAD";
        let (respond, file) = match parsed.host.is_none_or(|host| self.state.hosts.allows(host)) {
            true => opened(&self.state.catalogue, respond(&self.state.catalogue, &parsed.request), has_body),
            false => (respond::text(421, OTHER_NAME), None),
        };
        (self.state.log)(&Access {
            client: self.client,
            method: parsed.request.method.to_owned(),
            path: parsed.target.to_owned(),
            status: respond.status,
            bytes: respond.body.size(),
        });
        let is_last = !parsed.is_kept || *self.state.stop.borrow();
        PreparedResponse { respond, file, has_body, is_last }
    }

    async fn send(&mut self, prepared: PreparedResponse) -> io::Result<()> {
        let date = httpdate::fmt_http_date((self.state.clock)());
        let head = http_message::head(&prepared.respond, &date, !prepared.is_last);
        match (prepared.respond.body, prepared.file) {
            (HttpBody::Bytes(bytes), _) if prepared.has_body => self.write(head, bytes).await,
            (HttpBody::Extent(extent), Some(file)) => {
                self.write(head, Bytes::new()).await?;
                send_file::send(&mut self.socket, file, &extent, SEND_TIMEOUT).await
            }
            _ => self.write(head, Bytes::new()).await,
        }
    }

    async fn write(&mut self, head: Vec<u8>, body: Bytes) -> io::Result<()> {
        let mut message = Bytes::from(head).chain(body);
        while message.has_remaining() {
            timeout(SEND_TIMEOUT, self.socket.write_buf(&mut message)).await??;
        }
        Ok(())
    }
}

impl PreparedResponse {
    /// Makes the last response to a client that violates the protocol.
    fn refusal(status: u16, words: &'static str) -> Self {
        Self { respond: respond::text(status, words), file: None, has_body: true, is_last: true }
    }
}

/// Opens the file of a response; returns an error response if the file is gone or was replaced.
fn opened(catalogue: &Catalogue, respond: HttpResponse, has_body: bool) -> (HttpResponse, Option<File>) {
    let HttpBody::Extent(extent) = &respond.body else { return (respond, None) };
    match catalogue.open(&extent.file) {
        _ if !has_body => (respond, None),
        Ok(file) => (respond, Some(file)),
        Err(_) => (respond::text(404, "this file was served until somebody removed or replaced it"), None),
    }
}
