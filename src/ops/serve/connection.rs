//! The connection of one client, by hyper: answers and logs its requests.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_LENGTH, HOST, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::Watcher;
use tokio::net::TcpStream;
use tokio_io_timeout::TimeoutWriter;

use super::allowed_hosts::AllowedHosts;
use super::arriving_body::ArrivingBody;
use super::file_body::{FileBody, RunningResponses};
use super::respond::{self, HttpBody, HttpRequest, HttpResponse};
use super::{Access, AccessLog, Site};

/// How long a client may take for a request, or be idle before it.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// How long a client may accept no bytes of a response.
const SEND_TIMEOUT: Duration = Duration::from_secs(60);

/// The size limit of a request's headers in bytes.
const LARGEST_HEAD: usize = 16 << 10;

/// The response to a client that addresses this server by a name that is not allowed.
const OTHER_NAME: &str =
    "this server does not answer to that name: ask it by its address, or start it with the name allowed";

/// The state that all connections share.
#[derive(Clone)]
pub struct ServerState {
    pub site: Site,
    pub hosts: Arc<AllowedHosts>,
    pub log: AccessLog,
    pub running: RunningResponses,
}

/// Answers the client's requests until it closes the connection, or the `watcher` sees the server
/// stop; errors of the connection are ignored.
pub fn spawn(socket: TcpStream, client: SocketAddr, state: ServerState, watcher: Watcher) {
    let _ = socket.set_nodelay(true);
    let mut stream = TimeoutWriter::new(socket);
    stream.set_timeout(Some(SEND_TIMEOUT));
    let service = service_fn(move |request: Request<Incoming>| {
        let state = state.clone();
        async move { Ok::<_, Infallible>(answer(&state, client, &request.map(drop)).await) }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(IDLE_TIMEOUT).max_buf_size(LARGEST_HEAD);
    let connection = builder.serve_connection(TokioIo::new(Box::pin(stream)), service);
    tokio::spawn(async move { drop(watcher.watch(connection).await) });
}

/// The body of a response: bytes in memory, a part of a file, or a file that arrives.
type Body = Either<Full<Bytes>, Either<FileBody, ArrivingBody>>;

/// Returns the response to a request, and logs it.
async fn answer(state: &ServerState, client: SocketAddr, request: &Request<()>) -> Response<Body> {
    let has_body = request.method() != Method::HEAD;
    let (response, file) = match refusal(state, request) {
        Some(refusal) => (refusal, None),
        None => opened(state, state.site.respond(&parsed(request)).await, has_body),
    };
    (state.log)(&Access {
        client,
        method: request.method().to_string(),
        path: request.uri().path_and_query().map(ToString::to_string).unwrap_or_default(),
        status: response.status,
        bytes: response.body.size().unwrap_or_default(),
    });
    sent(response, file, has_body)
}

/// Returns the response to a request that is not to be answered as asked.
fn refusal(state: &ServerState, request: &Request<()>) -> Option<HttpResponse> {
    if let Some(why) = ambiguity(request.method(), request.headers()) {
        return Some(respond::text(400, why).with("connection", "close"));
    }
    let named = request.uri().authority().map(|authority| authority.as_str());
    let host = named.or_else(|| text(request.headers(), &HOST));
    (!host.is_none_or(|host| state.hosts.allows(host))).then(|| respond::text(421, OTHER_NAME))
}

/// Returns why a proxy may read the request differently, and take a part of one request for another
/// (RFC 9112, 6.3 and 11.2).
fn ambiguity(method: &Method, headers: &HeaderMap) -> Option<&'static str> {
    let count = |name| headers.get_all(name).iter().count();
    let is_list = |value: &HeaderValue| value.as_bytes().contains(&b',');
    if count(HOST) > 1 {
        return Some("the request names several hosts");
    }
    if count(CONTENT_LENGTH) + count(TRANSFER_ENCODING) > 1 || headers.get(CONTENT_LENGTH).is_some_and(is_list) {
        return Some("the request tells its length twice");
    }
    let only_reads = matches!(*method, Method::GET | Method::HEAD);
    (only_reads && count(TRANSFER_ENCODING) > 0).then_some("a request that only reads has no body to be encoded")
}

fn parsed(request: &Request<()>) -> HttpRequest<'_> {
    let field = |name: HeaderName| text(request.headers(), &name);
    HttpRequest {
        method: request.method().as_str(),
        path: request.uri().path(),
        accept: field(hyper::header::ACCEPT),
        if_none_match: field(hyper::header::IF_NONE_MATCH),
        if_range: field(hyper::header::IF_RANGE),
        range: field(hyper::header::RANGE),
    }
}

/// Returns the first value of a header; `None` if it is no text.
fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Opens the file of a response; returns an error response if the file is gone or was replaced.
fn opened(state: &ServerState, response: HttpResponse, has_body: bool) -> (HttpResponse, Option<FileBody>) {
    let HttpBody::Extent(extent) = &response.body else { return (response, None) };
    match state.site.open_file(&extent.file).and_then(|file| FileBody::new(file, extent, &state.running)) {
        _ if !has_body => (response, None),
        Ok(body) => (response, Some(body)),
        Err(_) => (respond::text(404, "this file was served until somebody removed or replaced it"), None),
    }
}

/// Returns the response as hyper sends it.
fn sent(response: HttpResponse, file: Option<FileBody>, has_body: bool) -> Response<Body> {
    let length = response.body.size();
    let body = match (response.body, file) {
        (HttpBody::Bytes(bytes), _) if has_body => Either::Left(Full::new(bytes)),
        (HttpBody::Extent(_), Some(body)) => Either::Right(Either::Left(body)),
        (HttpBody::Arriving(file), _) if has_body => Either::Right(Either::Right(file.into_body())),
        _ => Either::Left(Full::default()),
    };
    let mut sent = Response::new(body);
    *sent.status_mut() = StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in response.headers {
        if let Ok(value) = HeaderValue::try_from(value) {
            sent.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    if let Some(length) = length.filter(|_| sent.status() != StatusCode::NOT_MODIFIED) {
        sent.headers_mut().insert(CONTENT_LENGTH, length.into());
    }
    sent
}
