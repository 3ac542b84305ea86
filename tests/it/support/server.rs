//! The sockets under an index: HTTP/1.1, HTTP/2, TLS, and bodies that end badly.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures::stream::{self, StreamExt as _};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use super::answer::{Answer, Ending};
use super::request_log;

type Body = UnsyncBoxBody<Bytes, io::Error>;
type Handler = dyn Fn(request_log::Request) -> Answer + Send + Sync;

/// A server on a free port of this machine, until dropped.
pub(super) struct Server {
    pub address: SocketAddr,
    connections: Arc<AtomicUsize>,
    released: watch::Sender<bool>,
    runtime: Option<Runtime>,
}

impl Server {
    /// Starts answering by `handler`, encrypted where `tls` says how.
    pub fn start(tls: Option<TlsAcceptor>, handler: Arc<Handler>) -> Self {
        let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = threads.unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let (released, hanging) = watch::channel(false);
        runtime.spawn(accept(listener, tls, handler, connections.clone(), hanging));
        Self { address, connections, released, runtime: Some(runtime) }
    }

    /// How many connections were accepted.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Lets every hanging body go on, now and later.
    pub fn release(&self) {
        self.released.send_replace(true);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn accept(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    handler: Arc<Handler>,
    connections: Arc<AtomicUsize>,
    hanging: watch::Receiver<bool>,
) {
    while let Ok((socket, _)) = listener.accept().await {
        connections.fetch_add(1, Ordering::SeqCst);
        let (tls, handler, hanging) = (tls.clone(), handler.clone(), hanging.clone());
        tokio::spawn(async move {
            match tls {
                None => converse(socket, handler, hanging).await,
                Some(tls) => {
                    if let Ok(stream) = tls.accept(socket).await {
                        converse(stream, handler, hanging).await;
                    }
                }
            }
        });
    }
}

/// Answers the requests of one connection. Its end is the client's business.
async fn converse<S>(stream: S, handler: Arc<Handler>, hanging: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let is_mute = Arc::new(AtomicBool::new(false));
    let service = service_fn(|request: Request<Incoming>| {
        let (handler, is_mute, mut hanging) = (handler.clone(), is_mute.clone(), hanging.clone());
        async move {
            let answer = handler(received(request).await?);
            let is_mute =
                is_mute.fetch_or(answer.ending == Ending::Mute, Ordering::SeqCst) || answer.ending == Ending::Mute;
            let _ = hanging.wait_for(|is_released| *is_released || !is_mute).await;
            respond(answer, hanging)
        }
    });
    let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
}

async fn received(mut request: Request<Incoming>) -> io::Result<request_log::Request> {
    let text = |value: &hyper::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let body = request.body_mut().collect().await.map_err(io::Error::other)?.to_bytes();
    Ok(request_log::Request {
        method: request.method().to_string(),
        path: request.uri().path_and_query().map(ToString::to_string).unwrap_or_default(),
        protocol: format!("{:?}", request.version()),
        headers: request.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        body,
    })
}

fn respond(answer: Answer, hanging: watch::Receiver<bool>) -> io::Result<Response<Body>> {
    if answer.ending == Ending::Nothing {
        return Err(io::ErrorKind::ConnectionAborted.into());
    }
    let is_length = |name: &str| matches!(name, "content-length" | "transfer-encoding");
    let has_length = answer.headers.iter().any(|(name, _)| is_length(name)) || answer.status == 304;
    let length = (!has_length).then(|| ("content-length".to_owned(), answer.body.len().to_string()));
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers.iter().chain(&length) {
        response = response.header(name, value);
    }
    response.body(body(answer, hanging)).map_err(io::Error::other)
}

fn body(answer: Answer, hanging: watch::Receiver<bool>) -> Body {
    let mut first = answer.body;
    match answer.ending {
        Ending::Complete | Ending::Nothing | Ending::Mute => in_two(first, async { Ok(Bytes::new()) }),
        Ending::Cut(at) => {
            first.truncate(at);
            in_two(first, async { Err(io::ErrorKind::ConnectionAborted.into()) })
        }
        Ending::Hang(at) => {
            let rest = first.split_off(at.min(first.len()));
            in_two(first, released(hanging, rest))
        }
    }
}

async fn released(mut hanging: watch::Receiver<bool>, rest: Bytes) -> io::Result<Bytes> {
    let _ = hanging.wait_for(|is_released| *is_released).await;
    Ok(rest)
}

/// A body whose first part reaches the client before the second begins.
fn in_two(first: Bytes, second: impl Future<Output = io::Result<Bytes>> + Send + 'static) -> Body {
    let flushed = async {
        // hyper writes what it has when the body is not ready, and only then
        tokio::task::yield_now().await;
        second.await
    };
    let parts = stream::once(async { Ok(first) }).chain(stream::once(flushed));
    StreamBody::new(parts.map(|part| part.map(Frame::data))).boxed_unsync()
}
