//! Redirects: where they lead, and which credentials go with them.

use reqwest::Response;
use reqwest::header::LOCATION;

use super::error::HttpError;
use super::header;
use crate::domain::{MaskedUrl, without_login};

/// Returns the URL that a redirect leads to; only `http` and `https` are followed.
pub(super) fn next_hop(url: &MaskedUrl, response: &Response) -> Result<Option<MaskedUrl>, HttpError> {
    let is_redirect = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let Some(location) = header(response.headers(), &LOCATION).filter(|_| is_redirect) else { return Ok(None) };
    let wrong = |why: String| HttpError::Redirect { url: url.clone(), why };
    let next = MaskedUrl::new(without_login(url.secret())).join(&location);
    let next = next.map_err(|error| wrong(format!("it redirects to what is no URL ({error})")))?;
    match next.secret().scheme() {
        "http" | "https" => Ok(Some(with_login_of(url, next))),
        scheme => Err(wrong(format!("it redirects to a {scheme}: URL, which is not followed"))),
    }
}

/// Keeps the credentials of the redirecting URL if the next one has the same host and none of its
/// own.
fn with_login_of(url: &MaskedUrl, next: MaskedUrl) -> MaskedUrl {
    let (from, mut to) = (url.secret(), next.secret().clone());
    if from.origin() == to.origin() && to.username().is_empty() && to.password().is_none() {
        // Both fail only for URLs that cannot have credentials.
        let _ = to.set_username(from.username());
        let _ = to.set_password(from.password());
    }
    MaskedUrl::new(to)
}
