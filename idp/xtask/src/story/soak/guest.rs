//! Somebody who signs in again and again, and the app that they use: whatever is acknowledged must hold, on every node.

use super::deployment::{Deployment, PASSWORD, username};
use super::ledger::{Ledger, Once, SIGN_IN};
use super::race::OnceForm;
use crate::app::{App, AuthorizationRequest, Standing, Tokens, param};
use crate::browser::{Browser, Landing};
use crate::collector::Collector;
use crate::mailbox::Mailbox;
use crate::person::{Done, Person, Question};
use anyhow::{Context as _, bail, ensure};
use gait::dev::rhythm::{Rhythm, normals};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::Value;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use url::Url;

/// Families of tokens that somebody holds at once.
const MOST_FAMILIES: usize = 6;
/// Milliseconds between two things that somebody does.
const PAUSE_MS: std::ops::Range<u64> = 20..250;
/// Looks at the published keys until they are there, and the pause between two of them: half a minute in all.
const LOOKS: u32 = 60;
const BREATH: Duration = Duration::from_millis(500);
/// How often somebody tries to sign in once all is well. A try waits ten seconds for its mail.
const TRIES: u32 = 4;
/// Sign-ins from a trusted address before somebody moves to another.
const STAYS: u32 = 2;

/// Tokens of one grant.
pub struct Family {
    /// The newest.
    pub tokens: Tokens,
    /// Older access tokens.
    pub older: Vec<String>,
    /// What it was got by.
    pub spent: Vec<Once>,
    /// Something was tried whose outcome isn't known, so it may be dead.
    pub is_doubtful: bool,
    /// It outlives a sign-out.
    pub is_offline: bool,
    /// Its session was signed out.
    is_signed_out: bool,
    collector: Option<Collector>,
}

impl Family {
    fn sid(&self) -> &str {
        self.tokens.claims["sid"].as_str().unwrap_or_default()
    }
}

/// A person, a browser and an app.
pub struct Guest {
    pub(super) person: Person,
    pub(super) browser: Browser,
    pub(super) app: App,
    /// The app at each node.
    pub(super) nodes: Vec<App>,
    pub(super) families: Vec<Family>,
    pub(super) ledger: Ledger,
    pub(super) rng: StdRng,
    pub(super) forms: Vec<OnceForm>,
    /// The session that the browser is in, if there is no doubt about it.
    session: Option<String>,
    number: usize,
    /// How often they moved.
    moves: u8,
    /// The address is trusted, and was used so often since.
    trusted: Option<u32>,
    has_consented: bool,
    rhythm: Rhythm,
}

impl Guest {
    /// The `number`th of them.
    ///
    /// # Errors
    /// There is no HTTP client.
    pub fn new(deployment: &Deployment, ledger: &Ledger, number: usize, seed: u64) -> anyhow::Result<Self> {
        let name = username(number);
        let mailbox = Mailbox::at_sink(deployment.mails.clone(), &format!("{name}@example.test"));
        let app = deployment.app()?;
        Ok(Self {
            person: Person::new(&name, PASSWORD, mailbox),
            browser: Browser::new(&deployment.issuer, &address(number, 0))?,
            nodes: deployment.nodes.iter().map(|node| app.at(&node.url)).collect(),
            app,
            families: Vec::new(),
            ledger: ledger.clone(),
            rng: StdRng::seed_from_u64(seed.wrapping_add(number as u64 + 1)),
            forms: Vec::new(),
            session: None,
            number,
            moves: 0,
            trusted: None,
            has_consented: false,
            rhythm: Rhythm::named("alice")?,
        })
    }

