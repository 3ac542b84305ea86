//! The resolver, judged by literal worlds, by random ones, and by the field's scenarios.

mod ahead;
mod bad_input;
mod brute;
mod explanations;
mod extras;
mod files;
mod hashes;
mod many_targets;
mod random;
mod scenarios;
mod specifiers;
mod urls;
mod world;
