//! An answer comes in: looked over, taken by one winner, and given to what the flow waits for.

use super::engine::{End, Turn, has_inputs};
use super::sample::BEHAVIOUR_FIELD;
use super::situation::Run;
use super::state::{Asked, Done, Goal, Held, Stage, Who};
use super::verify::{Posed, Verdict};
use super::{FlowError, Progress, Why, words};
use crate::Idp;
use crate::account::Identifier;
use crate::error::Error;
use crate::ids::FlowId;
use crate::learning::{Typed, TypedPassword};
use crate::session::EndReason;
use crate::store::Which;
use crate::visit::{Caller, Cookie};
use gait_sdk::{Answer, Batch, Form, Node, PluginId};
use std::collections::BTreeMap;

/// Fields of an answer.
type Fields = BTreeMap<String, String>;

/// Most fields of an answer.
const MAX_FIELDS: usize = 64;
/// Longest name of a field in bytes.
const MAX_NAME_BYTES: usize = 128;
/// Longest value of a field in bytes.
const MAX_VALUE_BYTES: usize = 8 * 1024;
/// Longest value of the field `behavior` in bytes.
const MAX_BEHAVIOUR_BYTES: usize = 16 * 1024;

/// What was picked out of the fields for a form.
struct Picked {
    answer: Answer,
    /// It was a further button of the form (for example "send again"), not an answer to its question.
    is_button: bool,
}

fn bad(why: &str) -> FlowError {
    FlowError::Bad(why.to_owned())
}

fn is(fields: &Fields, name: &str, value: &str) -> bool {
    fields.get(name).map(String::as_str) == Some(value)
}

fn check_fields(fields: &Fields) -> Result<(), FlowError> {
    if fields.len() > MAX_FIELDS {
        return Err(bad("too many fields"));
    }
    for (name, value) in fields {
        let longest = if name == BEHAVIOUR_FIELD {
            MAX_BEHAVIOUR_BYTES
        } else {
            MAX_VALUE_BYTES
        };
        if name.len() > MAX_NAME_BYTES || value.len() > longest {
            return Err(bad("a field is too long"));
        }
    }
    Ok(())
}

/// Picks the fields that a form asked for; the plugin sees no other.
fn pick(form: &Form, fields: &Fields) -> Result<Picked, FlowError> {
    let mut answer = BTreeMap::new();
    let mut is_button = false;
    for node in &form.nodes {
        match node {
            Node::Paragraph { .. } | Node::Notice { .. } | Node::Show { .. } => {}
            Node::Text(field) | Node::Secret(field) | Node::Code(field) => {
                if let Some(value) = fields.get(&field.name) {
                    if value.len() > field.max_bytes {
                        return Err(bad("a field is too long"));
                    }
                    answer.insert(field.name.clone(), value.clone());
                }
            }
            Node::Choice { name, options } => {
                if let Some(value) = fields.get(name) {
                    if !options.iter().any(|option| option.value == *value) {
                        return Err(bad("there is no such choice"));
                    }
                    answer.insert(name.clone(), value.clone());
                }
            }
            Node::Button { name, value, .. } => {
                if is(fields, name, value) {
                    is_button = true;
                    answer.insert(name.clone(), value.clone());
                }
            }
        }
    }
    if answer.is_empty() && has_inputs(form) {
        return Err(bad("the form's fields are missing"));
    }
    let answer = Answer(answer);
    Ok(Picked { answer, is_button })
}

