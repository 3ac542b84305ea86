//! Sends the requests of `object_store`, which composes and signs them for each kind of store.
//!
//! They have the proxies, certificates, limits, retries and circuit breakers of all other requests.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http_body_util::BodyExt as _;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient as StoreClient, HttpConnector, HttpError as StoreError, HttpErrorKind, HttpRequest, HttpRequestBody,
    HttpResponse, HttpResponseBody, HttpService,
};
use reqwest::header::HeaderMap;
use reqwest::{Body, Client, Method, RequestBuilder, Response};
use url::Url;

use super::client::{HttpClient, status_error};
use super::error::HttpError;
use super::outgoing_request::OutgoingRequest;
use crate::domain::MaskedUrl;

/// Connects object stores by a client.
#[derive(Clone, Debug)]
pub struct ObjectStoreConnector(Arc<HttpClient>);

/// A request that is composed and maybe signed; it is sent as it is, without following redirects.
pub(super) struct StoreRequest {
    method: Method,
    headers: HeaderMap,
    body: HttpRequestBody,
}

/// The time that every upload may take, however small it is.
const LEAST_TIME: Duration = Duration::from_secs(60);

/// The speed in bytes per second below which an upload is given up.
const SLOWEST: u64 = 32 << 10;

impl ObjectStoreConnector {
    pub fn new(client: HttpClient) -> Self {
        Self(Arc::new(client))
    }
}

impl HttpConnector for ObjectStoreConnector {
    /// Returns the client; `options` of a store's own do not count.
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<StoreClient> {
        Ok(StoreClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for ObjectStoreConnector {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, StoreError> {
        let (parts, body) = request.into_parts();
        let url: Url = parts.uri.to_string().parse().map_err(|error| StoreError::new(HttpErrorKind::Unknown, error))?;
        let url = MaskedUrl::new(url);
        let request = StoreRequest { method: parts.method, headers: parts.headers, body };
        let sent = self.0.retrying(|| self.0.send_store_request(&url, &request)).await;
        let response = sent.map_err(|error| StoreError::new(HttpErrorKind::Unknown, error))?;
        let (parts, body) = http::Response::<Body>::from(response).into_parts();
        let body = body.map_err(move |error| {
            StoreError::new(HttpErrorKind::Interrupted, HttpError::interrupted(&url, 0, None, &error))
        });
        Ok(HttpResponse::from_parts(parts, HttpResponseBody::new(body)))
    }
}

impl HttpClient {
    /// Sends a request once; statuses that no retry can change are for the caller to judge.
    async fn send_store_request(&self, url: &MaskedUrl, request: &StoreRequest) -> Result<Response, HttpError> {
        if self.settings().offline {
            return Err(HttpError::Offline { url: url.clone() });
        }
        let permit = self.hosts.of(url.secret()).pages.permit().await;
        let is_private = self.is_private(url.secret());
        let response = self.send_once(&permit, url, is_private, OutgoingRequest::Store(request)).await?;
        let error = status_error(url, &response);
        if error.outcome().is_transient() { Err(error) } else { Ok(response) }
    }
}

impl StoreRequest {
    /// Whether it has a body, so that no response can be expected while that is sent.
    pub fn is_upload(&self) -> bool {
        // Its own `is_empty` says the opposite for payloads (object_store 0.14.2).
        self.body.content_length() > 0
    }

    /// Returns the request to `url`.
    pub fn builder(&self, client: &Client, url: Url) -> RequestBuilder {
        let request = client.request(self.method.clone(), url).headers(self.headers.clone());
        if self.is_upload() {
            let time = LEAST_TIME + Duration::from_secs(self.body.content_length() as u64 / SLOWEST);
            request.timeout(time).body(Body::wrap(self.body.clone()))
        } else {
            request
        }
    }
}
