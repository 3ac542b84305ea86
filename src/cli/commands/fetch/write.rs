//! Writing of the outputs: folders, the bundle, and pip's cache.

use std::sync::Arc;

use super::FetchRun;
use super::warm_pip::WarmPip;
use crate::cli::error::CliError;
use crate::domain::{Fetched, TargetedQuestion};
use crate::ops::{self, Finding};

impl FetchRun<'_> {
    /// Writes every output; returns what is wrong with the bundles that were written.
    ///
    /// # Errors
    /// When an output cannot be written.
    pub(super) async fn write(&self, fetched: &Arc<Fetched>) -> Result<Vec<Finding>, CliError> {
        let question = &self.prepared.question;
        let questions = match &self.prepared.lock {
            Some(_) => ops::questions_of_lock(fetched, question),
            None => vec![question.clone().for_targets((0..fetched.targets.len()).collect())],
        };
        let questions = questions.into_iter().flat_map(|question| ops::with_built_wheels(question, fetched));
        let questions: Arc<[TargetedQuestion]> = questions.collect();
        let mut findings = Vec::new();
        for output in self.outputs() {
            let (fetched, questions, store) = (fetched.clone(), questions.clone(), self.prepared.context.store.clone());
            let (output, cancel) = (output.clone(), self.cancel.clone());
            let writing =
                tokio::task::spawn_blocking(move || ops::write(&fetched, &questions, &store, &output, &cancel));
            let written = writing.await.expect("writing does not panic");
            findings.extend(written.map_err(|failure| CliError::of_write(&failure))?);
        }
        self.write_seen_pages(fetched).await?;
        Ok(findings)
    }

    async fn write_seen_pages(&self, fetched: &Arc<Fetched>) -> Result<(), CliError> {
        let Some(folder) = self.prepared.warm.as_ref().and_then(WarmPip::takes_pages) else { return Ok(()) };
        let (fetched, indexes, store) =
            (fetched.clone(), self.prepared.context.indexes.clone(), self.prepared.context.store.clone());
        let (folder, cancel) = (folder.to_owned(), self.cancel.clone());
        let write = move || ops::write_seen_pages(&fetched, &indexes, &store, &folder, &cancel);
        let written = tokio::task::spawn_blocking(write).await.expect("writing does not panic");
        written.map_err(|failure| CliError::of_write(&failure))
    }
}
