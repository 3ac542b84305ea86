//! The places that a run writes to.

use std::path::{Path, PathBuf};

use super::bucket_output::BucketOutput;
use super::bundle::output::BundleOutput;
use crate::domain::Fetched;
use crate::layout::Layout;

/// An output of a run.
#[derive(Clone)]
pub enum Output {
    Folder {
        layout: &'static dyn Layout,
        path: PathBuf,
        /// Whether a requirements file that pins the content is written, too.
        pins: bool,
    },
    /// A folder in an object store.
    Bucket(BucketOutput),
    Bundle(BundleOutput),
}

impl Output {
    /// Whether the metadata of wheels must be fetched, too.
    pub fn needs_metadata(&self) -> bool {
        match self {
            Self::Folder { layout, .. } | Self::Bucket(BucketOutput { layout, .. }) => layout.needs_metadata(),
            Self::Bundle(_) => false,
        }
    }

    /// Returns a sentence for each file that an installer will not find in this output.
    pub fn caveats(&self, fetched: &Fetched) -> Vec<String> {
        match self {
            Self::Folder { layout, .. } | Self::Bucket(BucketOutput { layout, .. }) => layout.caveats(fetched),
            Self::Bundle(_) => Vec::new(),
        }
    }

    /// Whether an older bundle is there, which only a sound one may replace.
    pub fn keeps_older(&self) -> bool {
        matches!(self, Self::Bundle(bundle) if !bundle.force && bundle.is_there())
    }

    /// Returns the path on this machine; `None` for a place in an object store.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Bucket(_) | Self::Bundle(BundleOutput { bucket: Some(_), .. }) => None,
            Self::Folder { path, .. } | Self::Bundle(BundleOutput { path, .. }) => Some(path),
        }
    }

    /// Returns the path or the URL, without secrets.
    pub fn place(&self) -> String {
        match self {
            Self::Folder { path, .. } | Self::Bundle(BundleOutput { path, .. }) => path.display().to_string(),
            Self::Bucket(bucket) => bucket.folder.location().to_string(),
        }
    }
}
