//! The use cases, which report [`Event`]s, never print, and know nothing of command lines.
//!
//! A run goes through these in order; the modules in brackets do parts of the work:
//!
//! | step | module |
//! |---|---|
//! | pack folders and repositories into source archives | `source_trees` |
//! | plan | `plan` (`metadata`, `sdist_build`, `build_tools`; `plan_cache` for plans of earlier runs) |
//! | build wheels, if wanted | `build_wheels` |
//! | fetch | `fetch` (`stored_bytes` for files that need no network, `download` for the rest, `shared_objects` to ask the shared store first) |
//! | write | `write` (`disk_folder` and `bucket_output` for folders, `bundle` for bundles, `space` for the space on disks) |
//! | tell what is left for targets to build | `target_build` |
//!
//! `bundle` has all operations on bundles: write, sign, verify, unpack, compare, merge. For it
//! `distribution_inspection` and `buffered_reader` read the metadata of distributions.
//!
//! The other use cases stand alone: `cache` and `shared_cache` look after what is kept, `serve` is an
//! index, and `push` fills a registry. `serve` and `push` read folders and archives by `members`; `serve`
//! passes on by `arrival` what it is still fetching.

mod arrival;
mod bucket_output;
mod buffered_reader;
mod build_tools;
mod build_wheels;
mod bundle;
pub mod cache;
mod claimed_metadata;
mod disk_folder;
mod distribution_inspection;
mod download;
mod event;
mod fetch;
mod fetch_context;
mod fetch_error;
mod incoming_writer;
mod inconsistent_metadata;
mod members;
mod metadata;
mod output;
mod plan;
mod plan_cache;
pub mod push;
mod sdist_build;
pub mod serve;
pub mod shared_cache;
mod shared_objects;
pub mod source_trees;
mod space;
mod stored_bytes;
mod target_build;
mod write;

pub use crate::archive::CancelFlag;
pub use bucket_output::{BucketOutput, Published};
pub use build_tools::ToolPlanner;
pub use build_wheels::{WheelBuilds, WheelsToBuild, build_wheels, with_built_wheels};
pub use bundle::finding::{Finding, FindingKind};
pub use bundle::output::{BundleBucket, BundleOutput, OutputStream};
pub use bundle::signature::{SignatureError, SigningKey, check_signature, generate_keys, read_public_key};
pub use bundle::verify::{LibcFloor, TargetProof, Verification, VerifySettings, verify};
pub use bundle::{
    BundleDiff, BundleError, Delta, DeltaBase, InspectedPackage, Unpacked, VersionChange, apply, compare, inspect,
    manifest_at, manifest_text_at, merge, unpack,
};
pub use claimed_metadata::ClaimedMetadata;
pub use event::{BuildGoal, Event, Listener};
pub use fetch::{FetchSettings, FilesToFetch, fetch, files_to_fetch};
pub use fetch_context::FetchContext;
pub use fetch_error::{FetchError, FetchFailure};
pub use inconsistent_metadata::InconsistentMetadata;
pub use metadata::MetadataFailure;
pub use output::Output;
pub use plan::{MetadataProvider, PlanFailure, Unreachable, plan, plan_locked, questions_of_lock};
pub use sdist_build::{BuildLimits, ConfigSettings, SdistBuilder};
pub use space::{DiskFull, check_space};
pub use target_build::{TargetBuild, target_builds};
pub use write::{WriteFailure, write, write_seen_pages};
