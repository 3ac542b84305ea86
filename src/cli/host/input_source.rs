//! The files and URLs of this machine, as the input formats read them.

use std::cell::OnceCell;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use tokio::runtime::Handle;

use super::environment::Environment;
use crate::cli::error::{CliError, with_remedy};
use crate::domain::MaskedUrl;
use crate::http::{HttpClient, HttpSettings, PageResponse, Validators};
use crate::input::{InputSource, LARGEST_FILE, LoadedFile, Location, PathKind};

/// Reads files from the disk, and URLs through a client that is made at the first URL.
pub struct HostInputSource<'a> {
    environment: &'a Environment,
    settings: &'a dyn Fn() -> Result<HttpSettings, CliError>,
    client: OnceCell<Arc<HttpClient>>,
    runtime: Handle,
}

impl InputSource for HostInputSource<'_> {
    fn load(&self, location: &Location) -> Result<LoadedFile, String> {
        match location {
            Location::StandardInput => read_some(io::stdin().lock()),
            Location::File(path) => {
                let path = self.environment.working_folder.join(path);
                if path.is_dir() {
                    return Err("it is a folder; name a file in it".to_owned());
                }
                read_some(File::open(path).map_err(|error| error.to_string())?)
            }
            Location::Url(url) => self.load_url(url),
        }
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.environment.variable(name)
    }

    fn path_kind(&self, path: &Path) -> PathKind {
        match path.metadata() {
            Ok(metadata) if metadata.is_dir() => {
                let is_project = ["pyproject.toml", "setup.py"].iter().any(|name| path.join(name).is_file());
                PathKind::Folder { is_project }
            }
            Ok(_) => PathKind::File,
            Err(_) => PathKind::Missing,
        }
    }

    fn working_folder(&self) -> &Path {
        &self.environment.working_folder
    }
}

impl<'a> HostInputSource<'a> {
    /// Makes the source; `settings` returns how requests are made.
    pub fn new(
        environment: &'a Environment,
        settings: &'a dyn Fn() -> Result<HttpSettings, CliError>,
        runtime: Handle,
    ) -> Self {
        Self { environment, settings, client: OnceCell::new(), runtime }
    }

    fn client(&self) -> Result<&Arc<HttpClient>, String> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let settings = (self.settings)().map_err(|error| error.summary())?;
        Ok(self.client.get_or_init(|| Arc::new(HttpClient::new(settings))))
    }

    fn load_url(&self, url: &str) -> Result<LoadedFile, String> {
        let url: MaskedUrl = url.parse().map_err(|error| format!("it is no URL: {error}"))?;
        let client = self.client()?;
        let answer = async { client.page(&url, "*/*", &Validators::default(), LARGEST_FILE).await };
        match self.runtime.block_on(answer).map_err(|error| with_remedy(&error))? {
            PageResponse::Page(page) => Ok(LoadedFile { bytes: page.content, content_type: Some(page.content_type) }),
            PageResponse::NotModified { .. } => Err("it answered that nothing changed, which was not asked".to_owned()),
        }
    }
}

/// Reads up to one byte more than the largest allowed file, which is enough to know that it is too
/// large.
fn read_some(source: impl Read) -> Result<LoadedFile, String> {
    let mut bytes = Vec::new();
    source.take(LARGEST_FILE as u64 + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    Ok(LoadedFile { bytes, content_type: None })
}
