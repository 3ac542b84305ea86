//! One client's connection: HTTP/1.1 around [`answer`].

use std::convert::Infallible;
use std::io::{self, SeekFrom};
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, TryStreamExt as _};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::HeaderMap;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio::net::TcpStream;

use super::answer::{Answer, Body, Request, answer};
use super::catalogue::Catalogue;
use super::members::Place;
use super::{Access, AccessLog};

type ResponseBody = UnsyncBoxBody<Bytes, io::Error>;

/// Answers the client's requests, until it goes or the server is to stop. How the connection
/// ends is the client's business.
pub fn spawn(
    socket: TcpStream,
    client: SocketAddr,
    catalogue: Arc<Catalogue>,
    log: AccessLog,
    graceful: &GracefulShutdown,
) {
    let _ = socket.set_nodelay(true);
    let service = service_fn(move |request| {
        let (catalogue, log) = (catalogue.clone(), log.clone());
        async move { Ok::<_, Infallible>(respond(&request, client, &catalogue, &log)) }
    });
    // With a timer, a client has half a minute to send the head of its request.
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(socket), service);
    tokio::spawn(graceful.watch(connection));
}

fn respond(
    request: &hyper::Request<Incoming>,
    client: SocketAddr,
    catalogue: &Catalogue,
    log: &AccessLog,
) -> hyper::Response<ResponseBody> {
    let header = |name: &str| text(request.headers(), name);
    let answer = answer(
        catalogue,
        &Request {
            method: request.method().as_str(),
            path: request.uri().path(),
            accept: header("accept"),
            if_none_match: header("if-none-match"),
            if_range: header("if-range"),
            range: header("range"),
        },
    );
    log(&Access {
        client,
        method: request.method().to_string(),
        path: request.uri().path_and_query().map(ToString::to_string).unwrap_or_default(),
        status: answer.status,
        bytes: answer.body.size(),
    });
    let is_head = request.method() == hyper::Method::HEAD;
    response(answer, is_head)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn response(answer: Answer, is_head: bool) -> hyper::Response<ResponseBody> {
    let mut builder = hyper::Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        builder = builder.header(*name, value);
    }
    if answer.status != 304 {
        builder = builder.header("content-length", answer.body.size());
    }
    let body = if is_head { Body::Bytes(Bytes::new()) } else { answer.body };
    builder.body(stream(body)).expect("names and values of our own make a response")
}

fn stream(body: Body) -> ResponseBody {
    match body {
        Body::Bytes(bytes) => Full::new(bytes).map_err(|never| match never {}).boxed_unsync(),
        Body::Place(place) => StreamBody::new(pieces(place).map_ok(Frame::data)).boxed_unsync(),
    }
}

/// What is read at once, in bytes: a thousand answers under way hold so much each.
const PIECE: u64 = 64 << 10;

/// The bytes of a place, read as the client takes them.
fn pieces(place: Place) -> impl futures::Stream<Item = io::Result<Bytes>> + Send {
    stream::try_unfold((None, place), |(file, mut place)| async move {
        if place.size == 0 {
            return Ok(None);
        }
        let mut file = match file {
            Some(file) => file,
            None => open(&place).await?,
        };
        let mut piece = vec![0; place.size.min(PIECE) as usize];
        file.read_exact(&mut piece).await?;
        place.size -= piece.len() as u64;
        Ok(Some((Bytes::from(piece), (Some(file), place))))
    })
}

async fn open(place: &Place) -> io::Result<File> {
    let mut file = File::open(&place.file).await?;
    file.seek(SeekFrom::Start(place.start)).await?;
    Ok(file)
}
