//! Trust in an address and a browser, earned by signing in and given by the account's owner.
//!
//! Each sign-in that was satisfied is counted for its *place*: the address prefix (/32 of IPv4, /64 of IPv6) together with
//! the browser's device cookie. At [`Config::ask_after`] sign-ins the owner is asked by mail whether that was them; only
//! their yes makes the place trusted, and exactly that place, wherever the answer comes from. A trusted place waives what
//! policy lets it waive at a sign-in, until it isn't used for [`Config::expires_days`] days.
//!
//! This is a waiver, not a factor: it proves nothing and has no `amr`. Whatever isn't known for certain counts as untrusted:
//! an address that could not be established, a browser without the cookie, an entry that can't be read, two entries for one
//! place, an address that many people share.

mod address;
mod book;
mod config;
mod entry;
mod page;

pub use config::Config;

use async_trait::async_trait;
use book::Book;
use entry::{Entry, Place, Standing};
use gait_sdk::{
    Answer, Approval, Authenticator, Context, Cost, Effect, Host, Manifest, Memo, Outcome, PluginError, PluginId, Purpose,
    Reason, Reply, Step, SubjectView, Text,
};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// Name of this plugin in plans, credentials and the configuration.
pub const ID: &str = "ip-trust";

/// The answer of the approval.
const ANSWER: &str = "answer";
const YES: &str = "yes";
const NO: &str = "no";
/// Template of the mail with the link.
const MAIL: &str = "ip-approval";
/// Seconds that the question can be answered.
const APPROVAL_TTL_S: u32 = 600;

/// The score of a trusted place.
const TRUSTED_SCORE: f64 = 1.0;
/// The score of an address that the owner approved for another browser.
const CONFIRMED_SCORE: f64 = 0.6;
/// The score per sign-in of an address that nobody was asked about yet, and where it ends.
const SEEN_SCORE: f64 = 0.1;
const MAX_SEEN_SCORE: f64 = 0.5;

/// The `ip-trust` authenticator.
pub struct IpTrust {
    manifest: Manifest,
    config: Config,
}

/// What an approval is about: the place of the sign-in, never that of whoever answers.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    prefix: IpNet,
    device: String,
    user_agent: String,
}

impl IpTrust {
    /// Trust by these rules.
    ///
    /// # Errors
    /// [`PluginError::Config`] if a value is out of its range.
    pub fn new(config: Config) -> Result<Self, PluginError> {
        config.check()?;
        Ok(Self {
            manifest: Manifest {
                id: id(),
                label: Text::new("ip-trust-name", "A trusted address"),
                amr: Vec::new(),
                silent: true,
                waiver: true,
                cost: Cost::Light,
                enrols: false,
            },
            config,
        })
    }

    /// Where the visitor is, if trust in that place is possible at all.
    fn place(&self, cx: &Context) -> Option<Place> {
        let place = Place {
            prefix: cx.visitor.prefix()?,
            device: cx.visitor.device.clone().filter(|device| !device.is_empty())?,
        };
        address::may_be_trusted(place.prefix.addr(), self.config.allow_private).then_some(place)
    }

    fn is_trusted(&self, cx: &Context) -> bool {
        let Some(place) = self.place(cx) else { return false };
        let book = Book::read(cx, &self.config);
        book.at(&place).any(|kept| kept.entry.state == Standing::Trusted)
    }

    fn score(&self, cx: &Context) -> f64 {
        let prefix = cx
            .visitor
            .prefix()
            .filter(|prefix| address::may_be_trusted(prefix.addr(), self.config.allow_private));
        let (Some(_), Some(prefix)) = (cx.known(), prefix) else {
            return 0.0;
        };
        if self.is_trusted(cx) {
            return TRUSTED_SCORE;
        }
        let book = Book::read(cx, &self.config);
        let scores = book.of_address(prefix).map(|kept| match kept.entry.state {
            Standing::Trusted => CONFIRMED_SCORE,
            Standing::Seen => (SEEN_SCORE * f64::from(kept.entry.count)).clamp(SEEN_SCORE, MAX_SEEN_SCORE),
        });
        scores.fold(0.0, f64::max)
    }

