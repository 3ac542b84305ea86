//! The shared store of a run, from its URL and the variables of its kind.

use url::Url;

use super::args::NetworkArgs;
use super::layers::Layers;
use super::table;
use crate::cli::error::CliError;
use crate::domain::{MaskedUrl, mask_credentials};
use crate::http::HttpSettings;
use crate::shared_store::{SharedStore, SharedStoreError, SharedStoreSettings, StoreMode};

/// The beginnings of the variables by which object stores are configured everywhere.
const VARIABLES: [&str; 3] = ["AWS_", "AZURE_", "GOOGLE_"];

/// Opens the shared store, if one is named; one on a server is not used offline.
///
/// # Errors
/// When its URL, its mode or its variables cannot be used.
pub fn open(args: &NetworkArgs, http: HttpSettings, layers: &Layers<'_>) -> Result<Option<SharedStore>, CliError> {
    let Some(text) = args.store.clone().or_else(|| layers.one(&table::STORE)) else { return Ok(None) };
    let mode = args.store_mode.or(layers.word(&table::STORE_MODE)?).map_or_else(StoreMode::default, StoreMode::from);
    let location = location(&text, layers)?;
    if http.offline && location.local_path().is_none() {
        return Ok(None);
    }
    let variables = layers.environment.variables_of(&VARIABLES);
    SharedStore::open(SharedStoreSettings { location, mode, variables, http }).map(Some).map_err(unusable)
}

/// Parses the location: a URL, or a folder.
fn location(text: &str, layers: &Layers<'_>) -> Result<MaskedUrl, CliError> {
    let refuse = |why: String| CliError::usage(format!("--store `{}` {why}", mask_credentials(text)));
    if text.contains("://") {
        return text.parse().map_err(|error| refuse(format!("is no URL: {error}")));
    }
    let path = layers.environment.working_folder.join(text);
    let url = Url::from_file_path(path).map_err(|()| refuse("is neither a URL nor a folder".to_owned()))?;
    Ok(MaskedUrl::new(url))
}

fn unusable(error: SharedStoreError) -> CliError {
    let hint = match &error {
        SharedStoreError::ReadOnly { .. } => Some("leave --store-mode write-only away".to_owned()),
        SharedStoreError::Insecure { endpoint } => {
            let host = endpoint.secret().host_str().unwrap_or_default().to_owned();
            Some(format!("if you trust all on the way, allow it with --trusted-host {host}"))
        }
        SharedStoreError::Settings { .. } | SharedStoreError::Scheme { .. } => None,
    };
    let refused = CliError::usage(error);
    match hint {
        Some(hint) => refused.hint(hint),
        None => refused,
    }
}
