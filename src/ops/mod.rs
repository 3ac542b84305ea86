//! The use cases, which report [`Event`]s, never print, and know nothing of command lines.
//!
//! A run is `plan` (with `metadata`, `sdist_build`, `build_tools`, and `plan_cache`
//! for plans of earlier runs), `build_wheels` if that is wanted, then `fetch` (with `stored_bytes`
//! for files that need no network, and `download` for the rest, which asks the shared store first
//! by `shared_objects`), then `write`, which writes folders, or a bundle through `bundle`. That
//! module has all operations on bundles: write, sign, verify, unpack, compare, merge.
//! `source_trees` packs folders and repositories into source archives before anything is planned,
//! and `target_build` tells what is left for targets to build. `cache`, `shared_cache` (both look
//! after what is kept), `serve` and `push`, which fills a registry, stand alone; the latter two read folders and archives by
//! `members`. What `serve` fetches for its clients it passes on by `arrival`, while it arrives.
//! `distribution_inspection` and `buffered_reader` read the metadata of distributions for
//! bundles and their verification.

mod arrival;
mod bucket_output;
mod buffered_reader;
mod build_tools;
mod build_wheels;
mod bundle;
pub mod cache;
mod claimed_metadata;
mod distribution_inspection;
mod download;
mod event;
mod fetch;
mod fetch_context;
mod fetch_error;
mod held_folder;
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
