//! Raises the limit of open files.

/// Lifts the usual limit of a thousand as far as the system lets anybody; where it refuses, the
/// limit stays.
#[cfg(unix)]
pub fn allow_many() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

#[cfg(not(unix))]
pub fn allow_many() {}
