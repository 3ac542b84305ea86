pub mod domain;
pub mod http;
pub mod resolve;
pub mod select;
pub mod store;