impl Idp {
    /// Takes an answer from the wire to the flow and back.
    pub(super) async fn take_answer(&self, id: &FlowId, fields: &Fields, caller: &Caller) -> Result<Progress, FlowError> {
        check_fields(fields)?;
        let held = self.open_flow(id, caller).await?;
        self.check_flow_csrf(&held.flow, fields.get("csrf"))?;
        let claimed = self.claim_flow(held).await?;
        let mut run = Run {
            flow: claimed.flow.clone(),
            caller,
            session: None,
            cookies: Vec::new(),
            begun: None,
        };
        let outcome = match self.work(&mut run, fields).await {
            Ok(turn) => self.leave(&claimed, &mut run, turn).await,
            Err(error) => Err(self.release_flow(&claimed).await.err().unwrap_or(error)),
        };
        if let (Err(_), Some(begun)) = (&outcome, &run.begun) {
            // Its cookie will reach nobody.
            self.end_all(&Which::One(begun.clone()), EndReason::Replaced, &[], caller)
                .await?;
        }
        outcome
    }

    async fn work(&self, run: &mut Run<'_>, fields: &Fields) -> Result<Turn, FlowError> {
        let signed_in = self.browser_session(run.caller).await?;
        run.session = signed_in.map(|signed_in| signed_in.session.id);
        run.flow.error = None;
        self.dispatch(run, fields).await
    }

    /// Keeps what has become of the flow. Whoever has proven something, or has become another, gets a new secret.
    async fn leave(&self, claimed: &Held, run: &mut Run<'_>, turn: Turn) -> Result<Progress, FlowError> {
        let (flow, mut cookies) = (run.flow.clone(), std::mem::take(&mut run.cookies));
        let end = match turn {
            Turn::Stay => {
                let rotate = flow.proofs != claimed.flow.proofs || flow.done.session != claimed.flow.done.session;
                let id = flow.id.clone();
                let secret = self.keep_flow(claimed, flow, rotate).await?;
                cookies.extend(secret.map(|secret| Cookie::Flow(id, Some(secret))));
                return Ok(Progress::Again(cookies));
            }
            Turn::Done(end) => end,
        };
        self.end_flow(&flow).await?;
        cookies.push(Cookie::Flow(flow.id, None));
        match end {
            End::Respond(response) => Ok(Progress::Respond(response, cookies)),
            End::Page(path) => Ok(Progress::Page(path, cookies)),
        }
    }

    async fn dispatch(&self, run: &mut Run<'_>, fields: &Fields) -> Result<Turn, FlowError> {
        if is(fields, "cancel", "yes") {
            return self.cancel(run).await;
        }
        // Whatever is answered, the session that the flow builds on must still be this browser's.
        self.situation(run).await?;
        if is(fields, "report", "yes") && matches!(run.flow.why, Why::StepUp { .. }) {
            return self.report(run).await;
        }
        match run.flow.stage.clone() {
            Stage::SignIn { asked, .. } => self.answer_first_page(run, asked, fields).await,
            Stage::Factor(asked) => self.answer_factor(run, asked, fields).await,
            Stage::Enrol(asked) => self.answer_enrol(run, asked, fields).await,
            Stage::SelectAccount => self.answer_select(run, fields).await,
            Stage::ApprovalSent => self.answer_approval_sent(run, fields).await,
            Stage::Consent(scopes) => self.answer_consent(run, &scopes, fields).await,
            Stage::BehaviourConsent => self.answer_watch_consent(run, fields).await,
        }
    }

    async fn cancel(&self, run: &Run<'_>) -> Result<Turn, FlowError> {
        self.tell_unsatisfied(run).await;
        Ok(self.refuse(run, "access_denied", "the person cancelled"))
    }

    async fn answer_select(&self, run: &mut Run<'_>, fields: &Fields) -> Result<Turn, FlowError> {
        match fields.get("account").map(String::as_str) {
            Some("continue") => self.advance(run).await,
            Some("other") => self.begin_anew(run).await,
            _ => Err(bad("account is neither continue nor other")),
        }
    }

    /// Another account than the one before: nothing of that remains.
    async fn begin_anew(&self, run: &mut Run<'_>) -> Result<Turn, FlowError> {
        run.flow.base = None;
        run.flow.typed = Typed::default();
        run.flow.preferred = None;
        run.flow.done = Done::default();
        run.flow.switch_to(Who::Nobody);
        self.advance(run).await
    }

