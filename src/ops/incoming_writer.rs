//! Writes the bytes of a transfer into the store, off the threads that receive them.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::arrival::ArrivalSender;
use crate::domain::Object;
use crate::http::blocking;
use crate::store::{Incoming, StoreError};

/// The number of bytes that are hashed and written at once: enough that the change of threads costs
/// nothing, few enough that sixteen portions need little memory.
const PORTION: usize = 512 << 10;

/// How long bytes are collected while others wait for them.
const PATIENCE: Duration = Duration::from_secs(1);

/// Collects bytes into portions, which are hashed and written on a thread that may block.
pub(super) struct IncomingWriter {
    /// The file in the store; `None` only while it is written to, and after a write that failed.
    incoming: Option<Incoming>,
    portion: Vec<Bytes>,
    collected: usize,
    /// The number of bytes received, including those not written yet.
    pub received: u64,
    /// The identifier of the version that the bytes are of, for later runs.
    pub origin: Option<String>,
    outlives: bool,
    /// Tells those who read the file while it is written.
    arrival: Option<ArrivalSender>,
    /// When anything was last written.
    written: Instant,
}

impl IncomingWriter {
    pub fn new(incoming: Incoming, arrival: Option<ArrivalSender>) -> Self {
        let received = incoming.received();
        Self {
            incoming: Some(incoming),
            portion: Vec::new(),
            collected: 0,
            received,
            origin: None,
            outlives: false,
            arrival,
            written: Instant::now(),
        }
    }

    /// Notes the size of the whole file, as its server states it.
    pub fn expect(&self, size: Option<u64>) {
        self.arrival.iter().for_each(|arrival| arrival.expect(size));
    }

    pub async fn take(&mut self, bytes: Bytes) -> Result<(), StoreError> {
        self.collected += bytes.len();
        self.received += bytes.len() as u64;
        self.portion.push(bytes);
        if !self.is_due() {
            return Ok(());
        }
        self.written = Instant::now();
        let origin = (!self.outlives).then(|| self.origin.clone());
        let (write, arrival) = (self.pending(), self.arrival.clone());
        let written = blocking(move || {
            let mut incoming = write()?;
            arrival.map_or(Ok(()), |arrival| arrival.wrote(&incoming))?;
            if let Some(origin) = origin {
                incoming.keep_partial(origin.as_deref());
            }
            Ok::<_, StoreError>(incoming)
        });
        self.incoming = Some(written.await?);
        self.outlives = true;
        Ok(())
    }

    fn is_due(&self) -> bool {
        self.collected >= PORTION || self.arrival.is_some() && self.written.elapsed() >= PATIENCE
    }

    /// Verifies the bytes, and gives the file its final name.
    pub async fn keep(&mut self) -> Result<Object, StoreError> {
        let write = self.pending();
        blocking(move || write()?.keep()).await
    }

    /// Discards every byte.
    pub async fn restart(&mut self) -> Result<(), StoreError> {
        (self.collected, self.received, self.outlives) = (0, 0, false);
        self.portion.clear();
        self.arrival.iter().for_each(ArrivalSender::restart);
        let mut incoming = self.take_incoming();
        if incoming.received() > 0 {
            incoming = blocking(move || incoming.restart().map(|()| incoming)).await?;
        }
        self.incoming = Some(incoming);
        Ok(())
    }

    /// Discards every byte, and returns the file.
    pub async fn into_empty(mut self) -> Result<Incoming, StoreError> {
        self.restart().await?;
        Ok(self.take_incoming())
    }

    /// Returns a function that writes the collected portion.
    fn pending(&mut self) -> impl FnOnce() -> Result<Incoming, StoreError> + Send + 'static {
        let portion = std::mem::take(&mut self.portion);
        let mut incoming = self.take_incoming();
        self.collected = 0;
        move || {
            incoming.write_all(&portion)?;
            Ok(incoming)
        }
    }

    fn take_incoming(&mut self) -> Incoming {
        self.incoming.take().expect("nobody writes after a write that failed")
    }
}
