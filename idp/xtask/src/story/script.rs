//! What happens, in order.

use crate::app::{App, Standing, Tokens};
use crate::browser::Browser;
use crate::collector::Collector;
use crate::mailbox::Mailbox;
use crate::person::{Person, Question};
use crate::provider::{self, Provider};
use crate::receiver::Receiver;
use anyhow::{Context as _, bail, ensure};
use gait::dev::rhythm::{Rhythm, normals};
use std::fmt;
use std::time::Duration;

/// Addresses of the documentation ranges (RFC 5737), as the proxy reports them.
const DESK: &str = "203.0.113.7";
const PHONE: &str = "198.51.100.23";

/// Seeds of the three draws: training, the owner's work, the attacker's work. None is used twice, so the threshold is judged on
/// samples that it has not seen.
const TRAINING_SEED: u64 = 11;
const OWNER_SEED: u64 = 12;
const ATTACKER_SEED: u64 = 13;

/// Batches sent in mode `train`, and how many of them must have been learned.
const TRAINING_BATCHES: u32 = 320;
const MIN_LEARNED: u64 = 300;

/// Batches of the owner's work, and the bounds on what becomes of them.
const OWNER_BATCHES: u32 = 200;
const MIN_KEPT: u32 = 190;
const MAX_STEPPED_UP: u32 = 10;

/// Batches within which the attacker must be out.
const ATTACKER_BATCHES: u32 = 60;
/// Sign-ins within which the owner must have been asked about the address.
const SIGN_INS: u32 = 6;
/// How long callbacks may take.
const CALLBACKS_WITHIN: Duration = Duration::from_secs(15);

struct Story {
    provider: Provider,
    receiver: Receiver,
    app: App,
    alice: Person,
    desk: Browser,
}

/// When an attack was noticed.
struct Noticed {
    /// After so many batches.
    batches: u32,
    /// So long after the last one's last byte was read by the server.
    after: Duration,
}

impl fmt::Display for Noticed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "after {} batches, to be seen at introspection {:.1?} later",
            self.batches, self.after
        )
    }
}

/// Runs the story and prints it.
///
/// # Errors
/// Something went otherwise than it must.
pub async fn run() -> anyhow::Result<()> {
    let receiver = Receiver::start().await?;
    let provider = Provider::start(&receiver.origin).await?;
    let mailbox = Mailbox::new(provider.mails.clone(), provider::EMAIL);
    let mut story = Story {
        app: App::new(&provider.issuer, &receiver.origin)?,
        alice: Person::new(provider::USERNAME, provider::PASSWORD, mailbox),
        desk: Browser::new(&provider.issuer, DESK)?,
        provider,
        receiver,
    };
    // Only what two factors stand behind begins a template.
    let proven = story.earn_trust().await?;
    let mut collector = Collector::start(&story.app, &proven).await?;
    story.enrol(&mut collector).await?;
    let tokens = story.sign_in_without_code().await?;
    collector.renew(&story.app, &tokens).await?;
    let tokens = story.work(tokens, &mut collector).await?;
    let tokens = story.take_over(tokens, &mut collector).await?;
    story.check_what_is_dead(&tokens).await?;
    story.read_callbacks(&tokens).await
}

impl Story {
    /// Signs in with password and code until the owner is asked about the address, and approves it from another browser.
    async fn earn_trust(&mut self) -> anyhow::Result<Tokens> {
        for round in 1..=SIGN_INS {
            let (tokens, asked, code) = self.sign_in().await?;
            println!("sign-in {round}: {}", describe(&asked, &tokens));
            ensure!(
                asked.contains(&Question::Password) && asked.contains(&Question::Code),
                "a new place must prove two factors"
            );
            if let Some(code) = code {
                let mut phone = Browser::new(&self.provider.issuer, PHONE)?;
                self.alice.approve(&mut phone, &code).await?;
                println!(
                    "address: after {round} sign-ins a mail asked; approved by POST from another browser, with the tab's code"
                );
                return Ok(tokens);
            }
        }
        bail!("after {SIGN_INS} sign-ins nobody was asked about the address");
    }

    async fn sign_in_without_code(&mut self) -> anyhow::Result<Tokens> {
        let (tokens, asked, _) = self.sign_in().await?;
        println!("sign-in from the trusted address: {}", describe(&asked, &tokens));
        ensure!(!asked.contains(&Question::Code), "a trusted address must waive the code");
        ensure!(
            tokens.amr().contains(&"rba"),
            "the waiver must show in amr, which is {:?}",
            tokens.amr()
        );
        ensure!(!tokens.amr().contains(&"mfa"), "a waiver is no factor");
        Ok(tokens)
    }

