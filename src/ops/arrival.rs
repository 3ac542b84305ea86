//! Files that arrive: how far a download is, for those who read the file meanwhile.

use std::fs::File;
use std::sync::Arc;

use tokio::sync::watch;

use super::fetch_error::FetchError;
use crate::domain::Object;
use crate::store::{Incoming, StoreError};

/// How far a download is.
#[derive(Clone, Debug, Default)]
pub(super) struct Arrival {
    /// How often the download was begun anew: bytes of different attempts do not belong together.
    pub attempt: u32,
    /// The size of the whole file in bytes, if its server states it.
    pub size: Option<u64>,
    pub stage: ArrivalStage,
}

/// What there is of a file that is downloaded.
#[derive(Clone, Debug, Default)]
pub(super) enum ArrivalStage {
    /// Nothing that can be read.
    #[default]
    Awaited,
    /// The first `written` bytes, of which no digest was checked yet.
    Partial {
        file: Arc<File>,
        written: u64,
    },
    Stored(Object),
    Failed(Arc<FetchError>),
}

/// Tells those who wait for a file how far its download is.
#[derive(Clone, Debug)]
pub(super) struct ArrivalSender(watch::Sender<Arrival>);

impl ArrivalSender {
    pub fn new() -> Self {
        Self(watch::Sender::default())
    }

    pub fn subscribe(&self) -> watch::Receiver<Arrival> {
        self.0.subscribe()
    }

    /// Notes the size of the whole file, as its server states it.
    pub fn expect(&self, size: Option<u64>) {
        self.0.send_modify(|arrival| arrival.size = size);
    }

    /// Tells that all bytes so far are discarded.
    pub fn restart(&self) {
        self.0.send_modify(|arrival| {
            arrival.attempt += 1;
            arrival.stage = ArrivalStage::Awaited;
        });
    }

    /// Tells that `incoming` has more bytes.
    pub fn wrote(&self, incoming: &Incoming) -> Result<(), StoreError> {
        let known = match &self.0.borrow().stage {
            ArrivalStage::Partial { file, .. } => Some(file.clone()),
            _ => None,
        };
        let file = known.map_or_else(|| incoming.open().map(Arc::new), Ok)?;
        let written = incoming.received();
        self.0.send_modify(|arrival| arrival.stage = ArrivalStage::Partial { file, written });
        Ok(())
    }

    /// Tells how the download ended.
    pub fn finish(&self, outcome: Result<Object, FetchError>) {
        let stage = match outcome {
            Ok(object) => ArrivalStage::Stored(object),
            Err(error) => ArrivalStage::Failed(Arc::new(error)),
        };
        self.0.send_modify(|arrival| arrival.stage = stage);
    }
}
