//! The default model: evidence of three channels, added up over a session.
//!
//! A batch is read once ([`reading`]); each channel answers with log-likelihood ratios, or nothing; the [`session`] adds them up
//! until a step-up is due. What was recorded before or made by a machine is recognised ([`replay`]). What may be learned is decided
//! in [`record`], and what is held of an account is [`memory`].

mod background;
mod memory;
mod reading;
mod record;
mod replay;
mod session;
mod settings;

pub use settings::Settings;

use crate::failure::failed;
use crate::{fixed, free, pointer, reason};
use background::People;
use gait_sdk::{
    Alarm, Assessment, Background, Batch, Channel, Context, Evidence, Labelled, Learned, ModelBlob, PluginError, Prepared,
    ReasonCode, Scored, State,
};
use memory::Memory;
use reading::Reading;
use record::{Inside, Sample};
use serde_json::json;
use session::Session;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Evidence of a forged text, in nats: odds of a thousand to one.
const FORGED: f64 = -7.0;

/// What `prepare` gives to the host: an account's templates, ready to judge, with the people they are judged against.
struct Watch {
    memory: Memory,
    desk: Option<free::Table>,
    touch: Option<free::Table>,
    people: Arc<People>,
}

/// The scorer with the default model.
pub(crate) struct Scorer {
    settings: Settings,
    /// Made when it is first needed.
    neutral: OnceLock<Arc<People>>,
    /// The background that was given last, read once for all accounts.
    people: Mutex<Option<([u8; 32], Arc<People>)>>,
}

/// What the channels say of a batch of a session.
#[derive(Default)]
struct Verdict {
    typing: Option<f64>,
    pointing: Option<f64>,
    forgery: Option<&'static str>,
}