    async fn sign_in(&mut self) -> anyhow::Result<(Tokens, Vec<Question>, Option<String>)> {
        self.desk.restart();
        self.authorize().await
    }

    async fn authorize(&mut self) -> anyhow::Result<(Tokens, Vec<Question>, Option<String>)> {
        let request = self.app.authorization_request(&[])?;
        let done = self.alice.follow(&mut self.desk, request.url.clone()).await?;
        let tokens = self.app.redeem(&done.response, &request).await?;
        Ok((tokens, done.asked, done.approval_code))
    }

    /// Works in mode `train`, has the scorer learn, and switches the watch on.
    async fn enrol(&mut self, collector: &mut Collector) -> anyhow::Result<()> {
        let rhythm = Rhythm::named("alice")?;
        let mut normal = normals(TRAINING_SEED);
        for _ in 0..TRAINING_BATCHES {
            let state = collector.send(&rhythm.sample(&mut normal)).await?;
            ensure!(
                state == "ok",
                "behaviour must not act in mode train, but the answer was {state}"
            );
        }
        self.provider.app.idp.learn_due().await?;
        let mode = self.mode().await?;
        let learned = mode["samples"].as_u64().context("samples")?;
        println!(
            "enrolment: {TRAINING_BATCHES} batches of rhythm \"alice\" sent in mode train, {learned} key presses and actions learned"
        );
        ensure!(
            mode["mode"] == "train" && mode["enrolled"] == true && learned >= MIN_LEARNED,
            "not enrolled: {mode}"
        );
        let csrf = mode["csrf"].as_str().context("csrf")?;
        let (status, text) = self.desk.post_fields("/mode", &[("mode", "auth"), ("csrf", csrf)]).await?;
        ensure!(status == 204, "mode auth was refused: {status} {text}");
        ensure!(self.mode().await?["mode"] == "auth", "the mode did not change");
        println!("mode: auth");
        Ok(())
    }

    async fn mode(&mut self) -> anyhow::Result<serde_json::Value> {
        let (status, text) = self.desk.fetch("/mode").await?;
        ensure!(status == 200, "GET /mode: {status} {text}");
        Ok(serde_json::from_str(&text)?)
    }

    /// The owner works. A step-up is answered, by a new authorization, and counted.
    async fn work(&mut self, mut tokens: Tokens, collector: &mut Collector) -> anyhow::Result<Tokens> {
        let rhythm = Rhythm::named("alice")?;
        let mut normal = normals(OWNER_SEED);
        let (mut kept, mut stepped_up, mut revoked) = (0, 0, 0);
        for _ in 0..OWNER_BATCHES {
            collector.send(&rhythm.sample(&mut normal)).await?;
            match self.app.introspect(&tokens.access).await? {
                Standing::Active => kept += 1,
                Standing::StepUp => {
                    stepped_up += 1;
                    tokens = self.answer_step_up().await?;
                    collector.renew(&self.app, &tokens).await?;
                }
                Standing::Inactive => {
                    revoked += 1;
                    break;
                }
            }
        }
        println!("owner: of {OWNER_BATCHES} batches of rhythm \"alice\" {kept} kept, {stepped_up} stepped up, {revoked} revoked");
        ensure!(kept >= MIN_KEPT, "at least {MIN_KEPT} must be kept");
        ensure!(stepped_up <= MAX_STEPPED_UP, "at most {MAX_STEPPED_UP} may be stepped up");
        ensure!(revoked == 0, "the owner must not be thrown out");
        Ok(tokens)
    }

    async fn answer_step_up(&mut self) -> anyhow::Result<Tokens> {
        let (tokens, asked, _) = self.authorize().await?;
        let proven = asked.contains(&Question::Password) || asked.contains(&Question::Code);
        ensure!(proven, "a step-up must take a factor, but {asked:?} was asked");
        ensure!(
            self.app.introspect(&tokens.access).await? == Standing::Active,
            "a step-up that was passed must be over"
        );
        println!("owner: passes a step-up, {}", describe(&asked, &tokens));
        Ok(tokens)
    }

