//! Fetches large files in parts, several at once, each on its own connection, and returns them in
//! order.
//!
//! The window of a connection limits its speed over a long distance, and many servers limit the
//! speed of each connection. A file is fetched in parts if its digest is promised (only that can
//! tell whether the parts belong together), its server supports ranges and names the file's
//! version, and permits are free.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use reqwest::header::{IF_RANGE, RANGE};
use reqwest::{Response, StatusCode};
use tokio::task::JoinHandle;

use super::Validators;
use super::blocking::joined;
use super::body::ResponseBody;
use super::client::{HttpClient, add_header, file_headers};
use super::client_builder::ConnectionSharing;
use super::concurrency::RequestPermit;
use super::error::HttpError;
use super::range::{ResumePoint, content_range};
use crate::domain::MaskedUrl;

/// The smallest file, in bytes, for which several requests pay off.
pub const MIN_PARALLEL_SIZE: u64 = 32 << 20;

/// The size of a part in bytes: at 30 MB/s and 100 ms, a connection spends a quarter of its time
/// waiting.
const PART_SIZE: u64 = 8 << 20;

/// The number of parts that are being fetched or wait for their turn, which bounds the memory.
const MAX_PARTS: usize = 4;

impl HttpClient {
    /// Starts to fetch a file of `size` bytes, in parts if possible, else as [`HttpClient::file`].
    ///
    /// # Errors
    /// When this single attempt fails.
    pub async fn file_in_parallel(
        self: &Arc<Self>,
        permit: &RequestPermit,
        url: &MaskedUrl,
        start: &ResumePoint,
        size: u64,
    ) -> Result<ResponseBody, HttpError> {
        let start = ResumePoint { sharing: ConnectionSharing::Own, ..start.clone() };
        let is_worth_it = size.saturating_sub(start.at) >= MIN_PARALLEL_SIZE && url.local_path().is_none();
        match self.hosts.of(url.secret()).files.try_permit().filter(|_| is_worth_it) {
            Some(spare) => {
                self.in_parallel(permit, spare, url, &start, PartSizes { part: PART_SIZE, total: size }).await
            }
            None => self.file(permit, url, &start).await,
        }
    }

    async fn in_parallel(
        self: &Arc<Self>,
        permit: &RequestPermit,
        spare: RequestPermit,
        url: &MaskedUrl,
        start: &ResumePoint,
        sizes: PartSizes,
    ) -> Result<ResponseBody, HttpError> {
        let first = start.at..(start.at + sizes.part).min(sizes.total);
        let mut headers = file_headers(start);
        add_header(&mut headers, RANGE, Some(&range_header(&first)));
        let response = match self.send(permit, url, headers, ConnectionSharing::Own).await {
            Err(HttpError::Status { status: StatusCode::RANGE_NOT_SATISFIABLE, .. }) => {
                return self.file(permit, url, start).await;
            }
            other => other?,
        };
        if response.status() == StatusCode::OK {
            return Ok(ResponseBody::from_response(url.clone(), response, 0));
        }
        let validator = Validators::of(response.headers()).for_range().map(ToOwned::to_owned);
        match validator.filter(|_| content_range(&response) == Some((first.clone(), sizes.total))) {
            Some(validator) => {
                let (client, url) = (self.clone(), url.clone());
                let source = Arc::new(RangeSource { client, url, validator });
                let ahead = VecDeque::from([source.fetch(sizes.after(&first), spare)]);
                let next = sizes.after(&sizes.after(&first)).start;
                let validators = Validators::of(response.headers());
                let parts =
                    ParallelRanges { source, sizes, current: Some(response), ahead, buffered: VecDeque::new(), next };
                Ok(ResponseBody::from_ranges(parts, validators, start.at))
            }
            None => self.file(permit, url, start).await,
        }
    }
}

/// The sizes in bytes of a part and of the file.
#[derive(Clone, Copy, Debug)]
struct PartSizes {
    part: u64,
    total: u64,
}

impl PartSizes {
    /// Returns the range of the part after `part`.
    fn after(self, part: &Range<u64>) -> Range<u64> {
        part.end..(part.end + self.part).min(self.total)
    }
}

/// The URL of the parts, and the version of the file that they must be of.
struct RangeSource {
    client: Arc<HttpClient>,
    url: MaskedUrl,
    validator: String,
}

/// The fetch of a part; dropping this cancels it.
struct RangeTask(JoinHandle<Result<Vec<Bytes>, HttpError>>);

