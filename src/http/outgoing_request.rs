//! The requests that a client sends: for a page or a file, with a form, or to an object store.

use reqwest::header::HeaderMap;

use super::client_builder::ConnectionSharing;
use super::object_store_connector::StoreRequest;
use super::upload_form::UploadForm;

/// A request without its URL and its credentials, which can be sent several times.
#[derive(Clone, Copy)]
pub(super) enum OutgoingRequest<'a> {
    Get { headers: &'a HeaderMap, sharing: ConnectionSharing },
    Form(&'a UploadForm),
    Store(&'a StoreRequest),
}

impl OutgoingRequest<'_> {
    /// Returns which connections may carry it.
    pub fn sharing(self) -> ConnectionSharing {
        match self {
            Self::Get { sharing, .. } => sharing,
            Self::Form(_) => ConnectionSharing::Upload,
            Self::Store(request) if request.is_upload() => ConnectionSharing::Upload,
            Self::Store(_) => ConnectionSharing::Own,
        }
    }
}
