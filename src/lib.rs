pub mod domain;
pub mod http;
pub mod index;
pub mod layout;
pub mod pip_config;
pub mod resolve;
pub mod select;
pub mod store;
