//! One client's connection: requests are read, answered and told of, one after the other.

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

use super::answer::{self, Answer, Body, answer};
use super::catalogue::Catalogue;
use super::message::{self, LARGEST_HEAD};
use super::transfer;
use super::{Access, AccessLog};

/// How long a client may take for a request, or be idle before it.
const IDLE: Duration = Duration::from_secs(60);

/// How long a client may take none of the bytes of an answer.
const STALLED: Duration = Duration::from_secs(60);

/// What every connection needs.
#[derive(Clone)]
pub struct Desk {
    pub catalogue: Arc<Catalogue>,
    pub log: AccessLog,
    /// Tells the time, for the `Date` of answers.
    pub clock: fn() -> SystemTime,
    /// Becomes true when no new request is to be answered. Whoever holds it is not done yet.
    pub stop: watch::Receiver<bool>,
}

/// Answers the client's requests, until it goes or the server is to stop. How the connection
/// ends is the client's business.
pub fn spawn(socket: TcpStream, client: SocketAddr, desk: Desk) {
    let _ = socket.set_nodelay(true);
    let mut connection = Connection { socket, client, desk, unread: Vec::new() };
    tokio::spawn(async move { drop(connection.converse().await) });
}

struct Connection {
    socket: TcpStream,
    client: SocketAddr,
    desk: Desk,
    /// What the client sent and nobody looked at yet.
    unread: Vec<u8>,
}

/// What is to be sent.
struct Reply {
    answer: Answer,
    /// The file that the body is in, open.
    file: Option<File>,
    has_body: bool,
    is_last: bool,
}

impl Connection {
    async fn converse(&mut self) -> io::Result<()> {
        while let Some(reply) = self.next_reply().await? {
            let is_last = reply.is_last;
            self.send(reply).await?;
            if is_last {
                return self.socket.shutdown().await;
            }
        }
        Ok(())
    }

    /// The reply to the next request; none where the client sends no more, or none is wanted.
    async fn next_reply(&mut self) -> io::Result<Option<Reply>> {
        let mut stop = self.desk.stop.clone();
        let reply = tokio::select! {
            reply = timeout(IDLE, self.request()) => reply.unwrap_or(Ok(None)),
            _ = stop.wait_for(|stop| *stop) => Ok(None),
        };
        reply
    }

    async fn request(&mut self) -> io::Result<Option<Reply>> {
        loop {
            match message::receive(&self.unread) {
                Ok(Some(received)) => {
                    let reply = self.reply(&received);
                    let length = received.length;
                    self.unread.drain(..length);
                    return Ok(Some(reply));
                }
                Ok(None) if self.unread.len() < LARGEST_HEAD => {}
                Ok(None) => return Ok(Some(Reply::refusal(431, "the head of the request is too long"))),
                Err(_) => return Ok(Some(Reply::refusal(400, "that is no request of HTTP/1.1"))),
            }
            if self.socket.read_buf(&mut self.unread).await? == 0 {
                return Ok(None);
            }
        }
    }

    fn reply(&self, received: &message::Received<'_>) -> Reply {
        let has_body = received.request.method != "HEAD";
        let (answer, file) = opened(answer(&self.desk.catalogue, &received.request), has_body);
        (self.desk.log)(&Access {
            client: self.client,
            method: received.request.method.to_owned(),
            path: received.target.to_owned(),
            status: answer.status,
            bytes: answer.body.size(),
        });
        let is_last = !received.is_kept || *self.desk.stop.borrow();
        Reply { answer, file, has_body, is_last }
    }

    async fn send(&mut self, reply: Reply) -> io::Result<()> {
        let date = httpdate::fmt_http_date((self.desk.clock)());
        let head = message::head(&reply.answer, &date, !reply.is_last);
        match (reply.answer.body, reply.file) {
            (Body::Bytes(bytes), _) if reply.has_body => self.write(head, bytes).await,
            (Body::Place(place), Some(file)) => {
                self.write(head, Bytes::new()).await?;
                transfer::send(&mut self.socket, file, &place, STALLED).await
            }
            _ => self.write(head, Bytes::new()).await,
        }
    }

    async fn write(&mut self, head: Vec<u8>, body: Bytes) -> io::Result<()> {
        let mut message = Bytes::from(head).chain(body);
        while message.has_remaining() {
            timeout(STALLED, self.socket.write_buf(&mut message)).await??;
        }
        Ok(())
    }
}

impl Reply {
    /// The last words to a client that does not keep to the protocol.
    fn refusal(status: u16, words: &'static str) -> Self {
        Self { answer: answer::text(status, words), file: None, has_body: true, is_last: true }
    }
}

/// The answer with the file that it needs; another one if that is gone since the start.
fn opened(answer: Answer, has_body: bool) -> (Answer, Option<File>) {
    let Body::Place(place) = &answer.body else { return (answer, None) };
    match File::open(&place.file) {
        _ if !has_body => (answer, None),
        Ok(file) => (answer, Some(file)),
        Err(_) => (answer::text(404, "this file was served until somebody removed it"), None),
    }
}