    async fn answer_first_page(&self, run: &mut Run<'_>, asked: Option<Asked>, fields: &Fields) -> Result<Turn, FlowError> {
        let typed = fields.get("identifier").map(String::as_str).unwrap_or_default();
        if typed.len() > 4 * Identifier::MAX_BYTES {
            return Err(bad("the identifier is too long"));
        }
        if let Some(other) = fields.get("other") {
            return self.choose_first_way(run, typed, other).await;
        }
        let picked = match &asked {
            Some(asked) => Some(pick(&asked.form, fields)?),
            None if fields.contains_key("identifier") => None,
            None => return Err(bad("the identifier is missing")),
        };
        let who = self.identify(typed).await?;
        run.flow.switch_to(who);
        run.flow.typed = Typed {
            identifier: self.read_sample(run.caller, fields),
            password: None,
        };
        match (asked, picked) {
            (Some(asked), Some(picked)) => {
                let password = self.read_password_sample(run.caller, fields);
                self.answer_first_question(run, typed, asked, (&picked, password)).await
            }
            _ => self.advance(run).await,
        }
    }

    async fn answer_first_question(
        &self,
        run: &mut Run<'_>,
        typed: &str,
        mut asked: Asked,
        (picked, password): (&Picked, Option<Batch>),
    ) -> Result<Turn, FlowError> {
        match self.try_answer(run, &mut asked, &picked.answer).await? {
            Verdict::Passed(amr) => {
                let is_password = asked.form.nodes.iter().any(|node| matches!(node, Node::Secret(_)));
                run.flow.typed.password = password.filter(|_| is_password).map(|batch| TypedPassword {
                    plugin: asked.plugin.clone(),
                    batch,
                });
                self.prove(run, asked.plugin, amr, false);
                self.advance(run).await
            }
            Verdict::Asked => {
                run.flow.stage = Stage::Factor(asked);
                Ok(Turn::Stay)
            }
            Verdict::Failed { text, .. } => {
                let spent = asked.spent;
                run.flow.switch_to(Who::Nobody);
                run.flow.error = Some(text);
                run.flow.stage = Stage::SignIn {
                    identifier: typed.to_owned(),
                    asked: Some(asked),
                };
                // A dead question is asked anew at once: on this page that costs nobody a mail.
                if spent { self.advance(run).await } else { Ok(Turn::Stay) }
            }
        }
    }

    /// Another way on the first page.
    async fn choose_first_way(&self, run: &mut Run<'_>, typed: &str, other: &str) -> Result<Turn, FlowError> {
        if !run.flow.ways.iter().any(|way| way.plugin.as_str() == other) {
            return Err(bad("there is no such way"));
        }
        run.flow.preferred = Some(PluginId::from(other));
        run.flow.switch_to(Who::Nobody);
        run.flow.stage = Stage::SignIn {
            identifier: typed.to_owned(),
            asked: None,
        };
        self.advance(run).await
    }

    /// Who is meant by what was typed. A disabled account is nobody.
    async fn identify(&self, typed: &str) -> Result<Who, FlowError> {
        let unknown = |name: &str| Who::Unknown {
            identifier: name.to_owned(),
        };
        let Some(identifier) = Identifier::parse(typed) else {
            return Ok(unknown(""));
        };
        let found = self.store.account_by(&identifier).await.map_err(Error::from)?;
        Ok(match found.filter(|account| account.disabled_at.is_none()) {
            Some(account) => Who::Known {
                account: account.id,
                name: identifier.as_str().to_owned(),
            },
            None => unknown(identifier.as_str()),
        })
    }

