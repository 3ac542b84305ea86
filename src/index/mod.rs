//! What indexes and find-links locations say of projects, read into
//! [`Listing`](crate::domain::Listing)s, and the metadata inside the files they list.



mod html;
mod json;
mod link;
mod page;

mod sink;




pub use page::{ACCEPT, Page, PageError};
