//! Events that a use case emits while it runs; `cli` turns them into words.

use std::sync::Arc;

use crate::domain::Status;

/// Something that happened. Files are known by their position in the plan.
#[derive(Clone, Debug)]
pub enum Event {
    /// A project's page, or the metadata of a file, is asked for.
    Asking(String),
    Answered(String),
    /// The build of a source archive is run, for its metadata or a wheel.
    Building {
        filename: Box<str>,
        is_wheel: bool,
    },
    /// A whole file is fetched before the plan is made, since nothing less tells what it needs.
    NeededEarly {
        filename: Box<str>,
        /// Its size, where the index tells.
        bytes: Option<u64>,
    },
    /// The plan is made; transfers begin.
    Planned {
        files: usize,
        /// The bytes to get, where indexes tell the size of each file.
        bytes: Option<u64>,
    },
    /// A transfer begins; its size in bytes, where anyone tells.
    Started {
        file: usize,
        filename: Box<str>,
        size: Option<u64>,
    },
    /// More bytes of a file have arrived.
    Received {
        file: usize,
        bytes: u64,
    },
    /// A transfer starts over: what arrived does not count.
    Restarted {
        file: usize,
        received: u64,
    },
    /// A file is in the store.
    Stored {
        file: usize,
        filename: Box<str>,
        bytes: u64,
        status: Status,
    },
    /// A file could not be had; the failure itself is returned at the end.
    Failed {
        file: usize,
    },
}

/// Hears every event, from any thread.
pub type Listener = Arc<dyn Fn(Event) + Send + Sync>;
