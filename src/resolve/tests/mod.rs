//! The resolver, judged by literal worlds, by random ones, and by the field's scenarios.

mod bad_input;
mod explanations;
mod extras;
mod files;
mod hashes;
mod many_targets;
mod specifiers;
mod urls;
mod world;
