//! Uploads of files by a form (`multipart/form-data`, RFC 7578).

use std::io::{self, Read};
use std::time::Duration;

use bytes::Bytes;
use reqwest::multipart::{Form, Part};
use reqwest::{Body, Response};
use tokio::sync::watch;

use super::client::{HttpClient, status_error};
use super::error::HttpError;
use super::outgoing_request::OutgoingRequest;
use super::redirect::next_hop;
use crate::domain::{CHUNK_SIZE, MaskedUrl};

/// A form with a file.
pub struct UploadForm {
    /// The names and values before the file; a name may occur several times.
    pub fields: Vec<(String, String)>,
    /// The name of the field that holds the file.
    pub file_field: &'static str,
    pub filename: String,
    /// The size of the file in bytes.
    pub size: u64,
    /// Opens the file, anew for each attempt.
    pub open: Box<OpenFile>,
}

type OpenFile = dyn Fn() -> io::Result<Box<dyn Read + Send>> + Send + Sync;

/// The response to a form that was received as a whole.
#[derive(Debug)]
pub enum FormResponse {
    Accepted,
    /// The server does not take it; a retry cannot help.
    Refused {
        error: HttpError,
        /// The beginning of the body, which may be text or HTML.
        text: String,
    },
}

/// How long a server may take to check and keep a file before it answers, at least.
const PROCESSING: Duration = Duration::from_secs(120);

/// The number of bytes of a refusal that are read; most have a few hundred.
const REFUSAL: usize = 16 << 10;

impl HttpClient {
    /// Posts a form; its URL must be the one that takes it, since redirects are not followed.
    ///
    /// A file may arrive twice: if the response to the first attempt is lost, the second one may be
    /// refused since the file is there.
    ///
    /// # Errors
    /// When all attempts failed; the last failure.
    pub async fn post_form(&self, url: &MaskedUrl, form: &UploadForm) -> Result<FormResponse, HttpError> {
        self.retrying(|| self.post_once(url, form)).await
    }

    async fn post_once(&self, url: &MaskedUrl, form: &UploadForm) -> Result<FormResponse, HttpError> {
        if self.settings().offline {
            return Err(HttpError::Offline { url: url.clone() });
        }
        let permit = self.permit(url, None).await;
        let request = OutgoingRequest::Form(form);
        let response = self.send_once(&permit, url, self.is_private(url.secret()), request).await?;
        if response.status().is_success() {
            return Ok(FormResponse::Accepted);
        }
        if let Some(next) = next_hop(url, &response)? {
            let why = format!("it redirects uploads to {next}: name that, if it is right");
            return Err(HttpError::Redirect { url: url.clone(), why });
        }
        let error = status_error(url, &response);
        if error.outcome().is_transient() {
            return Err(error);
        }
        let text = tokio::time::timeout(self.settings().timeout, refusal(response)).await;
        Ok(FormResponse::Refused { error, text: text.unwrap_or_default() })
    }
}

/// Reads the beginning of the body, or what arrives of it.
async fn refusal(mut response: Response) -> String {
    let mut bytes = Vec::new();
    while bytes.len() < REFUSAL
        && let Ok(Some(chunk)) = response.chunk().await
    {
        bytes.extend_from_slice(&chunk);
    }
    bytes.truncate(REFUSAL);
    String::from_utf8_lossy(&bytes).into_owned()
}

impl UploadForm {
    /// Makes the body of a request, with the progress of sending it.
    pub(super) fn body(&self, url: &MaskedUrl) -> Result<(Form, UploadProgress), HttpError> {
        let file = (self.open)().map_err(|why| HttpError::File { url: url.clone(), why })?;
        let (sent, progress) = watch::channel(0);
        let chunks = futures::stream::iter(FileChunks { file, sent });
        let part = Part::stream_with_length(Body::wrap_stream(chunks), self.size).file_name(self.filename.clone());
        let part = part.mime_str("application/octet-stream").expect("it is a media type");
        let fields = self.fields.iter().cloned();
        let form = fields.fold(Form::new(), |form, (name, value)| form.text(name, value));
        Ok((form.part(self.file_field, part), UploadProgress(progress)))
    }
}

/// The bytes of a file, as a connection takes them.
struct FileChunks {
    file: Box<dyn Read + Send>,
    /// The number of bytes that were taken.
    sent: watch::Sender<u64>,
}

impl Iterator for FileChunks {
    type Item = io::Result<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut chunk = Vec::with_capacity(CHUNK_SIZE);
        let read = (&mut self.file).take(CHUNK_SIZE as u64).read_to_end(&mut chunk);
        self.sent.send_modify(|sent| *sent += chunk.len() as u64);
        match read {
            Ok(0) => None,
            Ok(_) => Some(Ok(chunk.into())),
            Err(error) => Some(Err(error)),
        }
    }
}

/// How far a body was sent.
pub(super) struct UploadProgress(watch::Receiver<u64>);

impl UploadProgress {
    /// Waits until nothing was taken for `timeout`, or nothing was answered for a longer time after
    /// all was taken; returns how many bytes were taken.
    pub async fn silence(mut self, timeout: Duration) -> u64 {
        loop {
            match tokio::time::timeout(timeout, self.0.changed()).await {
                Ok(Ok(())) => {}
                Err(_) => return *self.0.borrow(),
                Ok(Err(_)) => {
                    tokio::time::sleep(timeout.max(PROCESSING)).await;
                    return *self.0.borrow();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use tokio::time::advance;

    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(15);

    #[tokio::test(start_paused = true)]
    async fn an_upload_is_silent_once_nothing_is_taken_any_more() {
        let (sent, progress) = watch::channel(0);
        let mut silence = Box::pin(UploadProgress(progress).silence(TIMEOUT));
        for taken in 1..=4 {
            assert_eq!(silence.as_mut().now_or_never(), None);
            advance(TIMEOUT - Duration::from_secs(1)).await;
            sent.send_replace(taken);
        }
        assert_eq!(silence.as_mut().now_or_never(), None);
        advance(TIMEOUT + Duration::from_secs(1)).await;
        assert_eq!(silence.now_or_never(), Some(4));
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_may_take_its_time_once_it_has_everything() {
        let (sent, progress) = watch::channel(7);
        let mut silence = Box::pin(UploadProgress(progress).silence(TIMEOUT));
        drop(sent);
        assert_eq!(silence.as_mut().now_or_never(), None);
        advance(PROCESSING - Duration::from_secs(1)).await;
        assert_eq!(silence.as_mut().now_or_never(), None);
        advance(Duration::from_secs(2)).await;
        assert_eq!(silence.now_or_never(), Some(7));
    }
}
