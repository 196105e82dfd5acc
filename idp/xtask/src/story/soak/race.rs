//! Attempts to spend something twice: at once on all nodes, and again later, after whatever has happened meanwhile.

use super::guest::Guest;
use super::ledger::{Dead, Once};
use crate::browser::{Browser, Landing};
use crate::person::{Question, Walk};
use anyhow::{Context as _, ensure};
use futures_util::future::join_all;
use rand::Rng as _;
use serde_json::Value;
use xtask::page::Page;

/// How many try at once. Each has a connection of its own, so that they are spread over the nodes.
const RACERS: usize = 4;
/// How many answer an approval at once: more answers kill it.
const APPROVERS: usize = 2;

/// Forms that somebody keeps for later.
const MOST_FORMS: usize = 8;
/// Where links of mails are opened.
const PHONE: &str = "198.51.100.23";

/// A form that may be answered once.
pub struct OnceForm {
    kind: &'static str,
    /// As it was before the answer.
    browser: Browser,
    page: Page,
    answers: Vec<(&'static str, String)>,
    has_won: fn(&Browser, &Landing) -> bool,
}

impl Guest {
    /// Signs in, and redeems the code several times at once.
    pub(super) async fn race_code(&mut self) {
        match self.authorize().await {
            Ok(code) => {
                self.race("race for a code", Once::Code(code)).await;
            }
            Err(why) => self.lost_the_way(why),
        }
    }

    /// Uses a refresh token several times at once. If one wins and another is refused, that is a replay, and all of the family is dead.
    pub(super) async fn race_refresh(&mut self) {
        let Some(which) = self.some_family() else { return };
        let token = self.families[which].tokens.refresh.clone();
        let (won, refused) = self.race("race for a refresh token", Once::Refresh(token)).await;
        let Some(answer) = won else { return self.abandon(which) };
        match (refused, self.read(&answer).await) {
            (true, Some(tokens)) => {
                self.ledger.died(&tokens.access, false, "a replay of its refresh token");
                self.bury(which, "a replay of its refresh token");
                self.check_dead(&tokens.access, "a replay of its refresh token").await;
            }
            _ => self.abandon(which),
        }
    }

    /// Spends something several times at once; returns what the winner got, if there is one, and whether somebody was refused.
    async fn race(&self, kind: &'static str, once: Once) -> (Option<Value>, bool) {
        let (mut won, mut refused) = (None, false);
        for outcome in join_all((0..RACERS).map(|_| self.spend(&once))).await {
            match outcome {
                Ok(Some(answer)) => won = Some(answer),
                Ok(None) => refused = true,
                Err(why) => self.ledger.refused(kind, why),
            }
        }
        if won.is_some() {
            self.ledger.done(kind);
        }
        self.ledger.idle([once]);
        (won, refused)
    }

    /// What is got for it; `None` if it is refused.
    async fn spend(&self, once: &Once) -> anyhow::Result<Option<Value>> {
        let (what, secret, (status, answer)) = match once {
            Once::Code(code) => ("a code", code, self.app.exchange(code).await?),
            Once::Refresh(token) => ("a refresh token", token, self.app.refresh(token).await?),
        };
        match status {
            200 => {
                self.ledger.spent(what, secret);
                Ok(Some(answer))
            }
            400 => Ok(None),
            _ => anyhow::bail!("{status} {answer}"),
        }
    }

    /// Tries to spend something that may have been spent long ago.
    pub(super) async fn spend_again(&self, once: &Once) {
        match self.spend(once).await {
            Ok(_) => self.ledger.done("replay of what was spent"),
            Err(why) => self.ledger.refused("replay of what was spent", why),
        }
    }

    /// Uses a dead token.
    pub(super) async fn use_dead(&self, dead: &Dead) {
        if !dead.is_refresh {
            return self.check_dead(&dead.token, dead.why).await;
        }
        let kind = "use of dead refresh tokens";
        match self.app.refresh(&dead.token).await {
            Ok((200, _)) => self
                .ledger
                .violation(format_args!("after {} a refresh token was good", dead.why)),
            Ok((400, _)) => self.ledger.done(kind),
            Ok((status, answer)) => self.ledger.refused(kind, format_args!("{status} {answer}")),
            Err(why) => self.ledger.refused(kind, why),
        }
    }

