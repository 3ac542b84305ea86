//! The downloads that are under way, each once however many ask for its file.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::watch;

use super::use_records::UseRecords;
use super::wanted_file::WantedFile;
use crate::domain::{ExpectedContent, FileLink, Object};
use crate::http::blocking;
use crate::ops::FetchContext;
use crate::ops::arrival::{Arrival, ArrivalSender};
use crate::ops::download::Download;

/// What a download is told by: its URL, and what it is checked against, since several pages may link one
/// file and promise different things of it.
#[derive(Clone, PartialEq, Eq, Hash)]
struct DownloadKey {
    url: String,
    expected: ExpectedContent,
}

impl DownloadKey {
    fn of(link: &FileLink) -> Self {
        Self { url: link.url.secret().to_string(), expected: link.expected.clone() }
    }
}

/// Fetches files into the store, each once at a time.
pub struct Downloads {
    context: FetchContext,
    uses: UseRecords,
    running: Mutex<HashMap<DownloadKey, ArrivalSender>>,
}

impl Downloads {
    pub fn new(context: FetchContext, uses: UseRecords) -> Self {
        Self { context, uses, running: Mutex::default() }
    }

    /// Returns the file, if the store has it.
    pub async fn find(&self, file: &WantedFile) -> Option<Object> {
        let (store, expected) = (self.context.store.clone(), file.link.expected.clone());
        let object = blocking(move || store.find_expected(&expected)).await?;
        self.uses.note(file, object).await;
        Some(object)
    }

    /// Begins to fetch a file, or joins those who wait for it; it is fetched to its end whoever goes
    /// away.
    pub(in crate::ops) fn join(self: &Arc<Self>, file: WantedFile) -> watch::Receiver<Arrival> {
        let key = DownloadKey::of(&file.link);
        let mut running = self.running.lock();
        if let Some(arrival) = running.get(&key) {
            return arrival.subscribe();
        }
        let arrival = ArrivalSender::new();
        let receiver = arrival.subscribe();
        running.insert(key.clone(), arrival.clone());
        tokio::spawn(self.clone().fetch(file, key, arrival));
        receiver
    }

    async fn fetch(self: Arc<Self>, file: WantedFile, key: DownloadKey, arrival: ArrivalSender) {
        let download = Download::new(file.link.clone(), &self.context);
        let download = Download { arrival: Some(arrival.clone()), ..download };
        let outcome = download.run().await;
        if let Ok((object, _)) = &outcome {
            self.uses.note(&file, *object).await;
        }
        // Whoever asks from now on finds the file in the store, or tries again.
        self.running.lock().remove(&key);
        arrival.finish(outcome.map(|(object, _)| object));
    }
}
