//! The steps of a build, each a run of `scripts/build-hooks.py`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::folder::BuildFolder;

/// A step of a build.
#[derive(Clone, Copy, Debug)]
pub enum BuildStep<'a> {
    /// Unpacks the archive of this name.
    Unpack(&'a str),
    /// Asks the backend what else it needs (`get_requires_for_build_wheel`, `…_sdist`).
    Requires(&'a BuildBackend, BuildProduct),
    /// Makes the core metadata (`prepare_metadata_for_build_wheel`, or else `build_wheel`).
    Metadata(&'a BuildBackend),
    /// Builds the wheel (`build_wheel`).
    Wheel(&'a BuildBackend),
    /// Builds the source distribution (`build_sdist`).
    Sdist(&'a BuildBackend),
}

/// What a backend builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuildProduct {
    Wheel,
    Sdist,
}

impl BuildProduct {
    /// Returns the name by which its hooks are called.
    fn name(self) -> &'static str {
        match self {
            Self::Wheel => "wheel",
            Self::Sdist => "sdist",
        }
    }
}

/// A build backend (PEP 517), and what it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildBackend {
    /// `build-backend`: `setuptools.build_meta`, `module:object`.
    pub name: String,
    /// `backend-path`: folders of the archive that it is imported from.
    pub path: Vec<String>,
    /// `config_settings`, with several values for a repeated key.
    pub config_settings: BTreeMap<String, Vec<String>>,
}

impl BuildStep<'_> {
    /// Returns the request to the script.
    pub(super) fn request(&self, folder: &BuildFolder) -> Value {
        match self {
            Self::Unpack(filename) => {
                json!({"step": "unpack", "archive": folder.archive(filename), "source": folder.source()})
            }
            Self::Requires(backend, product) => hook("requires", backend, *product, folder),
            Self::Metadata(backend) => hook("metadata", backend, BuildProduct::Wheel, folder),
            Self::Wheel(backend) => hook("wheel", backend, BuildProduct::Wheel, folder),
            Self::Sdist(backend) => hook("sdist", backend, BuildProduct::Sdist, folder),
        }
    }
}

fn hook(step: &str, backend: &BuildBackend, product: BuildProduct, folder: &BuildFolder) -> Value {
    json!({
        "step": step,
        "product": product.name(),
        "source": folder.source(),
        "backend": backend.name,
        "backend_path": backend.path,
        "config_settings": backend.config_settings.iter().map(setting).collect::<serde_json::Map<_, _>>(),
        "output": folder.output(),
    })
}

/// Returns a text for one value and a list for several, as pip gives them to backends.
fn setting((key, values): (&String, &Vec<String>)) -> (String, Value) {
    match values.as_slice() {
        [only] => (key.clone(), json!(only)),
        all => (key.clone(), json!(all)),
    }
}