    /// Somebody else sits down at the same desk: same address, same browser, same cookie, same tokens. The first time the owner
    /// comes back and passes the step-up, the second time nobody does.
    async fn take_over(&mut self, tokens: Tokens, collector: &mut Collector) -> anyhow::Result<Tokens> {
        let mut normal = normals(ATTACKER_SEED);
        let stepped_up = self.attack(&tokens, collector, &mut normal, Standing::StepUp).await?;
        println!("attacker: stepped up {stepped_up}");
        self.check_what_is_held_back(&tokens).await?;
        let newer = self.answer_step_up().await?;
        ensure!(
            newer.claims["sid"] == tokens.claims["sid"],
            "a step-up must not begin another session"
        );
        let resumed = self.app.introspect(&tokens.access).await?;
        ensure!(
            resumed == Standing::Active,
            "the tokens from before the step-up must be good again"
        );
        collector.renew(&self.app, &newer).await?;
        let again = self.attack(&newer, collector, &mut normal, Standing::StepUp).await?;
        println!("attacker, again: stepped up {again}");
        let revoked = self.attack(&newer, collector, &mut normal, Standing::Inactive).await?;
        println!("attacker: not answered, and revoked {revoked}");
        println!(
            "time from the server reading the deciding batch's last byte until the answer \"active\": false was read from \
             introspection, which was asked as soon as the batch was answered: {:.1?}",
            revoked.after
        );
        Ok(newer)
    }

    /// Sends the attacker's batches until introspection says `wanted`.
    async fn attack(
        &self,
        tokens: &Tokens,
        collector: &mut Collector,
        normal: &mut impl FnMut() -> f64,
        wanted: Standing,
    ) -> anyhow::Result<Noticed> {
        let rhythm = Rhythm::named("attacker")?;
        let before = self.app.introspect(&tokens.access).await?;
        for batches in 1..=ATTACKER_BATCHES {
            collector.send(&rhythm.sample(normal)).await?;
            let standing = self.app.introspect(&tokens.access).await?;
            let after = self.provider.last_byte.elapsed().context("no batch was read")?;
            if standing == wanted {
                return Ok(Noticed { batches, after });
            }
            ensure!(standing == before, "from {before:?} to {standing:?}, and not to {wanted:?}");
        }
        bail!("after {ATTACKER_BATCHES} batches of the attacker's still {before:?}");
    }

    async fn check_what_is_held_back(&self, tokens: &Tokens) -> anyhow::Result<()> {
        let (status, answer) = self.app.refresh(&tokens.refresh).await?;
        ensure!(
            status == 400 && answer["error"] == "invalid_grant",
            "refresh while a step-up is pending: {status} {answer}"
        );
        let (status, challenge) = self.app.userinfo(tokens).await?;
        let asks = challenge.contains("insufficient_user_authentication");
        ensure!(
            status == 401 && asks,
            "userinfo while a step-up is pending: {status} {challenge}"
        );
        println!("attacker: refresh is refused, userinfo asks for a step-up");
        Ok(())
    }

    async fn check_what_is_dead(&mut self, tokens: &Tokens) -> anyhow::Result<()> {
        let (status, answer) = self.app.refresh(&tokens.refresh).await?;
        ensure!(
            status == 400 && answer["error"] == "invalid_grant",
            "refresh after the revocation: {status} {answer}"
        );
        let (status, challenge) = self.app.userinfo(tokens).await?;
        ensure!(
            status == 401 && challenge.contains("invalid_token"),
            "userinfo after the revocation: {status} {challenge}"
        );
        let request = self.app.authorization_request(&[("prompt", "none")])?;
        let done = self.alice.follow(&mut self.desk, request.url.clone()).await?;
        let error = crate::app::param(&done.response, "error");
        ensure!(
            error.as_deref() == Some("login_required"),
            "the old cookie still signs in: {error:?}"
        );
        println!("attacker: refresh token and access token are dead, the old cookie signs nobody in");
        Ok(())
    }

    async fn read_callbacks(&mut self, tokens: &Tokens) -> anyhow::Result<()> {
        let keys = self.app.keys().await?;
        let sid = tokens.claims["sid"].as_str().context("sid")?;
        let wanted = [
            "risk-level-change LOW",
            "risk-level-change MEDIUM -> LOW",
            "session-revoked",
            "backchannel-logout",
        ];
        let told = self
            .receiver
            .verified(&self.app, &keys, sid, &wanted, CALLBACKS_WITHIN)
            .await?;
        for callback in &told {
            println!("callback, signature and claims verified: {callback}");
        }
        println!("the story went as it must");
        Ok(())
    }
}

fn describe(asked: &[Question], tokens: &Tokens) -> String {
    let asked: Vec<_> = asked.iter().map(Question::as_str).collect();
    format!(
        "asked for {}; acr {}, amr {:?}",
        asked.join(", "),
        tokens.claims["acr"],
        tokens.amr()
    )
}
