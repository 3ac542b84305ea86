//! The resolver, judged by literal worlds, by random ones, and by the field's scenarios.

mod bad_input;
mod brute_force;
mod builds;
mod explanations;
mod extras;
mod fake_index;
mod files;
mod hashes;
mod many_targets;
mod order;
mod prefetching;
mod random;
mod scenarios;
mod specifiers;
mod urls;
