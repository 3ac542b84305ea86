//! The one test binary: a file per concern, declared here (`architecture` sees to it).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, helpers of tests too")]
#![expect(clippy::disallowed_methods, reason = "tests find the judges through the environment")]

mod absent_projects;
mod architecture;
mod bad_input;
mod bare_environment;
mod building_wheels;
mod builds;
mod bundles;
mod caching;
mod carrying;
mod completing;
mod continuous_integration;
mod documentation;
mod escaping;
mod excluding;
mod explaining;
mod faults;
mod fetching;
mod harness;
mod installing;
mod interpreting;
mod interrupting;
mod isolating_builds;
mod judging;
mod layouts;
mod locking;
mod markers;
mod materials;
mod offline;
mod outages;
mod overview;
mod packaging;
mod packing_projects;
mod pip_caches;
mod pointing;
mod printing;
mod project_indexes;
mod project_installers;
mod pushing;
mod reading_archives;
mod remembering;
mod sandboxing;
mod secrets;
mod secure_origins;
mod selecting;
mod serving;
mod settings;
mod sharing;
mod source_trees;
mod support;
mod targets;
mod tools;
mod trusting;
mod verifying;
