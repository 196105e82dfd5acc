//! Approvals.

use super::MemoryStore;
use crate::ids::{FlowId, SessionId};
use crate::store::{ApprovalStore, EffectBatch, Result, StoreError, StoredApproval};
use crate::token::secret::Hash;
use async_trait::async_trait;
use gait_sdk::Timestamp;

#[async_trait]
impl ApprovalStore for MemoryStore {
    async fn approval(&self, hash: &Hash) -> Result<Option<StoredApproval>> {
        Ok(self.state().approvals.get(hash).cloned())
    }

    async fn fail_approval(&self, hash: &Hash) -> Result<u32> {
        let mut state = self.state();
        let approval = state.approvals.get_mut(hash).ok_or(StoreError::Stale("approval"))?;
        approval.attempts += 1;
        Ok(approval.attempts)
    }

    async fn bind_approvals(&self, flow: &FlowId, session: &SessionId) -> Result<()> {
        let mut state = self.state();
        for approval in state.approvals.values_mut().filter(|approval| approval.flow == *flow) {
            approval.session = Some(session.clone());
        }
        Ok(())
    }

    async fn answer_approval(&self, hash: &Hash, at: Timestamp, batch: &EffectBatch) -> Result<bool> {
        self.transact(|state| {
            let open = |approval: &&mut StoredApproval| approval.answered_at.is_none() && approval.expires_at > at;
            let Some(approval) = state.approvals.get_mut(hash).filter(open) else {
                return Ok(false);
            };
            approval.answered_at = Some(at);
            let account = approval.account;
            state.carry_out(account, at, batch)?;
            Ok(true)
        })
    }
}