impl Scorer {
    /// Makes the scorer, of settings that are valid.
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            settings,
            neutral: OnceLock::new(),
            people: Mutex::new(None),
        }
    }

    /// The people to judge against.
    fn people(&self, background: Option<&Background>) -> Result<Arc<People>, PluginError> {
        let Some(background) = background else {
            return Ok(self.neutral.get_or_init(|| Arc::new(People::neutral())).clone());
        };
        let mut known = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        match &*known {
            Some((checksum, people)) if *checksum == background.checksum => Ok(people.clone()),
            _ => {
                let people = Arc::new(People::open(background)?);
                *known = Some((background.checksum, people.clone()));
                Ok(people)
            }
        }
    }

    /// Makes a model ready.
    pub(crate) fn prepare(&self, model: &ModelBlob, background: Option<&Background>) -> Result<Prepared, PluginError> {
        let memory = Memory::open(model)?;
        let people = self.people(background)?;
        let table = |touch| free::Table::new(&memory.class(touch).typing, &people.class(touch).typing);
        let (desk, touch) = (table(false), table(true));
        Ok(Arc::new(Watch {
            memory,
            desk,
            touch,
            people,
        }))
    }

    /// Judges one batch.
    pub(crate) fn score(
        &self,
        cx: &Context,
        model: Option<&Prepared>,
        state: State,
        batch: &Batch,
    ) -> Result<Scored, PluginError> {
        let watch = model.map(watch).transpose()?;
        let reading = Reading::of(batch, &self.settings);
        match batch.channel {
            Channel::SignIn | Channel::Password => self.score_text(cx, watch, state, batch, reading),
            Channel::Session => self.score_session(cx, watch, &state, batch, reading),
        }
    }

    /// Judges the text of a sign-in page. What the address says is weighed by the host, which asks before there is a session.
    fn score_text(
        &self,
        cx: &Context,
        watch: Option<&Watch>,
        state: State,
        batch: &Batch,
        reading: Reading,
    ) -> Result<Scored, PluginError> {
        let Some(sample) = &reading.text else {
            return Ok(silent(state, self.shortage(batch)));
        };
        let class = watch.map(|watch| watch.memory.class(reading.touch));
        let forgery = reading.forgery(batch, &[]);
        let judged = class.and_then(|class| class.text(sample.keys())?.judge(sample));
        let forgery = forgery.or(judged.and_then(|judged| judged.attack).map(forged));
        let inside = Inside {
            text: forgery.is_none() && judged.is_some_and(|judged| judged.inside),
            ..Inside::default()
        };
        let assessment = match (forgery, judged) {
            (Some(code), _) => told(FORGED, Some(Alarm::Soft), vec![code]),
            (None, Some(judged)) => told(judged.llr, None, vec![text_reason(judged.llr)]),
            (None, None) => return self.unjudged(cx, state, reading),
        };
        let record = Some(Sample::record(reading, inside, cx.now)?).filter(|_| forgery.is_none());
        Ok(Scored {
            state,
            assessment,
            record,
        })
    }

    /// Judges a batch of a session.
    fn score_session(
        &self,
        cx: &Context,
        watch: Option<&Watch>,
        state: &State,
        batch: &Batch,
        reading: Reading,
    ) -> Result<Scored, PluginError> {
        if reading.is_empty() {
            return Ok(silent(state.clone(), self.shortage(batch)));
        }
        let mut session = Session::read(state, &self.settings)?;
        let address = session.begin(cx.ip_evidence.map(|evidence| evidence.score), &self.settings);
        let before = session.sum();
        let verdict = self.judge(&mut session, watch, batch, &reading);
        session.ask_first(&before, &self.settings);
        session.remember(reading.sketches.clone());
        let (evidence, mut reasons) = verdict.summary();
        // An alarm that stands is not repeated by a batch that says nothing.
        let alarm = match evidence {
            Evidence::Llr(_) => session.alarm(&self.settings),
            Evidence::Insufficient => Alarm::None,
        };
        let calm = verdict.forgery.is_none() && session.is_calm();
        let inside = Inside {
            text: false,
            typing: calm && verdict.typing.is_some_and(|llr| llr >= 0.0),
            pointing: calm && verdict.pointing.is_some_and(|llr| llr >= 0.0),
        };
        if address && alarm != Alarm::None {
            reasons.push(reason::ADDRESS);
        }
        let assessment = Assessment {
            evidence,
            fitness: None,
            alarm,
            reasons: codes(reasons),
        };
        let record = match verdict.forgery {
            Some(_) => None,
            None => Some(Sample::record(reading, inside, cx.now)?),
        };
        Ok(Scored {
            state: session.write()?,
            assessment,
            record,
        })
    }

    /// Asks the channels, and counts what they say.
    fn judge(&self, session: &mut Session, watch: Option<&Watch>, batch: &Batch, reading: &Reading) -> Verdict {
        let mut verdict = Verdict::default();
        let class = watch.map(|watch| watch.memory.class(reading.touch));
        let mut seen = vec![&session.seen];
        seen.extend(class.map(|class| &class.seen));
        verdict.forgery = reading.forgery(batch, &seen);
        if verdict.forgery.is_some() {
            // A recording of the owner speaks for the owner: it is not asked.
            session.condemn(&self.settings);
            return verdict;
        }
        // Who types does not point: the channels share the hours, and so the false alarms.
        let hours = self.settings.hours_per_false_step_up;
        let table = watch.and_then(|watch| {
            if reading.touch {
                watch.touch.as_ref()
            } else {
                watch.desk.as_ref()
            }
        });
        if let Some(table) = table.filter(|_| !reading.typing.is_empty()) {
            let threshold = free::threshold(reading.typing.knows_keys(), hours);
            let timings = reading.typing.timings();
            // Key by key, a hold and a digraph, as the threshold counts.
            verdict.typing = Some(timings.chunks(2).fold(0.0, |sum, key| {
                let llr = key.iter().map(|timing| table.llr(&mut session.crowd, timing)).sum();
                session.count(llr, threshold, &self.settings);
                sum + llr
            }));
        }
        let model = watch.and_then(|watch| {
            let model = watch.memory.class(reading.touch).pointing_model.as_ref()?;
            Some((model, &watch.people.class(reading.touch).pointing))
        });
        if let Some((model, people)) = model.filter(|_| !reading.pointing.is_empty()) {
            let threshold = pointer::threshold(hours);
            verdict.pointing = Some(reading.pointing.iter().fold(0.0, |sum, action| {
                let llr = model.llr(people, &mut session.pointing, action);
                session.count(llr, threshold, &self.settings);
                sum + llr
            }));
        }
        verdict
    }

    /// A batch that no template can judge: it is kept to be learned from.
    fn unjudged(&self, cx: &Context, state: State, reading: Reading) -> Result<Scored, PluginError> {
        let record = Some(Sample::record(reading, Inside::default(), cx.now)?);
        Ok(Scored {
            record,
            ..silent(state, reason::NOT_ENROLLED)
        })
    }

    /// Why there is too little in a batch.
    fn shortage(&self, batch: &Batch) -> &'static str {
        if !batch.metrics.hold_ms.is_empty() && batch.clock_ms >= self.settings.coarse_clock_ms {
            reason::COARSE_CLOCK
        } else {
            reason::FEW_DATA
        }
    }

    /// Extends a model by new records.
    pub(crate) fn learn(
        &self,
        cx: &Context,
        model: Option<&ModelBlob>,
        background: Option<&Background>,
        records: &[Labelled],
    ) -> Result<Learned, PluginError> {
        let settled = records.iter().filter_map(|labelled| labelled.record.id.clone()).collect();
        let mut memory = match model {
            Some(model) => Memory::open(model)?,
            None => Memory::new(tag(cx)),
        };
        if !record::learn(&mut memory, records) {
            return Ok(Learned { model: None, settled });
        }
        let people = self.people(background)?;
        for touch in [false, true] {
            memory.class_mut(touch).train(&people.class(touch).pointing);
        }
        Ok(Learned {
            model: Some(memory.seal()?),
            settled,
        })
    }

    /// What is held in a model, for the person.
    pub(crate) fn describe(model: &ModelBlob) -> Result<serde_json::Value, PluginError> {
        let memory = Memory::open(model)?;
        let class = |touch: bool| {
            let class = memory.class(touch);
            json!({
                "typing_timings": class.typing.timings().round(),
                "pointer_actions": class.pointing.len(),
                "texts": class.texts.iter().filter(|text| text.judges()).count(),
            })
        };
        Ok(json!({ "events": memory.events, "keyboard_and_mouse": class(false), "touch": class(true) }))
    }

    /// Makes the background of these models.
    pub(crate) fn background(models: &[ModelBlob]) -> Result<Option<Background>, PluginError> {
        background::gather(models)
    }
}