    /// Does one thing after the other until it is over.
    pub async fn live(&mut self, over: &AtomicBool) {
        while !over.load(Ordering::Relaxed) {
            self.act().await;
            self.probe().await;
            let pause = self.rng.gen_range(PAUSE_MS);
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
    }

    async fn act(&mut self) {
        let number = self.rng.gen_range(0..100);
        match number {
            _ if self.families.is_empty() => self.sign_in().await,
            0..20 if self.families.len() < MOST_FAMILIES => self.sign_in().await,
            0..40 => self.refresh_some().await,
            40..55 => self.introspect_some().await,
            55..70 => self.sample().await,
            70..80 => self.revoke().await,
            80..84 => self.sign_out().await,
            84..88 => self.race_code().await,
            88..92 => self.race_refresh().await,
            92..96 => self.race_one_time_code().await,
            96..98 => self.submit_again().await,
            _ => self.replay().await,
        }
    }

    /// Signs in, and gets tokens.
    pub async fn sign_in(&mut self) {
        if self.trusted.is_some_and(|uses| uses >= STAYS) {
            self.move_on();
        } else if self.rng.gen_bool(0.7) {
            self.restart();
        }
        match self.authorize().await {
            Ok(code) => {
                self.ledger.done(SIGN_IN);
                self.redeem(code).await;
            }
            Err(why) => self.lost_the_way(why),
        }
    }

    /// A sign-in that broke off is begun anew.
    pub(super) fn lost_the_way(&mut self, why: anyhow::Error) {
        self.ledger.refused(SIGN_IN, why);
        self.restart();
    }

    pub(super) fn restart(&mut self) {
        self.browser.restart();
        self.session = None;
    }

    /// Gets a code.
    pub(super) async fn authorize(&mut self) -> anyhow::Result<String> {
        let request = self.request()?;
        let done = self.person.follow(&mut self.browser, request.url.clone()).await?;
        let code = self.app.code(&done.response, &request)?;
        self.check_questions(&done);
        if let Some(shown) = done.approval_code {
            self.race_approval(shown).await;
        }
        Ok(code)
    }

    /// Half of the people use an app that works for them while they are away, which takes a consent each time (OIDC Core §11).
    fn works_offline(&self) -> bool {
        self.number.is_multiple_of(2)
    }

    pub(super) fn request(&mut self) -> anyhow::Result<AuthorizationRequest> {
        match self.works_offline() {
            true => self.app.authorization_request(&[("prompt", "consent")]),
            false => self.app.authorization_request(&[]),
        }
    }

    /// What was given once isn't asked for again.
    fn check_questions(&mut self, done: &Done) {
        let asks = |question| done.asked.contains(&question);
        let asks_again = asks(Question::Watch) || (asks(Question::Consent) && !self.works_offline());
        if self.has_consented && asks_again {
            self.ledger
                .violation(format_args!("a consent that was given was asked for again: {:?}", done.asked));
        }
        self.has_consented = true;
        let Some(uses) = self.trusted else { return };
        if asks(Question::Code) {
            self.ledger.violation(format_args!(
                "an address whose owner has approved it isn't trusted: {:?}",
                done.asked
            ));
        }
        self.trusted = Some(uses + u32::from(asks(Question::Password)));
    }

    /// The owner has said that the address is theirs.
    pub(super) fn is_trusted_now(&mut self) {
        self.trusted = Some(0);
    }

    /// To another address, with another browser.
    fn move_on(&mut self) {
        self.moves = self.moves.wrapping_add(1);
        self.trusted = None;
        self.session = None;
        match Browser::new(self.app.issuer(), &address(self.number, self.moves)) {
            Ok(browser) => self.browser = browser,
            Err(error) => self.ledger.violation(error),
        }
    }

    async fn redeem(&mut self, code: String) {
        match self.app.exchange(&code).await {
            Ok((200, answer)) => self.take(&answer, code).await,
            Ok((status, answer)) => self.lost(code, format_args!("{status} {answer}")),
            Err(why) => self.lost(code, format_args!("{why:#}")),
        }
    }

    fn lost(&self, code: String, why: std::fmt::Arguments<'_>) {
        self.ledger.refused("code exchange", why);
        self.ledger.idle([Once::Code(code)]);
    }

    async fn take(&mut self, answer: &Value, code: String) {
        self.ledger.done("code exchange");
        self.ledger.spent("a code", &code);
        if let Some(tokens) = self.read(answer).await {
            let family = Family {
                tokens,
                older: Vec::new(),
                spent: vec![Once::Code(code)],
                is_doubtful: false,
                is_offline: answer["scope"].as_str().is_some_and(|scope| scope.contains("offline_access")),
                is_signed_out: false,
                collector: None,
            };
            self.session = Some(family.sid().to_owned());
            self.families.push(family);
        }
    }

    /// Verifies what the token endpoint has answered.
    pub(super) async fn read(&self, answer: &Value) -> Option<Tokens> {
        for _ in 0..LOOKS {
            let Ok(keys) = self.app.keys().await else {
                tokio::time::sleep(BREATH).await;
                continue;
            };
            let read = self.app.read(answer, &keys);
            return read.map_err(|why| self.ledger.violation(why.context("tokens"))).ok();
        }
        self.ledger.violation("the keys can't be read for half a minute");
        None
    }

    /// Which family is used now.
    pub(super) fn some_family(&mut self) -> Option<usize> {
        (!self.families.is_empty()).then(|| self.rng.gen_range(0..self.families.len()))
    }

    async fn refresh_some(&mut self) {
        if let Some(which) = self.some_family() {
            self.refresh(which).await;
        }
    }

    /// Rotates a refresh token. Nobody has spent it, so a family about which there is no doubt gets the next one.
    async fn refresh(&mut self, which: usize) {
        let token = self.families[which].tokens.refresh.clone();
        match self.app.refresh(&token).await {
            Ok((200, answer)) => {
                self.ledger.done("refresh");
                self.ledger.spent("a refresh token", &token);
                let Some(tokens) = self.read(&answer).await else {
                    return self.abandon(which);
                };
                let family = &mut self.families[which];
                let before = std::mem::replace(&mut family.tokens, tokens);
                family.older.push(before.access);
                family.spent.push(Once::Refresh(token));
                family.is_doubtful = false;
            }
            Ok((400, answer)) => {
                if !self.families[which].is_doubtful {
                    let sid = self.families[which].sid();
                    self.ledger.violation(format_args!(
                        "a refresh token of session {sid}, which is good, was refused: {answer}"
                    ));
                }
                // Spent by an answer that nobody heard: to the provider that is a replay, which ends the family.
                self.bury(which, "a refusal of its refresh token");
            }
            Ok((status, answer)) => self.doubt(which, "refresh", format_args!("{status} {answer}")),
            Err(why) => self.doubt(which, "refresh", format_args!("{why:#}")),
        }
    }

    /// Something about a family was refused, or not answered.
    pub(super) fn doubt(&mut self, which: usize, kind: &'static str, why: std::fmt::Arguments<'_>) {
        self.ledger.refused(kind, why);
        self.families[which].is_doubtful = true;
    }

    /// A family is dead, and that was acknowledged.
    pub(super) fn bury(&mut self, which: usize, why: &'static str) {
        let family = self.families.swap_remove(which);
        for access in family.older.iter().chain([&family.tokens.access]) {
            self.ledger.died(access, false, why);
        }
        self.ledger.died(&family.tokens.refresh, true, why);
        self.ledger.idle(family.spent);
    }

    /// A family isn't used any more; nobody knows whether it lives.
    pub(super) fn abandon(&mut self, which: usize) {
        let family = self.families.swap_remove(which);
        self.ledger.idle(family.spent);
    }

    async fn introspect_some(&mut self) {
        let node = self.rng.gen_range(0..self.nodes.len());
        if let Some(which) = self.some_family() {
            self.introspect(which, node).await;
        }
    }

    /// A living token is active, on any node.
    async fn introspect(&mut self, which: usize, node: usize) {
        let family = &self.families[which];
        match self.nodes[node].introspect(&family.tokens.access).await {
            Err(why) => self.ledger.refused("introspection", why),
            Ok(standing) => {
                self.ledger.done("introspection");
                if standing != Standing::Active && !family.is_doubtful {
                    let sid = family.sid();
                    self.ledger
                        .violation(format_args!("a token of session {sid}, which is good, is {standing:?}"));
                }
            }
        }
    }

    /// Types, as the page's collector sees it.
    async fn sample(&mut self) {
        let Some(which) = self.some_family().filter(|&which| !self.families[which].is_signed_out) else {
            return;
        };
        let sent = self.send_sample(which).await;
        let family = &mut self.families[which];
        match sent {
            Err(why) => {
                self.ledger.refused("sample batch", why);
                family.collector = None;
            }
            Ok(state) => {
                self.ledger.done("sample batch");
                if state != "ok" && !family.is_doubtful {
                    self.ledger
                        .violation(format_args!("in mode train, a batch was answered {state}"));
                }
            }
        }
    }

    async fn send_sample(&mut self, which: usize) -> anyhow::Result<String> {
        let sample = self.rhythm.sample(&mut normals(self.rng.r#gen()));
        let family = &mut self.families[which];
        if family.collector.is_none() {
            family.collector = Some(Collector::start(&self.app, &family.tokens).await?);
        }
        family.collector.as_mut().context("no collector")?.send(&sample).await
    }

    /// Takes one token back, or a whole family; it is dead on every node at once.
    async fn revoke(&mut self) {
        let Some(which) = self.some_family() else { return };
        let family = &mut self.families[which];
        let one = family.older.pop();
        let token = one.clone().unwrap_or_else(|| family.tokens.refresh.clone());
        let access = one.clone().unwrap_or_else(|| family.tokens.access.clone());
        if let Err(why) = self.app.revoke(&token).await {
            self.ledger.refused("revocation", why);
            family.is_doubtful |= one.is_none();
            return;
        }
        self.ledger.done("revocation");
        match one {
            Some(access) => self.ledger.died(&access, false, "its revocation"),
            None => self.bury(which, "the revocation of its family"),
        }
        self.check_dead(&access, "its revocation").await;
    }

    /// No node says of a dead token that it is good.
    pub(super) async fn check_dead(&self, access: &str, why: &str) {
        for (number, node) in self.nodes.iter().enumerate() {
            match node.introspect(access).await {
                Err(why) => self.ledger.refused("introspection of dead tokens", why),
                Ok(standing) => {
                    self.ledger.done("introspection of dead tokens");
                    if standing != Standing::Inactive {
                        self.ledger
                            .violation(format_args!("node {}: after {why} a token is {standing:?}", number + 1));
                    }
                }
            }
        }
    }

    /// Signs out. The session's cookie, were it kept, signs nobody in, and tokens that don't outlive the session are dead.
    async fn sign_out(&mut self) {
        let Some(sid) = self.session.take() else { return };
        let mut living = self.families.iter().filter(|family| !family.is_doubtful);
        let Some(hint) = living
            .find(|family| family.sid() == sid)
            .map(|family| family.tokens.id.clone())
        else {
            return;
        };
        let mut thief = self.browser.clone();
        match self.leave(&hint).await {
            Ok(()) => {}
            Err(why) => {
                self.ledger.refused("sign-out", why);
                let same = |family: &&mut Family| family.sid() == sid && !family.is_offline;
                self.families
                    .iter_mut()
                    .filter(same)
                    .for_each(|family| family.is_doubtful = true);
                return;
            }
        }
        self.ledger.done("sign-out");
        self.ledger.signed_out(&sid);
        let same = |family: &&mut Family| family.sid() == sid;
        self.families
            .iter_mut()
            .filter(same)
            .for_each(|family| family.is_signed_out = true);
        while let Some(dead) = self
            .families
            .iter()
            .position(|family| family.sid() == sid && !family.is_offline)
        {
            self.bury(dead, "the sign-out of its session");
        }
        match self.is_let_in(&mut thief).await {
            Ok(false) => {}
            Ok(true) => self.ledger.violation("the cookie of a session that was signed out signs in"),
            Err(why) => self.ledger.refused("use of a dead cookie", why),
        }
    }

    async fn leave(&mut self, hint: &str) -> anyhow::Result<()> {
        let mut url = Url::parse(&self.browser.url("/end_session")?)?;
        url.query_pairs_mut().append_pair("id_token_hint", hint);
        match self.browser.open(url).await? {
            Landing::Page(page) => ensure!(page.status == 200, "{} {}", page.status, page.text),
            Landing::Away(url) => bail!("sent away to {url}"),
        }
        ensure!(!self.browser.is_signed_in(), "the browser keeps its cookie");
        Ok(())
    }

    async fn is_let_in(&mut self, browser: &mut Browser) -> anyhow::Result<bool> {
        let request = self.app.authorization_request(&[("prompt", "none")])?;
        let done = self.person.follow(browser, request.url.clone()).await?;
        Ok(param(&done.response, "code").is_some())
    }

    /// Once all is well again: what was given is there on every node, and people can sign in.
    pub async fn settle(&mut self) {
        for which in (0..self.families.len()).rev() {
            for node in 0..self.nodes.len() {
                self.introspect(which, node).await;
            }
            self.refresh(which).await;
        }
        self.move_on();
        let before = self.families.len();
        for _ in 0..TRIES {
            self.sign_in().await;
            if self.families.len() > before {
                return;
            }
            tokio::time::sleep(BREATH).await;
        }
        self.ledger
            .violation(format_args!("{} can't sign in although all is well", username(self.number)));
    }

    /// Looks whether something that is dead is, and whether something that was spent is, whoever's it was.
    async fn probe(&mut self) {
        if let Some(dead) = self.ledger.some_dead(&mut self.rng) {
            self.use_dead(&dead).await;
        }
        if self.rng.gen_bool(0.2)
            && let Some(once) = self.ledger.some_idle(&mut self.rng)
        {
            self.spend_again(&once).await;
        }
    }
}

/// Addresses for benches of network devices (RFC 2544): nobody's, and each move is to another network.
fn address(number: usize, moves: u8) -> String {
    format!("198.{}.{moves}.{}", 18 + number / 200, number % 200 + 1)
}