impl Drop for RangeTask {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl RangeSource {
    /// Starts to fetch a whole part.
    fn fetch(self: &Arc<Self>, part: Range<u64>, permit: RequestPermit) -> RangeTask {
        let source = self.clone();
        RangeTask(tokio::spawn(
            async move { source.client.retrying(|| source.fetch_once(&permit, part.clone())).await },
        ))
    }

    async fn fetch_once(&self, permit: &RequestPermit, part: Range<u64>) -> Result<Vec<Bytes>, HttpError> {
        let mut response = self.request(permit, &part).await?;
        let (mut pieces, mut got) = (Vec::new(), 0);
        while let Some(piece) = self.chunk(&mut response, part.start + got).await? {
            got += piece.len() as u64;
            pieces.push(piece);
        }
        if got == part.end - part.start {
            Ok(pieces)
        } else {
            Err(HttpError::truncated(&self.url, part.start + got, part.end))
        }
    }

    async fn request(&self, permit: &RequestPermit, part: &Range<u64>) -> Result<Response, HttpError> {
        let mut headers = file_headers(&ResumePoint::default());
        add_header(&mut headers, RANGE, Some(&range_header(part)));
        add_header(&mut headers, IF_RANGE, Some(&self.validator));
        let response = self.client.send(permit, &self.url, headers, ConnectionSharing::Own).await?;
        match content_range(&response) {
            Some((range, _)) if range == *part => Ok(response),
            _ => Err(HttpError::broken(&self.url, part.start, None, "the server has another version of it by now")),
        }
    }

    async fn chunk(&self, response: &mut Response, at: u64) -> Result<Option<Bytes>, HttpError> {
        let chunk = response.chunk().await;
        chunk.map_err(|error| HttpError::interrupted(&self.url, at, None, &error))
    }
}

/// A file that is fetched in parts.
pub(super) struct ParallelRanges {
    source: Arc<RangeSource>,
    sizes: PartSizes,
    /// The part whose bytes are returned as they arrive.
    current: Option<Response>,
    /// The parts after it, in order.
    ahead: VecDeque<RangeTask>,
    /// The remaining chunks of a part that arrived whole.
    buffered: VecDeque<Bytes>,
    /// The offset of the next part to request.
    next: u64,
}

impl ParallelRanges {
    pub fn url(&self) -> &MaskedUrl {
        &self.source.url
    }

    pub fn total(&self) -> u64 {
        self.sizes.total
    }

    /// Returns the next bytes, which begin at offset `at` of the file.
    pub async fn next(&mut self, at: u64) -> Result<Option<Bytes>, HttpError> {
        loop {
            self.fetch_ahead();
            if let Some(bytes) = self.buffered.pop_front() {
                return Ok(Some(bytes));
            }
            if let Some(response) = &mut self.current {
                match self.source.chunk(response, at).await? {
                    Some(bytes) => return Ok(Some(bytes)),
                    None => self.current = None,
                }
            } else if let Some(mut part) = self.ahead.pop_front() {
                self.buffered = joined(&mut part.0).await?.into();
            } else if self.next < self.sizes.total {
                let rest = self.next..self.sizes.total;
                let permit = self.source.client.hosts.of(self.source.url.secret()).files.unlimited_permit();
                self.current = Some(self.source.request(&permit, &rest).await?);
                self.next = self.sizes.total;
            } else {
                return Ok(None);
            }
        }
    }

