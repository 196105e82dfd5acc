//! What a flow shows: a view of what it waits for.

use super::state::{Flow, Stage};
use super::{Ask, BEHAVIOUR_TEXT_VERSION, FlowError, Prompt, PromptClient, Why, words};
use crate::Idp;
use crate::error::Error;
use crate::visit::Caller;
use gait_sdk::Text;

impl Idp {
    pub(super) async fn prompt_of(&self, flow: &Flow, caller: &Caller) -> Result<Prompt, FlowError> {
        let name = flow.who.name();
        let asks_a_factor = matches!(flow.stage, Stage::Factor(_) | Stage::SignIn { .. });
        Ok(Prompt {
            csrf: self.flow_csrf(flow),
            client: self.prompt_client(flow).await?,
            why: why(flow),
            account: (!name.is_empty()).then(|| name.to_owned()),
            ask: self.ask(flow, caller),
            error: flow.error.clone(),
            notice: self.notice_of(flow).await?,
            others: if asks_a_factor { flow.ways.clone() } else { Vec::new() },
        })
    }

    /// What is wrong with the mail that the flow waits for.
    async fn notice_of(&self, flow: &Flow) -> Result<Option<Text>, FlowError> {
        let mail = match &flow.stage {
            Stage::Factor(asked) | Stage::Enrol(asked) => asked.mail,
            Stage::ApprovalSent => flow.done.mail,
            _ => None,
        };
        let is_proven = flow.base.is_some() || !flow.proofs.is_empty();
        match mail {
            Some(_) => Ok(self.mail_notice(mail, is_proven).await?),
            None => Ok(None),
        }
    }

    async fn prompt_client(&self, flow: &Flow) -> Result<Option<PromptClient>, FlowError> {
        let Some(request) = flow.request() else { return Ok(None) };
        let client = self.store.client(&request.client).await.map_err(Error::from)?;
        Ok(client.map(|client| PromptClient {
            id: client.id.to_string(),
            name: client.name,
            theme: client.theme,
        }))
    }

    fn ask(&self, flow: &Flow, caller: &Caller) -> Ask {
        let now = self.ports.now();
        match &flow.stage {
            Stage::SignIn { identifier, asked } => Ask::SignIn {
                identifier: identifier.clone(),
                form: asked.as_ref().map_or_else(words::identifier_only, |asked| asked.form_at(now)),
                collect: caller.marker && self.watches(),
                collect_password: caller.password_marker && self.watches_passwords(),
            },
            Stage::Factor(asked) | Stage::Enrol(asked) => Ask::Factor {
                plugin: asked.plugin.clone(),
                form: asked.form_at(now),
            },
            Stage::SelectAccount => Ask::SelectAccount {
                current: flow.who.name().to_owned(),
            },
            Stage::Consent(scopes) => Ask::Consent { scopes: scopes.clone() },
            Stage::BehaviourConsent => Ask::BehaviourConsent {
                text_version: BEHAVIOUR_TEXT_VERSION.to_owned(),
            },
            Stage::ApprovalSent => Ask::ApprovalSent {
                code: flow
                    .done
                    .approval
                    .map(|approval| self.approval_code(&approval))
                    .unwrap_or_default(),
            },
        }
    }
}

/// Only a factor's question has a reason; what follows it belongs to a sign-in.
fn why(flow: &Flow) -> Why {
    match flow.stage {
        Stage::Factor(_) | Stage::Enrol(_) | Stage::SignIn { .. } => flow.why.clone(),
        _ => Why::SignIn,
    }
}
