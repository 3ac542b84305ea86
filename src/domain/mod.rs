//! The nouns, pure: no files, no network, no clock, no environment.
//!
//! The only module that names the crates `pep440_rs` and `pep508_rs`; everything else takes
//! their types from here.

mod about;
mod artifact;
mod cursor;
mod dependency;
mod digest;
mod edges;
mod envelope;
mod filename;
mod listing;
mod marker;
mod masked_url;
mod mismatch;
mod needs;
mod offers;
mod options;
mod plan;
mod platform;
mod python;
mod repair;
mod request;
mod requirement;
mod seen_page;
mod specifier;
mod tags;
mod target;
mod tree;

pub use about::About;
pub use artifact::{Artifact, CoreMetadata, Sidecar, Timestamp, Yanked};
pub use dependency::{Dependency, DependencyError, DependencySource, parse_extras};
pub use digest::{Algorithm, BrokenPromise, Digest, DigestError, Fingerprint, Hasher, Promises, Sha256};
pub use edges::Edges;
pub use envelope::Envelope;
pub use filename::{BuildTag, DistributionFilename, FilenameError, SourceExtension, SourceFilename, WheelFilename};
pub use listing::{FileRecord, Ignored, Listing, ListingBuilder, ListingError};
pub use marker::Marker;
pub use masked_url::{MaskedUrl, credentials, mask_credentials};
pub use mismatch::{PythonNearness, TagMismatch};
pub use needs::{Needs, Unknown};
pub use offers::Offers;
pub use options::{FormatControl, Formats, IndexOptions, ReleaseControl};
pub use plan::{
    Fetched, FetchedFile, FetchedPackage, Object, Offer, Pick, Plan, PlannedFile, PlannedPackage, Solution, Status,
};
pub use platform::{Platform, Release, System};
pub use python::{Implementation, Python, PythonVersion};
pub use request::Request;
pub use requirement::{Origin, Requirement, Source};
pub use seen_page::SeenPage;
pub use specifier::{SpecifierError, Specifiers};
pub use tags::{Tag, TagRank, Tags};
pub use target::{DescriptionError, Target, TargetDescription, TargetError, TargetSpec};
pub use tree::{Content, RelPath, RelPathError, Tree};

pub use pep440_rs::{Operator, Version, VersionSpecifier, VersionSpecifiers};
pub use pep508_rs::{ExtraName, InvalidNameError, MarkerEnvironment, MarkerEnvironmentBuilder, PackageName};
