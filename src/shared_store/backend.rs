//! The object stores behind a URL.

use std::fs;
use std::str::FromStr;
use std::sync::Arc;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::http::HttpBuilder;
use object_store::path::Path;
use object_store::{ObjectStore, RetryConfig};
use url::Url;

use super::local_folder::LocalFolder;
use super::mode::StoreMode;
use crate::domain::MaskedUrl;
use crate::http::{Credentials, HttpClient, HttpSettings, ObjectStoreConnector, is_secure_origin};

/// Where a shared store is, and how it is asked.
#[derive(Clone, Debug)]
pub struct SharedStoreSettings {
    pub location: MaskedUrl,
    pub mode: StoreMode,
    /// The names and values of the variables by which the store is configured: `AWS_REGION` and
    /// others.
    pub variables: Vec<(String, String)>,
    pub http: HttpSettings,
}

/// Why a shared store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SharedStoreError {
    #[error("{location} cannot be used as a store: {why}")]
    Settings { location: MaskedUrl, why: String },
    #[error("{location} has a scheme that is not known (only s3, gs, az, file, http and https are)")]
    Scheme { location: MaskedUrl },
    #[error("{location} can only be read: a web server takes no uploads")]
    ReadOnly { location: MaskedUrl },
    #[error("{endpoint} is not asked: by plain HTTP, everybody on the way can change what it answers")]
    Insecure { endpoint: MaskedUrl },
}

/// The number of retries of a request: the index is there when they fail.
const RETRIES: u32 = 2;

/// Opens the store, and returns the path in it.
pub(super) fn open(settings: SharedStoreSettings) -> Result<(Arc<dyn ObjectStore>, Path), SharedStoreError> {
    let SharedStoreSettings { location, mode, variables, mut http } = settings;
    let fail = |error: &dyn std::fmt::Display| {
        let why = error.to_string();
        SharedStoreError::Settings { location: location.clone(), why }
    };
    let url = location.secret();
    let prefix = Path::from_url_path(url.path()).map_err(|error| fail(&error))?;
    check_endpoints(url, &variables, &http)?;
    http.retries = http.retries.min(RETRIES);
    let is_web = matches!(url.scheme(), "http" | "https");
    // The others sign their requests.
    http.credentials = if is_web { http.credentials.with_indexes([&location]) } else { Credentials::default() };
    let connector = ObjectStoreConnector::new(HttpClient::new(http));
    let store: Arc<dyn ObjectStore> = match url.scheme() {
        "s3" | "s3a" => Arc::new(s3(url, &variables, connector).map_err(|error| fail(&error))?),
        "gs" => Arc::new(google(url, &variables, connector).map_err(|error| fail(&error))?),
        "az" | "azure" | "abfs" | "abfss" => Arc::new(azure(url, &variables, connector).map_err(|error| fail(&error))?),
        "file" => return Ok((Arc::new(folder(url, mode).map_err(|error| fail(&error))?), Path::default())),
        "http" | "https" if mode == StoreMode::WriteOnly => return Err(SharedStoreError::ReadOnly { location }),
        "http" | "https" => {
            let root = location.address();
            let store = HttpBuilder::new().with_url(root).with_http_connector(connector).with_retry(no_retries());
            return Ok((Arc::new(store.build().map_err(|error| fail(&error))?), Path::default()));
        }
        _ => return Err(SharedStoreError::Scheme { location }),
    };
    Ok((store, prefix))
}

/// Refuses plain HTTP to another machine that is not trusted.
fn check_endpoints(url: &Url, variables: &[(String, String)], http: &HttpSettings) -> Result<(), SharedStoreError> {
    let is_endpoint = |name: &str| name.contains("ENDPOINT") && !name.contains("METADATA");
    let endpoints = variables.iter().filter(|(name, _)| is_endpoint(name));
    let endpoints = endpoints.filter_map(|(_, value)| Url::parse(value).ok()).chain([url.clone()]);
    match endpoints.into_iter().find(|endpoint| !is_secure_origin(endpoint) && !http.is_trusted(endpoint)) {
        Some(endpoint) => Err(SharedStoreError::Insecure { endpoint: MaskedUrl::new(endpoint) }),
        None => Ok(()),
    }
}

/// Returns the configuration that the variables hold, by the names of the store.
fn configured<K: FromStr>(variables: &[(String, String)]) -> impl Iterator<Item = (K, &str)> {
    variables.iter().filter_map(|(name, value)| Some((name.to_ascii_lowercase().parse().ok()?, value.as_str())))
}

/// Returns the retries of the store itself: none, since the client sees to them.
fn no_retries() -> RetryConfig {
    RetryConfig { max_retries: 0, ..RetryConfig::default() }
}

fn s3(
    url: &Url,
    variables: &[(String, String)],
    connector: ObjectStoreConnector,
) -> object_store::Result<impl ObjectStore> {
    let options = configured::<AmazonS3ConfigKey>(variables);
    let mut builder = options.fold(AmazonS3Builder::new(), |builder, (key, value)| builder.with_config(key, value));
    if let Some(secret) = url.password() {
        let decoded = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
        builder = builder.with_access_key_id(decoded(url.username())).with_secret_access_key(decoded(secret));
    }
    let builder = builder.with_bucket_name(url.host_str().unwrap_or_default());
    builder.with_http_connector(connector).with_retry(no_retries()).build()
}

fn google(
    url: &Url,
    variables: &[(String, String)],
    connector: ObjectStoreConnector,
) -> object_store::Result<impl ObjectStore> {
    let options = configured::<GoogleConfigKey>(variables);
    let builder =
        options.fold(GoogleCloudStorageBuilder::new(), |builder, (key, value)| builder.with_config(key, value));
    let builder = builder.with_bucket_name(url.host_str().unwrap_or_default());
    builder.with_http_connector(connector).with_retry(no_retries()).build()
}

fn azure(
    url: &Url,
    variables: &[(String, String)],
    connector: ObjectStoreConnector,
) -> object_store::Result<impl ObjectStore> {
    let options = configured::<AzureConfigKey>(variables);
    let builder = options.fold(MicrosoftAzureBuilder::new(), |builder, (key, value)| builder.with_config(key, value));
    let builder = builder.with_container_name(url.host_str().unwrap_or_default());
    builder.with_http_connector(connector).with_retry(no_retries()).build()
}

fn folder(url: &Url, mode: StoreMode) -> object_store::Result<impl ObjectStore> {
    let path = url.to_file_path().map_err(|()| object_store::Error::Generic {
        store: "folder",
        source: "it is no folder of this machine".into(),
    })?;
    if mode.writes() {
        // What fails here is told by the first write.
        let _ = fs::create_dir_all(&path);
    }
    LocalFolder::new(path)
}
