//! Enrolment from batches that were taken elsewhere: a demo, a move from another deployment.

use super::WHENEVER;
use crate::Idp;
use crate::account::Account;
use crate::error::{Error, Result};
use crate::ids::SessionId;
use crate::session::Place;
use crate::store::Whose;
use gait_sdk::{Batch, Label, Scorer, State};

impl Idp {
    /// Enrols a consenting account from batches that were taken elsewhere: each goes through the scorer as a session's would, and
    /// what it keeps is learned at once.
    ///
    /// # Errors
    /// There is no scorer, it fails, or a backend is away.
    pub async fn enrol_from(&self, account: &Account, batches: &[Batch]) -> Result<()> {
        let scorer = self
            .registry
            .scorer()
            .ok_or_else(|| Error::Inconsistent("there is no scorer".to_owned()))?;
        let whose = Whose::from(account.id);
        for batch in batches {
            self.keep_imported(scorer.as_ref(), account, &whose, batch).await?;
        }
        let plugin = &scorer.manifest().id;
        let known = self.known_background(plugin).await?;
        while !self.store.due_records(&whose, plugin, WHENEVER, 1).await?.is_empty() {
            if !self.learn_one(scorer.as_ref(), &whose, WHENEVER, &known).await? {
                return Err(Error::Inconsistent("the scorer learned nothing from the batches".to_owned()));
            }
        }
        Ok(())
    }

    async fn keep_imported(&self, scorer: &dyn Scorer, account: &Account, whose: &Whose, batch: &Batch) -> Result<()> {
        let cx = self.scorer_context(&scorer.manifest().id, account, &Place::default(), None);
        let scored = scorer.score(&cx, None, State::default(), batch).await;
        let scored = scored.map_err(|error| Error::Inconsistent(error.to_string()))?;
        if let Some(record) = scored.record {
            self.keep_record(whose, &SessionId::from("import"), Label::Proven, &record)
                .await?;
        }
        Ok(())
    }
}