impl Verdict {
    /// What was said in all, and why, the weightier channel first.
    fn summary(&self) -> (Evidence, Vec<&'static str>) {
        let heard = [
            (self.typing, [reason::TYPING_STRONGLY, reason::TYPING, reason::TYPING_FITS]),
            (
                self.pointing,
                [reason::POINTING_STRONGLY, reason::POINTING, reason::POINTING_FITS],
            ),
        ];
        let mut said: Vec<_> = heard.into_iter().filter_map(|(llr, codes)| Some((llr?, codes))).collect();
        said.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut reasons: Vec<_> = self.forgery.into_iter().collect();
        reasons.extend(said.iter().map(|(llr, codes)| graded(*llr, codes)));
        match (self.forgery, said.is_empty()) {
            (Some(_), _) => (Evidence::Llr(FORGED), reasons),
            (None, true) => (Evidence::Insufficient, vec![reason::NOT_ENROLLED]),
            (None, false) => (Evidence::Llr(said.iter().map(|(llr, _)| llr).sum()), reasons),
        }
    }
}

/// The code for so much evidence: strongly against, against, for.
fn graded(llr: f64, [strongly, against, fits]: &[&'static str; 3]) -> &'static str {
    if llr >= 0.0 {
        fits
    } else if llr > -reason::STRONG {
        against
    } else {
        strongly
    }
}

fn text_reason(llr: f64) -> &'static str {
    graded(llr, &[reason::TEXT_STRONGLY, reason::TEXT, reason::TEXT_FITS])
}

fn forged(attack: fixed::Attack) -> &'static str {
    match attack {
        fixed::Attack::Replay => reason::REPLAYED,
        fixed::Attack::Regular => reason::TOO_EVEN,
        fixed::Attack::Synthetic => reason::SYNTHETIC,
    }
}

/// The assessment of a text: its fitness is the probability that the evidence alone gives to the owner.
fn told(llr: f64, alarm: Option<Alarm>, reasons: Vec<&'static str>) -> Assessment {
    Assessment {
        evidence: Evidence::Llr(llr),
        fitness: Some(1.0 / (1.0 + (-llr).exp())),
        alarm: alarm.unwrap_or_default(),
        reasons: codes(reasons),
    }
}

fn codes(reasons: Vec<&'static str>) -> Vec<ReasonCode> {
    reasons.into_iter().map(|code| ReasonCode(code.to_owned())).collect()
}

/// Nothing can be said: the state stays as it is, and no alarm is raised.
fn silent(state: State, code: &'static str) -> Scored {
    Scored {
        state,
        assessment: Assessment {
            evidence: Evidence::Insufficient,
            fitness: None,
            alarm: Alarm::None,
            reasons: codes(vec![code]),
        },
        record: None,
    }
}

/// True for a model of this format.
pub(crate) fn wrote(model: &ModelBlob) -> bool {
    model.version == memory::VERSION
}

fn watch(prepared: &Prepared) -> Result<&Watch, PluginError> {
    prepared
        .downcast_ref::<Watch>()
        .ok_or_else(|| failed("the prepared model is another plugin's"))
}

/// A random number for a new account.
fn tag(cx: &Context) -> u64 {
    let random = cx.random("tag");
    u64::from_le_bytes(std::array::from_fn(|i| random[i]))
}
