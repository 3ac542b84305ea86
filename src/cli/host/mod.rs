//! The machine that the program runs on: its environment, signals, limits, interpreter and inputs.

pub mod environment;
pub mod file_limit;
pub mod input_source;
pub mod machine;
pub mod runtime;
pub mod signals;
