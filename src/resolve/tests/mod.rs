//! The resolver, judged by literal worlds, by random ones, and by the field's scenarios.

mod ahead;
mod bad_input;
mod brute;
mod builds;
mod explanations;
mod extras;
mod files;
mod hashes;
mod many_targets;
mod order;
mod random;
mod scenarios;
mod specifiers;
mod urls;
mod world;
