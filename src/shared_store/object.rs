//! A file of the shared store that is being read.

use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use object_store::GetResult;
use tokio::time::{Instant, timeout_at};

use super::failure::reason;

/// The time that every file may take, however small it is.
const LEAST_TIME: Duration = Duration::from_secs(20);

/// The speed in bytes per second below which the index is asked instead.
const SLOWEST: u64 = 64 << 10;

/// A file of the store that is being read; its bytes are not checked yet.
pub struct SharedObject {
    /// The size in bytes that the store states.
    pub size: u64,
    received: u64,
    limit: Duration,
    deadline: Instant,
    stream: BoxStream<'static, object_store::Result<Bytes>>,
}

impl SharedObject {
    pub(super) fn new(found: GetResult) -> Self {
        let size = found.meta.size;
        let limit = LEAST_TIME + Duration::from_secs(size / SLOWEST);
        Self { size, received: 0, limit, deadline: Instant::now() + limit, stream: found.into_stream() }
    }

    /// Returns the next bytes, or `None` at the end.
    ///
    /// # Errors
    /// When they did not arrive, or not in time; the error says why.
    pub async fn next(&mut self) -> Result<Option<Bytes>, String> {
        let so_far = |received| format!("it sent {received} of {} bytes", self.size);
        match timeout_at(self.deadline, self.stream.next()).await {
            Ok(Some(Ok(bytes))) => {
                self.received += bytes.len() as u64;
                if self.received > self.size {
                    return Err(format!("it sent more than the {} bytes that it stated", self.size));
                }
                Ok(Some(bytes))
            }
            Ok(Some(Err(error))) => Err(reason(&error)),
            Ok(None) if self.received == self.size => Ok(None),
            Ok(None) => Err(so_far(self.received)),
            Err(_) => Err(format!("{} in {} s", so_far(self.received), self.limit.as_secs())),
        }
    }

    /// Reads the whole file.
    ///
    /// # Errors
    /// As [`SharedObject::next`].
    pub(super) async fn read(mut self) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        while let Some(part) = self.next().await? {
            bytes.extend_from_slice(&part);
        }
        Ok(bytes)
    }
}
