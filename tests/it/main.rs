//! The one test binary: a file per concern, declared here (`architecture` sees to it).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, helpers of tests too")]
#![expect(clippy::disallowed_methods, reason = "tests find the judges through the environment")]

mod architecture;
mod bad_input;
mod bundles;
mod carrying;
mod fetching;
mod harness;
mod interpreting;
mod interrupting;
mod judging;
mod layouts;
mod sandboxing;
mod support;
mod verifying;
