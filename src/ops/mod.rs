//! The use cases. They emit [`Event`]s and never print, and they know nothing of command lines.
//!
//! A run is `plan` (with `metadata`, `build`, `sources`, `tools`, and `remembered` for what was
//! planned before), then `fetch` (with `held` for what is here already, and `transfer` for the
//! rest), then `write`, which makes folders, or a bundle through `bundle` and `signature`. What
//! becomes of bundles later is in `verify` and `carry`; `cache` and `serve` stand alone.
//! `inside` and `window` look into distributions, to bundle and to verify them.

mod build;
mod bundle;
pub mod cache;
mod carry;
mod claims;
mod event;
mod fetch;
mod held;
mod inside;
mod metadata;
mod plan;
mod remembered;
pub mod serve;
mod signature;
mod sources;
mod tools;
mod transfer;
mod verify;
mod window;
mod write;

pub use crate::archive::Stop;
pub use build::Builds;
pub use bundle::{BundleOutput, Stream, request_of};
pub use carry::{
    Base, CarryError, Change, Comparison, Delta, InspectedPackage, Unpacked, apply, compare, inspect, manifest_at,
    manifest_text_at, merge, unpack,
};
pub use claims::Claims;
pub use event::{Event, Listener};
pub use fetch::{FetchError, FetchFailure, FetchSettings, check_space, fetch};
pub use metadata::{InconsistentMetadata, MetadataFailure, Places};
pub use plan::{Inquirer, PlanFailure, Unreachable, plan};
pub use signature::{SignatureError, SigningKey, check_signature, generate_keys, read_public_key};
pub use tools::{plan_builds, plan_installer};
pub use verify::{Finding, FindingKind, Floor, Proof, Verification, VerifySettings, verify};
pub use write::{Output, WriteFailure, write, write_seen_pages};
