//! Takes objects from the shared store into that of this machine.

use super::Event;
use super::arrival::ArrivalSender;
use super::incoming_writer::IncomingWriter;
use crate::domain::{ContentMismatch, Digest, Object, Sha256};
use crate::shared_store::{SharedObject, SharedStore};
use crate::store::{Incoming, StoreError};

/// What the shared store could give.
pub(super) enum SharedOutcome {
    Fetched(Object),
    /// Nothing; the file waits for bytes from elsewhere.
    Missing(Box<Incoming>),
    /// Bytes with a wrong size or digest; they are dropped, with the file.
    Mismatch,
}

/// Fetches an object into `incoming`, which checks its size and digests; `file` is its position in
/// the plan and its name, for the events, and `arrival` tells those who read it meanwhile.
///
/// # Errors
/// When it cannot be written on this machine.
pub(super) async fn fetch_shared(
    shared: &SharedStore,
    sha256: Sha256,
    file: (usize, &str),
    incoming: Incoming,
    arrival: Option<&ArrivalSender>,
    emit: &(dyn Fn(Event) + Sync),
) -> Result<SharedOutcome, StoreError> {
    let Some(object) = shared.get(sha256).await else { return Ok(SharedOutcome::Missing(Box::new(incoming))) };
    let (file, filename) = file;
    emit(Event::Started { file, filename: filename.into(), size: Some(object.size) });
    let mut writer = IncomingWriter::new(incoming, arrival.cloned());
    writer.expect(Some(object.size));
    writer.restart().await?;
    let received = receive(object, &mut writer, &|bytes| emit(Event::Received { file, bytes })).await;
    let outcome = match received {
        Ok(None) => writer.keep().await.map(SharedOutcome::Fetched),
        Ok(Some(why)) => {
            shared.leave_alone(why);
            writer.into_empty().await.map(|incoming| SharedOutcome::Missing(Box::new(incoming)))
        }
        Err(error) => Err(error),
    };
    if let Err(StoreError::Mismatch(broken)) = &outcome
        && is_of_other_bytes(broken, sha256)
    {
        shared.discard(sha256).await;
    }
    match outcome {
        Ok(SharedOutcome::Fetched(object)) => shared.record_fetched(object),
        _ => {
            emit(Event::Restarted { file, received: 0 });
            arrival.into_iter().for_each(ArrivalSender::restart);
        }
    }
    match outcome {
        Err(StoreError::Mismatch(_)) => Ok(SharedOutcome::Mismatch),
        other => other,
    }
}

/// Receives the whole object; returns why it is not whole, if it is not.
async fn receive(
    mut object: SharedObject,
    writer: &mut IncomingWriter,
    emit: &(dyn Fn(u64) + Sync),
) -> Result<Option<String>, StoreError> {
    loop {
        match object.next().await {
            Ok(Some(bytes)) => {
                emit(bytes.len() as u64);
                writer.take(bytes).await?;
            }
            Ok(None) => return Ok(None),
            Err(why) => return Ok(Some(why)),
        }
    }
}

/// Whether the bytes are not those of the object, and not merely other ones than an index promises
/// beside its SHA-256.
fn is_of_other_bytes(broken: &ContentMismatch, sha256: Sha256) -> bool {
    match broken {
        ContentMismatch::Digest { expected, .. } => expected.contains(&Digest::from(sha256)),
        ContentMismatch::Size { .. } => true,
    }
}
