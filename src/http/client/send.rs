//! Sends a request: with credentials, by redirects, and once more after a refusal.

use reqwest::header::{CACHE_CONTROL, DATE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{RequestBuilder, Response, StatusCode};
use url::Url;

use super::HttpClient;
use crate::domain::{MaskedUrl, without_login};
use crate::http::auth::Credentials;
use crate::http::blocking::blocking;
use crate::http::client_builder::ConnectionSharing;
use crate::http::concurrency::RequestPermit;
use crate::http::error::{HttpError, StatusHeaders};
use crate::http::netrc::Login;
use crate::http::outgoing_request::OutgoingRequest;
use crate::http::redirect::next_hop;
use crate::http::retry::retry_after;
use crate::http::secure_origin::is_secure_origin;
use crate::http::{cache_control, header};

/// The number of redirects that are followed, as in browsers.
const MAX_REDIRECTS: usize = 20;

impl HttpClient {
    /// Sends a request and follows redirects, each with the credentials of its own host.
    pub(in crate::http) async fn send(
        &self,
        permit: &RequestPermit,
        url: &MaskedUrl,
        headers: HeaderMap,
        sharing: ConnectionSharing,
    ) -> Result<Response, HttpError> {
        if self.settings.offline {
            return Err(HttpError::Offline { url: url.clone() });
        }
        let mut hop = url.clone();
        let mut was_encrypted = false;
        for _ in 0..=MAX_REDIRECTS {
            let is_encrypted = hop.secret().scheme() == "https";
            // After TLS never back to plain HTTP, not even on this machine.
            let may_carry_login = is_encrypted || !was_encrypted && self.is_private(hop.secret());
            was_encrypted |= is_encrypted;
            let request = OutgoingRequest::Get { headers: &headers, sharing };
            let mut response = self.send_once(permit, &hop, may_carry_login, request).await?;
            match next_hop(&hop, &response)? {
                Some(next) if self.is_private(hop.secret()) && !self.is_private(next.secret()) => {
                    let why = format!("it redirects to {next}, which anybody on the way could answer (plain HTTP)");
                    return Err(HttpError::Redirect { url: hop, why });
                }
                Some(next) => hop = next,
                None => {
                    if hop != *url && self.settings.credentials.login(hop.secret(), may_carry_login).is_some() {
                        // It would be kept for everybody who asks the first URL.
                        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
                    }
                    return check_status(url, response);
                }
            }
        }
        Err(HttpError::Redirect { url: url.clone(), why: format!("more than {MAX_REDIRECTS} redirects") })
    }

    /// Sends a request without following redirects, and once more with what the keyring knows if it
    /// is refused; `may_carry_login` says whether stored credentials may go along.
    ///
    /// # Errors
    /// When no response arrives, or the circuit of its host is open.
    pub(in crate::http) async fn send_once(
        &self,
        permit: &RequestPermit,
        url: &MaskedUrl,
        may_carry_login: bool,
        request: OutgoingRequest<'_>,
    ) -> Result<Response, HttpError> {
        let login = self.settings.credentials.login(url.secret(), may_carry_login);
        let mut response = self.request(url, login.as_ref(), request).await?;
        let is_refused = response.status() == StatusCode::UNAUTHORIZED;
        if is_refused
            && may_carry_login
            && self.settings.credentials.has_keyring()
            && let Some(better) = ask_keyring(self.settings.credentials.clone(), url.secret().clone(), login).await
        {
            response = self.request(url, Some(&better), request).await?;
        }
        permit.record_status(response.status().as_u16());
        self.hosts.of(url.secret()).circuit_breaker.answered(response.status().as_u16());
        Ok(response)
    }

    async fn request(
        &self,
        url: &MaskedUrl,
        login: Option<&Login>,
        request: OutgoingRequest<'_>,
    ) -> Result<Response, HttpError> {
        let host = self.hosts.of(url.secret());
        host.circuit_breaker.check(url)?;
        let client = self.pools.client(&self.settings, self.settings.is_trusted(url.secret()), request.sharing())?;
        let place = without_login(url.secret());
        let signed = |request: RequestBuilder| match login {
            Some(login) => request.basic_auth(&login.user, Some(&login.password)),
            None => request,
        };
        let answer = match request {
            OutgoingRequest::Get { headers, .. } => {
                let request = signed(client.get(place).headers(headers.clone()));
                host.http2_probe.send(url.secret().scheme() == "https", request.send()).await
            }
            OutgoingRequest::Store(request) => signed(request.builder(&client, place)).send().await,
            OutgoingRequest::Form(form) => {
                let (body, progress) = form.body(url)?;
                tokio::select! {
                    answer = signed(client.post(place).multipart(body)).send() => answer,
                    sent = progress.silence(self.settings.timeout) => return Err(HttpError::silent(url, sent)),
                }
            }
        };
        answer.map_err(|error| HttpError::unreachable(url, &error, self.settings.proxies.server_for(url.secret())))
    }

    /// Whether only the server of `url` can read what it is sent: by TLS, on this machine, or as a
    /// trusted host.
    pub(in crate::http) fn is_private(&self, url: &Url) -> bool {
        is_secure_origin(url) || self.settings.is_trusted(url)
    }
}

/// Asks the keyring on a thread that may block, since it may be slow or wait for a person.
async fn ask_keyring(credentials: Credentials, url: Url, shown: Option<Login>) -> Option<Login> {
    blocking(move || credentials.ask_keyring(&url, shown.as_ref())).await
}

fn check_status(url: &MaskedUrl, response: Response) -> Result<Response, HttpError> {
    let status = response.status();
    if status.is_success() || status == StatusCode::NOT_MODIFIED {
        return Ok(response);
    }
    Err(status_error(url, &response))
}

/// Makes the error for an unsuccessful response, with what its headers say of a retry.
pub(in crate::http) fn status_error(url: &MaskedUrl, response: &Response) -> HttpError {
    let date = header(response.headers(), &DATE);
    let retry_after = header(response.headers(), &RETRY_AFTER).and_then(|value| retry_after(&value, date.as_deref()));
    let headers = StatusHeaders { retry_after, cache_control: cache_control(response.headers()) };
    HttpError::Status { url: url.clone(), status: response.status(), headers: headers.into() }
}
