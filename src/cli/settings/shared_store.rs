//! The shared store of a run and the buckets that it publishes to, from their URLs and the variables
//! of their kind.

use std::path::Path;

use url::Url;

use super::args::{FetchArgs, NetworkArgs, StoreModeArg};
use super::layers::Layers;
use super::{network, table};
use crate::cli::error::CliError;
use crate::cli::shell_word::shell_word;
use crate::domain::{MaskedUrl, mask_credentials};
use crate::http::HttpSettings;
use crate::shared_store::{RemoteFolder, SharedStore, SharedStoreError, SharedStoreSettings, StoreMode};

/// The beginnings of the variables by which object stores are configured everywhere.
const VARIABLES: [&str; 3] = ["AWS_", "AZURE_", "GOOGLE_"];

/// Opens the shared store, if an argument or a setting names one; one on a server is not used
/// offline.
///
/// # Errors
/// When its URL, its mode or its variables cannot be used.
pub fn open(
    named: Option<&str>,
    mode: Option<StoreModeArg>,
    http: HttpSettings,
    layers: &Layers<'_>,
) -> Result<Option<SharedStore>, CliError> {
    let Some(text) = named.map(ToOwned::to_owned).or_else(|| layers.one(&table::STORE)) else { return Ok(None) };
    let mode = mode.or(layers.word(&table::STORE_MODE)?).map_or_else(StoreMode::default, StoreMode::from);
    let location = location(&text, layers)?;
    if http.offline && location.local_path().is_none() {
        return Ok(None);
    }
    let variables = layers.environment.variables_of(&VARIABLES);
    SharedStore::open(SharedStoreSettings { location, mode, variables, http }).map(Some).map_err(unusable)
}

/// The schemes of buckets, to which layouts can be published.
const BUCKETS: [&str; 3] = ["s3://", "gs://", "az://"];

/// Whether a destination is the URL of a bucket.
pub fn is_bucket(dest: &Path) -> bool {
    BUCKETS.iter().any(|scheme| dest.to_string_lossy().starts_with(scheme))
}

/// Opens the folder of a bucket, to publish into it.
///
/// # Errors
/// When its URL or its variables cannot be used, or the run is offline.
pub fn open_folder(text: &str, args: &FetchArgs, layers: &Layers<'_>) -> Result<RemoteFolder, CliError> {
    let NetworkArgs { connections, offline, .. } = &args.network;
    let http = network::http_to_trusted(connections, *offline, &args.indexes.trusted_host, layers)?;
    if http.offline {
        return Err(CliError::usage(format!("{} cannot be written to offline", mask_credentials(text))));
    }
    let location = location(text, layers)?;
    let variables = layers.environment.variables_of(&VARIABLES);
    let settings = SharedStoreSettings { location, mode: StoreMode::ReadWrite, variables, http };
    RemoteFolder::open(settings).map_err(unusable)
}

/// Parses the location: a URL, or a folder.
fn location(text: &str, layers: &Layers<'_>) -> Result<MaskedUrl, CliError> {
    let refuse = |why: String| CliError::usage(format!("--store `{}` {why}", mask_credentials(text)));
    if text.contains("://") {
        let has_slash = text.split_once("://").and_then(|(_, rest)| rest.rsplit_once('@'));
        let has_slash = has_slash.is_some_and(|(keys, _)| keys.contains('/'));
        let no_url = |error| refuse(format!("is no URL: {error}"));
        return text.parse().map_err(no_url).map_err(|error| match has_slash {
            true => error.hint("in a key, write `/` as %2F"),
            false => error,
        });
    }
    let path = layers.environment.working_folder.join(text);
    let url = Url::from_file_path(path).map_err(|()| refuse("is neither a URL nor a folder".to_owned()))?;
    Ok(MaskedUrl::new(url))
}

fn unusable(error: SharedStoreError) -> CliError {
    let hint = match &error {
        SharedStoreError::ReadOnly { .. } => Some("leave out --store-mode write-only".to_owned()),
        SharedStoreError::Insecure { endpoint } => {
            let host = endpoint.secret().host_str().unwrap_or_default();
            Some(format!("if you trust all on the way, allow it with --trusted-host {}", shell_word(host)))
        }
        SharedStoreError::Settings { .. } | SharedStoreError::Scheme { .. } => None,
    };
    let refused = CliError::usage(error);
    match hint {
        Some(hint) => refused.hint(hint),
        None => refused,
    }
}
