//! How a flow begins: an answer at once where nothing has to be asked, else a question.

use super::engine::{End, Turn};
use super::situation::{Run, Situation};
use super::state::{Flow, Goal, Stage, Who};
use super::{Begun, FlowError, plan};
use crate::Idp;
use crate::account_page::SignedIn;
use crate::authorization::request::{AuthorizationRequest, PromptValue};
use crate::authorization::{AuthorizationResponse, Authorized};
use crate::error::{Error, Result};
use crate::visit::{Caller, Cookie};
use gait_sdk::PluginId;

/// Longest path that a flow may end at, in bytes.
const MAX_PATH_BYTES: usize = 512;

/// An error of the provider; before a flow is kept there is none of another kind that a browser could have caused.
fn core(error: FlowError) -> Error {
    match error {
        FlowError::Core(error) => error,
        other => Error::Inconsistent(format!("a flow that is being begun: {other}")),
    }
}

/// A path of our own: nothing that a browser could read as another host's, and nothing to split a header with.
fn is_own_path(path: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
    path.starts_with('/') && !path.starts_with("//") && path.len() <= MAX_PATH_BYTES && path.bytes().all(plain)
}

impl Idp {
    /// Decides what a checked authorization request leads to: an answer at once, or a flow.
    ///
    /// # Errors
    /// A backend is away.
    pub(crate) async fn begin_authorization(&self, request: AuthorizationRequest, caller: &Caller) -> Result<Authorized> {
        let signed_in = self.usable_session(&request, caller).await?;
        let flow = self.new_flow(Goal::Authorization(Box::new(request.clone())));
        let mut run = begun(flow, caller, signed_in.as_ref());
        if request.essential_acr.as_ref().is_some_and(|sought| self.knows_none(sought)) {
            let response = self.error_response(&request, "unmet_authentication_requirements", "no such level is known");
            return Ok(Authorized::Respond(response, Vec::new()));
        }
        if request.prompts(PromptValue::None) {
            let response = self.answer_unasked(&mut run, &request).await.map_err(core)?;
            return Ok(Authorized::Respond(response, run.cookies));
        }
        let turn = self.first_turn(&mut run, signed_in.as_ref()).await.map_err(core)?;
        self.handed_over(run, turn).await
    }

    fn knows_none(&self, sought: &[String]) -> bool {
        !sought.is_empty() && !sought.iter().any(|acr| self.policy.acrs.iter().any(|rule| rule.acr == *acr))
    }

    /// The browser's session, unless the client expects somebody else. While a step-up is pending there is no way around it.
    async fn usable_session(&self, request: &AuthorizationRequest, caller: &Caller) -> Result<Option<SignedIn>> {
        let Some(signed_in) = self.browser_session(caller).await? else {
            return Ok(None);
        };
        let client = self.store.client(&request.client).await?;
        let is_expected = match (&request.expected_subject, &client) {
            (Some(expected), Some(client)) => *expected == self.subject(client, signed_in.account.id),
            _ => true,
        };
        Ok((is_expected || signed_in.session.step_up.is_some()).then_some(signed_in))
    }

    /// `prompt=none`: a code, or the error that says what would have to be asked (OIDC Core §3.1.2.6).
    async fn answer_unasked(
        &self,
        run: &mut Run<'_>,
        request: &AuthorizationRequest,
    ) -> Result<AuthorizationResponse, FlowError> {
        if request.essential_acr.is_none() {
            run.flow.given_up = request.acr_values.clone(); // a wish that takes a question isn't granted here
        }
        let now = self.situation(run).await?;
        let missing = self.is_missing(&run.flow, &now);
        let (Some(account), Some(own), Some(client), false) = (&now.account, &now.own, &now.client, missing) else {
            return Ok(self.error_response(request, "login_required", "the person must prove themselves"));
        };
        if let Some(Turn::Done(End::Respond(refusal))) = self.refusal_of(run, &now, account) {
            return Ok(refusal);
        }
        if self.needs_consent(client, account, request).await? {
            return Ok(self.error_response(request, "consent_required", "the person must be asked"));
        }
        let (acr, amr) = self.assurance(&run.flow, &now);
        let scopes = self.granted_scopes(request, &now);
        Ok(self.issue_code(request, own, account, scopes, acr, amr).await?)
    }

    fn is_missing(&self, flow: &Flow, now: &Situation) -> bool {
        plan::missing(&self.demands(flow, now), now.evidence(flow)).is_some()
    }

