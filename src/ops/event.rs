//! Events that a use case reports while it runs; `cli` puts them into words.

use std::sync::Arc;

use crate::domain::Status;
use crate::interpreter::BuildIsolation;

/// Something that happened.
///
/// Files are identified by their position in the plan.
#[derive(Clone, Debug)]
pub enum Event {
    /// A project's page, or the metadata of a file, is requested.
    Asking(String),
    Answered(String),
    /// A source archive or tree is built.
    Building {
        subject: Box<str>,
        goal: BuildGoal,
        isolation: BuildIsolation,
    },
    /// A build printed a line.
    BuildPrinted {
        filename: Box<str>,
        line: String,
    },
    /// Another process builds this archive, whose build this run would start, too.
    AwaitingBuild(Box<str>),
    /// A whole file is fetched before there is a plan, since its dependencies cannot be found out
    /// otherwise.
    NeededEarly {
        filename: Box<str>,
        /// The file's size in bytes, if the index states it.
        bytes: Option<u64>,
    },
    /// The plan is made; transfers begin.
    Planned {
        files: usize,
        /// The number of bytes to fetch, if indexes state the size of each file.
        bytes: Option<u64>,
    },
    /// A transfer begins, with its size in bytes, if that is known.
    Started {
        file: usize,
        filename: Box<str>,
        size: Option<u64>,
    },
    /// More bytes of a file were received.
    Received {
        file: usize,
        bytes: u64,
    },
    /// A transfer starts over; what was received does not count.
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
    /// A file could not be fetched; the error is returned at the end.
    Failed {
        file: usize,
    },
}

/// What a build is run for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuildGoal {
    Metadata,
    Wheel,
    Sdist,
}

/// A callback for events, called from any thread.
pub type Listener = Arc<dyn Fn(Event) + Send + Sync>;
