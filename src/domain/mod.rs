//! The types of Python packaging and their rules: no files, no network, no clock, no environment.
//!
//! Only this module uses the crates `pep440_rs` and `pep508_rs`; all others take their types from
//! here.

mod built_from;
mod candidate;
mod candidates;
mod control_character;
mod dependency;
mod digest;
mod expected_content;
mod file_link;
mod filename;
mod fingerprint;
mod group_name;
mod groups;
mod index_page;
mod lazy_url;
mod lenient_dependency;
mod linkage;
mod list_first;
mod listing;
mod lock;
mod lock_marker;
mod locked_project;
mod marker;
mod masked_url;
mod metadata_source;
mod options;
mod pip_cache_entry;
mod plan;
mod platform;
mod project_summary;
mod python;
mod question;
mod read_chunks;
mod remedy;
mod repository;
mod requirement;
mod resolution_metadata;
mod secret_parameter;
mod setup_cfg;
mod source_installs;
mod specifier;
mod tag_mismatch;
mod tags;
mod target;
mod target_dependencies;
mod text_cursor;
mod timestamp;
mod tree;

pub use built_from::BuiltFrom;
pub use candidate::{Candidate, CoreMetadata, Sidecar, Yanked};
pub use candidates::Candidates;
pub use control_character::is_control;
pub use dependency::{Dependency, DependencyError, DependencySource, parse_extras};
pub use digest::{Algorithm, Digest, DigestError, Sha256};
pub use expected_content::{ContentMismatch, ExpectedContent};
pub use file_link::FileLink;
pub use filename::{
    BuildTag, DistributionFilename, FilenameError, SourceExtension, SourceFilename, WheelFilename, is_distribution,
};
pub use fingerprint::{Fingerprint, Hasher};
pub use group_name::GroupName;
pub use groups::{AvailableGroups, GroupSelection, MemberSelection, SelectedGroups, UnknownGroup};
pub use index_page::IndexPage;
pub use lazy_url::LazyUrl;
pub use linkage::Linkage;
pub use list_first::list_first;
pub use listing::{FileRecord, Ignored, Listing, ListingBuilder, ListingError};
pub use lock::{Lock, LockContents, LockedFile, LockedPackage, LockedSource, NotLocked, SelectedPackage};
pub use lock_marker::{EvaluatedMarkers, LockMarker, MarkerId, MarkerSets, MarkerTable};
pub use locked_project::{LockedProject, ProjectFile};
pub use marker::Marker;
pub use masked_url::{MaskedUrl, credentials, mask_credentials, without_login};
pub use metadata_source::MetadataSource;
pub use options::{FormatControl, Formats, IndexOptions, ReleaseControl};
pub use pip_cache_entry::PipCacheEntry;
pub use plan::{
    Fetched, FetchedFile, FetchedPackage, Object, PackageFiles, Plan, PlannedFile, PlannedPackage, ResolvedPackage,
    Solution, Status,
};
pub use platform::{Platform, System, SystemVersion};
pub use project_summary::ProjectSummary;
pub use python::{Implementation, Python, PythonVersion};
pub use question::{ForkStrategy, Question, SelectionPolicy, TargetedQuestion};
pub use read_chunks::{CHUNK_SIZE, read_chunks};
pub use remedy::{HasRemedy, Remedy};
pub use repository::{HttpLogin, RepositoryUrl, RepositoryUrlError, VcsInfo, git_url};
pub use requirement::{Origin, Requirement, Source};
pub use resolution_metadata::{MetadataUnavailable, ResolutionMetadata};
pub use secret_parameter::is_secret_name;
pub use setup_cfg::{SetupCfg, SetupCfgValue, logical_lines};
pub use source_installs::SourceInstall;
pub use specifier::{SpecifierError, Specifiers};
pub use tag_mismatch::{PythonNearness, TagMismatch};
pub use tags::{Tag, TagRank, Tags};
pub use target::{DescriptionError, Target, TargetDescription, TargetError, TargetSpec};
pub use target_dependencies::TargetDependencies;
pub use timestamp::Timestamp;
pub use tree::{Content, RelPath, RelPathError, Tree};

pub use pep440_rs::{Operator, Version, VersionSpecifier, VersionSpecifiers};
pub use pep508_rs::{ExtraName, InvalidNameError, MarkerEnvironment, MarkerEnvironmentBuilder, PackageName};
