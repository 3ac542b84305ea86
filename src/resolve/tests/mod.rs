//! Tests of the resolver: with literal indexes, with random ones, and with published scenarios.

mod asking;
mod bad_input;
mod brute_force;
mod builds;
mod endless;
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
