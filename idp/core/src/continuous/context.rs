//! What a scorer may know.

use crate::Idp;
use crate::account::Account;
use crate::client::Client;
use crate::error::Result;
use crate::session::Place;
use gait_sdk::{ClientView, Context, IpEvidence, PluginId, Purpose, Subject, SubjectView, Visitor};

impl Idp {
    /// The context of a call outside of a sign-in. Its purpose is `StepUp`: the session has been begun, so nothing here may ease a
    /// sign-in. The visitor is where the session was last proven.
    pub(crate) fn scorer_context(&self, plugin: &PluginId, account: &Account, place: &Place, client: Option<&Client>) -> Context {
        Context {
            purpose: Purpose::StepUp,
            subject: self.scorer_subject(plugin, account),
            credentials: Vec::new(),
            visitor: Visitor {
                address: place.address.parse().ok(),
                user_agent: place.user_agent.clone(),
                device: place.device.clone(),
            },
            client: client.map(|client| ClientView {
                id: client.id.to_string(),
                name: client.name.clone(),
            }),
            wanted_acr: None,
            ip_evidence: None,
            now: self.ports.now(),
            entropy: self.ports.random(),
        }
    }

    /// A sign-in's context as the scorer may see it: its own handle, nobody's credentials, and what address trust says.
    pub(crate) async fn scorer_view(&self, plugin: &PluginId, account: &Account, cx: &Context) -> Result<Context> {
        let mut view = cx.clone();
        view.subject = self.scorer_subject(plugin, account);
        view.credentials = Vec::new();
        view.entropy = self.ports.random();
        if view.ip_evidence.is_none() {
            view.ip_evidence = self.ip_evidence(account, &view).await?;
        }
        Ok(view)
    }

    fn scorer_subject(&self, plugin: &PluginId, account: &Account) -> Subject {
        Subject::Known(SubjectView {
            handle: self.handle(plugin, account.id),
            username: account.username.as_str().to_owned(),
            // No scorer writes mail.
            email: None,
        })
    }

    /// What address trust says of the visitor of `cx`, asked of the waivers' pure `ip_score` with their own credentials.
    pub(crate) async fn ip_evidence(&self, account: &Account, cx: &Context) -> Result<Option<IpEvidence>> {
        for authenticator in self.registry.authenticators().filter(|plugin| plugin.manifest().waiver) {
            let plugin = &authenticator.manifest().id;
            let stored = self.store.credentials(account.id, Some(plugin)).await?;
            let mut asked = cx.clone();
            asked.subject = self.scorer_subject(plugin, account);
            asked.credentials = stored.into_iter().map(|stored| stored.credential).collect();
            let score = authenticator.ip_score(&asked).filter(|score| (0.0..=1.0).contains(score));
            if let Some(score) = score {
                return Ok(Some(IpEvidence { score }));
            }
        }
        Ok(None)
    }
}