    /// Requests further parts, as long as permits are free.
    fn fetch_ahead(&mut self) {
        let taken = usize::from(self.current.is_some()) + usize::from(!self.buffered.is_empty());
        while self.next < self.sizes.total && taken + self.ahead.len() < MAX_PARTS {
            let Some(permit) = self.source.client.hosts.of(self.source.url.secret()).files.try_permit() else { return };
            let part = self.sizes.after(&(0..self.next));
            self.next = part.end;
            self.ahead.push_back(self.source.fetch(part, permit));
        }
    }
}

/// Returns the `Range` header, such as `bytes=0-9` for the first ten bytes.
fn range_header(range: &Range<u64>) -> String {
    format!("bytes={}-{}", range.start, range.end - 1)
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::time::Duration;

    use parking_lot::Mutex;

    use super::*;
    use crate::http::HttpSettings;

    const SIZES: PartSizes = PartSizes { part: 10, total: 95 };

    /// A server of one file, which answers each request by `answer` with the requested range, and
    /// records it.
    struct Server {
        url: MaskedUrl,
        asked: Arc<Mutex<Vec<Option<Range<usize>>>>>,
    }

    impl Server {
        fn start(answer: impl Fn(usize, Option<Range<usize>>) -> Vec<u8> + Send + 'static) -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let url = format!("http://{}/file", listener.local_addr().unwrap()).parse().unwrap();
            let asked = Arc::new(Mutex::new(Vec::new()));
            let log = asked.clone();
            std::thread::spawn(move || {
                for stream in listener.incoming() {
                    let mut stream = stream.unwrap();
                    let range = range_of(&stream);
                    log.lock().push(range.clone());
                    let number = log.lock().len();
                    let _ = stream.write_all(&answer(number, range));
                }
            });
            Self { url, asked }
        }
    }

    fn range_of(stream: &TcpStream) -> Option<Range<usize>> {
        let lines = BufReader::new(stream).lines().map(Result::unwrap).take_while(|line| !line.is_empty());
        let lines: Vec<_> = lines.map(|line| line.to_lowercase()).collect();
        let range = lines.iter().find_map(|line| line.strip_prefix("range: bytes="))?;
        let (first, last) = range.split_once('-').unwrap();
        Some(first.parse().unwrap()..last.parse::<usize>().map_or(95, |last| last + 1))
    }

    fn content() -> Vec<u8> {
        (0..95).collect()
    }

    fn part(range: Range<usize>, tag: &str) -> Vec<u8> {
        let head = format!(
            "HTTP/1.1 206 Part\r\nContent-Range: bytes {}-{}/95\r\nETag: \"{tag}\"\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            range.start,
            range.end - 1,
            range.len()
        );
        [head.as_bytes(), &content()[range]].concat()
    }

    fn whole() -> Vec<u8> {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 95\r\nConnection: close\r\n\r\n";
        [head.as_bytes(), &content()].concat()
    }

    /// Returns the bytes from 5 on, with a limit of `at_once` requests to the host.
    async fn read(server: &Server, at_once: usize) -> Result<Vec<u8>, HttpError> {
        let timeout = Duration::from_secs(20);
        let settings = HttpSettings { files_per_host: at_once, timeout, ..HttpSettings::default() };
        let client = Arc::new(HttpClient::new(settings));
        let permit = client.permit(&server.url, None).await;
        let spare = client.hosts.of(server.url.secret()).files.try_permit().unwrap();
        let start = ResumePoint { at: 5, validator: Some("\"1\"".to_owned()), ..ResumePoint::default() };
        let mut body = client.in_parallel(&permit, spare, &server.url, &start, SIZES).await?;
        let mut bytes = content()[..body.start() as usize].to_vec();
        while let Some(range_once) = body.next().await? {
            bytes.extend_from_slice(&range_once);
        }
        Ok(bytes)
    }

    #[tokio::test]
    async fn parts_are_put_in_order() {
        let server = Server::start(|_, range| part(range.unwrap(), "1"));
        assert_eq!(read(&server, 9).await.unwrap(), content());
        let mut asked: Vec<_> = server.asked.lock().iter().flatten().map(|range| range.start).collect();
        asked.sort_unstable();
        assert_eq!(asked, [5, 15, 25, 35, 45, 55, 65, 75, 85]);
    }

    /// The part that was begun, and then the rest in one request, since no other permit is free.
    #[tokio::test]
    async fn without_places_the_rest_comes_in_one() {
        let server = Server::start(|_, range| part(range.unwrap(), "1"));
        assert_eq!(read(&server, 2).await.unwrap(), content());
        assert!(server.asked.lock().len() <= 9);
    }

    #[tokio::test]
    async fn a_server_without_ranges_sends_the_whole() {
        let server = Server::start(|_, _| whole());
        assert_eq!(read(&server, 9).await.unwrap(), content());
        assert_eq!(server.asked.lock().len(), 1);
    }

    #[tokio::test]
    async fn parts_of_another_version_do_not_count() {
        let server = Server::start(|number, range| if number == 1 { part(range.unwrap(), "1") } else { whole() });
        assert!(matches!(read(&server, 9).await, Err(HttpError::Interrupted { .. })));
    }

    #[tokio::test]
    async fn a_part_cut_short_is_told() {
        let server = Server::start(|number, range| {
            let mut bytes = part(range.unwrap(), "1");
            bytes.truncate(bytes.len() - usize::from(number == 3));
            bytes
        });
        assert!(matches!(read(&server, 9).await, Err(HttpError::Interrupted { .. })));
    }
}