    async fn answer_factor(&self, run: &mut Run<'_>, mut asked: Asked, fields: &Fields) -> Result<Turn, FlowError> {
        if is(fields, "account", "other") && run.flow.base.is_none() {
            return self.begin_anew(run).await;
        }
        if let Some(other) = fields.get("other") {
            return self.choose_way(run, asked, other).await;
        }
        if asked.spent {
            return self.ask_anew(run, asked.plugin).await;
        }
        let picked = pick(&asked.form, fields)?;
        match self.try_answer(run, &mut asked, &picked.answer).await? {
            Verdict::Passed(amr) => {
                self.prove(run, asked.plugin, amr, false);
                self.advance(run).await
            }
            Verdict::Asked => {
                run.flow.stage = Stage::Factor(asked);
                Ok(Turn::Stay)
            }
            Verdict::Failed { text, wrong } => {
                run.flow.error = Some(text);
                run.flow.stage = Stage::Factor(asked);
                if wrong && !picked.is_button {
                    return self.count_failed_step_up(run).await;
                }
                Ok(Turn::Stay)
            }
        }
    }

    /// Another way within the row. What was asked before is dead.
    async fn choose_way(&self, run: &mut Run<'_>, before: Asked, other: &str) -> Result<Turn, FlowError> {
        if !run.flow.ways.iter().any(|way| way.plugin.as_str() == other) {
            return Err(bad("there is no such way"));
        }
        let id = PluginId::from(other);
        let Some(plugin) = self.registry.authenticator(&id).cloned() else {
            return Err(bad("there is no such way"));
        };
        let now = self.situation(run).await?;
        match self.pose(run, &now, plugin.as_ref()).await? {
            Posed::Asked(asked) => {
                run.flow.preferred = Some(id.clone());
                self.offer_instead(run, &id, &before.plugin);
                run.flow.stage = Stage::Factor(asked);
            }
            Posed::Failed(text) => run.flow.error = Some(text),
            Posed::Abstained => run.flow.error = Some(words::no_such_way()),
        }
        Ok(Turn::Stay)
    }

    /// The way that was chosen leaves the list of other ways, and the one before takes its place.
    fn offer_instead(&self, run: &mut Run<'_>, chosen: &PluginId, before: &PluginId) {
        let label = self
            .registry
            .authenticator(before)
            .map(|plugin| plugin.manifest().label.clone());
        if let (Some(way), Some(label)) = (run.flow.ways.iter_mut().find(|way| way.plugin == *chosen), label) {
            way.plugin = before.clone();
            way.label = label;
        }
    }

    /// Has a question asked anew whose predecessor is dead.
    async fn ask_anew(&self, run: &mut Run<'_>, plugin: PluginId) -> Result<Turn, FlowError> {
        run.flow.preferred = Some(plugin);
        self.advance(run).await
    }

    async fn answer_enrol(&self, run: &mut Run<'_>, mut asked: Asked, fields: &Fields) -> Result<Turn, FlowError> {
        if asked.spent {
            return self.advance(run).await;
        }
        let picked = pick(&asked.form, fields)?;
        match self.try_answer(run, &mut asked, &picked.answer).await? {
            Verdict::Passed(_) => match &run.flow.goal {
                Goal::Page { path, .. } => Ok(Turn::Done(End::Page(path.clone()))),
                Goal::Authorization(_) => Err(Error::Inconsistent("an enrolment for a client".to_owned()).into()),
            },
            Verdict::Asked => {
                run.flow.stage = Stage::Enrol(asked);
                Ok(Turn::Stay)
            }
            Verdict::Failed { text, .. } => {
                run.flow.error = Some(text);
                run.flow.stage = Stage::Enrol(asked);
                Ok(Turn::Stay)
            }
        }
    }

    async fn answer_approval_sent(&self, run: &mut Run<'_>, fields: &Fields) -> Result<Turn, FlowError> {
        if !is(fields, "continue", "yes") {
            return Err(bad("continue is missing"));
        }
        run.flow.done.approval = None;
        self.advance(run).await
    }
}