    /// Where a flow that may ask begins.
    async fn first_turn(&self, run: &mut Run<'_>, signed_in: Option<&SignedIn>) -> Result<Turn, FlowError> {
        let prompts = |value| run.flow.request().is_some_and(|request| request.prompts(value));
        let (selects, logs_in) = (prompts(PromptValue::SelectAccount), prompts(PromptValue::Login));
        match signed_in {
            Some(signed_in) if signed_in.session.step_up.is_some() => self.advance(run).await,
            Some(_) if selects => {
                run.flow.stage = Stage::SelectAccount;
                Ok(Turn::Stay)
            }
            Some(signed_in) if logs_in => self.log_in_again(run, signed_in).await,
            _ => self.advance(run).await,
        }
    }

    /// `prompt=login`: the whole sign-in again, by whoever it is.
    async fn log_in_again(&self, run: &mut Run<'_>, signed_in: &SignedIn) -> Result<Turn, FlowError> {
        let hint = run.flow.request().and_then(|request| request.login_hint.clone());
        let before = signed_in.account.username.as_str().to_owned();
        run.flow.base = None;
        run.flow.who = Who::Nobody;
        run.flow.stage = Stage::SignIn {
            identifier: hint.unwrap_or(before),
            asked: None,
        };
        self.advance(run).await
    }

    async fn handed_over(&self, run: Run<'_>, turn: Turn) -> Result<Authorized> {
        match turn {
            Turn::Done(End::Respond(response)) => Ok(Authorized::Respond(response, run.cookies)),
            Turn::Done(End::Page(_)) => Err(Error::Inconsistent("a client's flow ended at a page of ours".to_owned())),
            Turn::Stay => {
                let begun = self.kept(run).await?;
                Ok(Authorized::Ask(begun.id, begun.cookies))
            }
        }
    }

    async fn kept(&self, run: Run<'_>) -> Result<Begun> {
        self.check_may_begin(&run.caller.visitor).await?;
        let Run { flow, mut cookies, .. } = run;
        let id = flow.id.clone();
        let secret = self.keep_new(flow).await?;
        cookies.push(Cookie::Flow(id.clone(), Some(secret)));
        Ok(Begun { id, cookies })
    }

    /// See [`Idp::begin_page_flow`].
    pub(super) async fn begin_own_flow(
        &self,
        page: &str,
        fresh: bool,
        enrol: Option<&PluginId>,
        caller: &Caller,
    ) -> Result<Begun> {
        let enrols = |id: &&PluginId| self.registry.authenticator(id).is_some_and(|plugin| plugin.manifest().enrols);
        let flow = self.new_flow(Goal::Page {
            path: if is_own_path(page) { page } else { "/account" }.to_owned(),
            fresh,
            enrol: enrol.filter(enrols).cloned(),
        });
        let signed_in = self.browser_session(caller).await?;
        let mut run = begun(flow, caller, signed_in.as_ref());
        if let Turn::Done(_) = self.advance(&mut run).await.map_err(core)? {
            // There is nothing to ask, but a flow was asked for: whoever is signed in goes on, or signs in as another.
            run.flow.stage = Stage::SelectAccount;
        }
        self.kept(run).await
    }
}

/// A flow that builds on the session that the browser is in.
fn begun<'a>(mut flow: Flow, caller: &'a Caller, signed_in: Option<&SignedIn>) -> Run<'a> {
    if let Some(signed_in) = signed_in {
        flow.base = Some(signed_in.session.id.clone());
        flow.who = Who::Known {
            account: signed_in.account.id,
            name: signed_in.account.username.as_str().to_owned(),
        };
    }
    Run {
        flow,
        caller,
        session: signed_in.map(|signed_in| signed_in.session.id.clone()),
        cookies: Vec::new(),
        begun: None,
    }
}

#[cfg(test)]
mod tests {
    use super::is_own_path;

    #[test]
    fn only_a_path_of_our_own_is_gone_to() {
        for path in ["/", "/account", "/account?tab=apps#x"] {
            assert!(is_own_path(path), "{path}");
        }
        let long = format!("/{}", "x".repeat(600));
        let hostile = [
            "",
            "account",
            "//evil.test",
            "/\\evil.test",
            "/\t/evil.test",
            "\\/evil",
            "https://evil.test",
            "/a b",
            "/a\r\nSet-Cookie: x",
            &long,
        ];
        for path in hostile {
            assert!(!is_own_path(path), "{path}");
        }
    }
}