    /// Counts a sign-in, and asks the owner once there are enough of them.
    fn remember(&self, cx: &Context, subject: &SubjectView, place: &Place) -> Result<Vec<Effect>, PluginError> {
        let book = Book::read(cx, &self.config);
        let mut entry = match book.at(place).next() {
            Some(kept) => kept.entry.seen_again(cx),
            None => Entry::first(place, &cx.visitor.user_agent, cx.now),
        };
        let asks = subject.email.is_some() && entry.is_to_be_asked_about(cx.now, self.config.ask_after);
        if asks {
            entry.asked_at = Some(cx.now);
        }
        let mut effects = book.put(&entry, self.config.max_entries)?;
        if asks {
            effects.push(Effect::Approval(approval(entry)?));
        }
        Ok(effects)
    }

    /// "It was me": trusts the place that was asked about.
    fn trust(&self, cx: &Context, asked: Asked) -> Result<Reply, PluginError> {
        if !address::may_be_trusted(asked.prefix.addr(), self.config.allow_private) {
            return Ok(ended(
                "ip-approval-impossible",
                "This address is shared by many people, so it can't be trusted.",
            ));
        }
        let book = Book::read(cx, &self.config);
        let place = Place {
            prefix: asked.prefix,
            device: asked.device,
        };
        let mut entry = match book.at(&place).next() {
            Some(kept) => kept.entry.clone(),
            None => Entry::first(&place, &asked.user_agent, cx.now),
        };
        entry.state = Standing::Trusted;
        Ok(Reply {
            effects: book.put(&entry, self.config.max_entries)?,
            ..Reply::pass(&[])
        })
    }

    /// "Not me": forgets the address, in every browser. What else is to be done is the core's.
    fn forget(&self, cx: &Context, asked: &Asked) -> Reply {
        Reply {
            effects: Book::read(cx, &self.config).without(asked.prefix),
            ..ended("ip-approval-denied", "Thank you for telling us. This address is not trusted.")
        }
    }
}

#[async_trait]
impl Authenticator for IpTrust {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    async fn challenge(&self, cx: &Context, _host: &dyn Host) -> Result<Reply, PluginError> {
        // A demanded level needs a factor; the engine knows that too.
        let waivable = cx.purpose == Purpose::SignIn && cx.wanted_acr.is_none() && cx.known().is_some();
        if waivable && self.is_trusted(cx) {
            return Ok(Reply::pass(&[]));
        }
        Ok(Step::Abstain.into())
    }

    async fn verify(&self, cx: &Context, memo: &Memo, answer: &Answer, _host: &dyn Host) -> Result<Reply, PluginError> {
        if cx.purpose != Purpose::Approval || cx.known().is_none() {
            return Ok(ended("ip-approval-gone", "There is nothing to answer here."));
        }
        let asked = Asked::deserialize(&memo.0).map_err(|_| PluginError::Corrupt {
            plugin: id(),
            detail: "the memo of an approval".to_owned(),
        })?;
        match answer.get(ANSWER) {
            Some(YES) => self.trust(cx, asked),
            Some(NO) => Ok(self.forget(cx, &asked)),
            _ => Ok(Reply::fail(Text::new("ip-approval-choose", "Please say whether it was you."))),
        }
    }

    async fn settled(&self, cx: &Context, outcome: &Outcome) -> Result<Vec<Effect>, PluginError> {
        let earned = outcome.satisfied && cx.purpose == Purpose::SignIn;
        match (cx.known(), self.place(cx)) {
            (Some(subject), Some(place)) if earned => self.remember(cx, subject, &place),
            _ => Ok(Vec::new()),
        }
    }

    fn ip_score(&self, cx: &Context) -> Option<f64> {
        Some(self.score(cx))
    }
}

fn approval(entry: Entry) -> Result<Approval, PluginError> {
    let asked = Asked {
        prefix: entry.prefix,
        device: entry.device,
        user_agent: entry.user_agent,
    };
    Ok(Approval {
        form: page::question(),
        ttl_s: APPROVAL_TTL_S,
        memo: Memo(to_json(&asked)?),
        mail: MAIL.to_owned(),
    })
}

/// A failure after which the question is over.
fn ended(key: &str, words: &str) -> Reply {
    Step::Fail {
        reason: Reason {
            text: Text::new(key, words),
            spent: true,
        },
        memo: None,
    }
    .into()
}

fn to_json(value: &impl Serialize) -> Result<serde_json::Value, PluginError> {
    serde_json::to_value(value).map_err(|error| PluginError::Failed {
        plugin: id(),
        detail: error.to_string(),
    })
}

fn id() -> PluginId {
    PluginId::from(ID)
}
