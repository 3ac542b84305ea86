pub mod domain;
pub mod interpreter;