    /// Replays a refresh token whose family lives: the family is dead then.
    pub(super) async fn replay(&mut self) {
        let Some(which) = self.some_family() else { return };
        let family = &self.families[which];
        let is_old = |once: &&Once| matches!(once, Once::Refresh(_));
        let Some(once) = family.spent.iter().rfind(is_old).cloned() else {
            return;
        };
        match self.spend(&once).await {
            Ok(None) => {
                self.ledger.done("replay of a refresh token");
                self.bury(which, "a replay of an older refresh token");
            }
            Ok(Some(_)) => self.abandon(which),
            Err(why) => {
                self.ledger.refused("replay of a refresh token", why);
                self.abandon(which);
            }
        }
    }

    /// Answers with the mailed code several times at once.
    pub(super) async fn race_one_time_code(&mut self) {
        match self.reach_one_time_code().await {
            Ok(Some((page, code))) => {
                let form = OnceForm {
                    kind: "race for a one-time code",
                    browser: self.browser.clone(),
                    page,
                    answers: vec![("code", code)],
                    has_won: |browser, _| browser.is_signed_in(),
                };
                if let Some(winner) = self.race_form(form, RACERS).await {
                    self.browser = winner;
                }
            }
            Ok(None) => {}
            Err(why) => self.lost_the_way(why),
        }
    }

    /// To the page that asks for the mailed code; `None` if nobody asks, because the address is trusted.
    async fn reach_one_time_code(&mut self) -> anyhow::Result<Option<(Page, String)>> {
        self.restart();
        let request = self.request()?;
        let walk = self
            .person
            .walk(&mut self.browser, request.url.clone(), Some(Question::Code))
            .await?;
        match walk {
            Walk::Done(_) => Ok(None),
            Walk::At(page) => Ok(Some((page, self.person.mailed_code().await?))),
        }
    }

    /// Says "it was me" several times at once, from another browser.
    pub(super) async fn race_approval(&mut self, shown: String) {
        match self.reach_approval(shown).await {
            Ok(form) => {
                if self.race_form(form, APPROVERS).await.is_some() {
                    self.is_trusted_now();
                }
            }
            Err(why) => self.ledger.refused("race for an approval link", why),
        }
    }

    async fn reach_approval(&mut self, shown: String) -> anyhow::Result<OnceForm> {
        let mut browser = Browser::new(self.app.issuer(), PHONE)?;
        Ok(OnceForm {
            kind: "race for an approval link",
            page: self.person.approval(&mut browser).await?,
            browser,
            answers: vec![("answer", "yes".to_owned()), ("code", shown)],
            has_won: |_, landing| matches!(landing, Landing::Page(page) if page.url.path() == "/approve/done"),
        })
    }

    /// Submits a form several times at once; returns the browser that won, if one did.
    async fn race_form(&mut self, form: OnceForm, racers: usize) -> Option<Browser> {
        let outcomes = join_all((0..racers).map(|_| self.submit(&form))).await;
        let winner = outcomes.into_iter().flatten().next();
        if winner.is_some() {
            self.ledger.done(form.kind);
        }
        if self.forms.len() == MOST_FORMS {
            let which = self.rng.gen_range(0..MOST_FORMS);
            self.forms.swap_remove(which);
        }
        self.forms.push(form);
        winner
    }

    /// Submits a form that was submitted long ago.
    pub(super) async fn submit_again(&mut self) {
        if self.forms.is_empty() {
            return;
        }
        let which = self.rng.gen_range(0..self.forms.len());
        self.submit(&self.forms[which]).await;
        self.ledger.done("replay of a form");
    }

    /// Submits all that it still has.
    pub(super) async fn submit_all_again(&self) {
        for form in &self.forms {
            self.submit(form).await;
            self.ledger.done("replay of a form");
        }
    }

    /// Submits a form; returns the browser if that won.
    async fn submit(&self, form: &OnceForm) -> Option<Browser> {
        let mut browser = form.browser.clone();
        match form.submit(&mut browser).await {
            Ok(true) => {
                self.ledger.spent(form.kind, form.page.url.as_str());
                Some(browser)
            }
            Ok(false) => None,
            Err(why) => {
                self.ledger.refused(form.kind, why);
                None
            }
        }
    }
}

impl OnceForm {
    async fn submit(&self, browser: &mut Browser) -> anyhow::Result<bool> {
        let answers: Vec<_> = self.answers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let form = answers.first().and_then(|(name, _)| self.page.form_with(name));
        let landing = browser
            .submit(&self.page, form.context("the form is gone")?, &answers)
            .await?;
        if let Landing::Page(page) = &landing {
            ensure!(page.status < 500, "{} {}", page.status, page.text);
        }
        Ok((self.has_won)(browser, &landing))
    }
}
