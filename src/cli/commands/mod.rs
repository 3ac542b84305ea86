//! The subcommands, one file each, together with their arguments; a run without a subcommand is
//! `fetch`.

pub mod apply;
pub mod cache;
pub mod completions;
pub mod describe_target;
pub mod diff;
pub mod env;
pub mod fetch;
pub mod help;
pub mod inspect;
pub mod keygen;
pub mod man_pages;
pub mod merge;
pub mod parse;
pub mod push;
pub mod serve;
pub mod unpack;
pub mod verify;
