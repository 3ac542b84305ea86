pub mod domain;
pub mod http;
pub mod select;
pub mod store;
