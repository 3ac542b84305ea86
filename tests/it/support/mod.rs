//! What tests publish, run and judge with: an index with faults, a sandbox, real installers.

mod answer;
mod browser;
mod bucket;
mod core_metadata;
mod fault;
mod index;
mod judges;
mod kit;
mod pages;
mod plain_server;
mod published;
mod registry;
mod request_log;
mod sandbox;
mod sdist;
mod served;
mod server;
mod shell;
mod tls;
mod wheel;

pub use answer::PageFormat;
pub use browser::Tab;
pub use bucket::Bucket;
pub use fault::Fault;
pub use index::{Index, ServedIndex};
pub use judges::{Source, judges, tell_unchecked};
pub use kit::{BUILDING_KIT, builders_of_kit, index_with_kit};
pub use plain_server::PlainServer;
pub use published::Published;
pub use registry::ServedRegistry;
pub use sandbox::{Sandbox, files_below};
pub use sdist::Sdist;
pub use served::Served;
pub use shell::shell;
pub use wheel::Wheel;
