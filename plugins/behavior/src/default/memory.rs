//! Everything that is held of an account: templates for each device class, and how much of them was proven to be the owner's.

use super::replay::Sketches;
use crate::failure::{corrupt, failed};
use crate::{fixed, free, pointer};
use gait_sdk::{ModelBlob, PluginError};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The format written and the only one read. The classic model's is another.
pub(crate) const VERSION: u32 = 2;

/// Largest blob that is read or written, in bytes: 100 kB, with key identities.
pub(crate) const MAX_BYTES: usize = 100_000;

/// Texts of a sign-in page that are told apart by their length: a user name, an address, and one to spare.
const TEXTS: usize = 3;

/// Passages and strokes of earlier sessions that are remembered.
const TIMINGS: usize = 64;
const STROKES: usize = 256;

/// Share of a template that may come from sessions that nothing but their likeness speaks for. The rest is the anchor: however
/// slowly an impostor drags a template along, four fifths of it stay the owner's.
const UNPROVEN_SHARE: f64 = 0.2;

/// A pointer's model is trained anew when one of so many actions is new.
const RETRAIN: usize = 20;

/// An account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Memory {
    /// A random number that the account's share of a background is recognised by.
    pub(crate) tag: u64,
    /// Key presses and actions that were learned, ever.
    pub(crate) events: u32,
    /// Keyboard and mouse.
    pub(crate) desk: Class,
    /// Finger and pen.
    pub(crate) touch: Class,
}

/// Templates of one class of devices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Class {
    /// Free text.
    pub(crate) typing: free::Account,
    /// What of it was proven.
    pub(crate) typing_ledger: Ledger,
    /// The pointer.
    pub(crate) pointing: pointer::Account,
    /// What of it was proven.
    pub(crate) pointing_ledger: Ledger,
    /// Trained on `pointing`; `None` while there is too little.
    pub(crate) pointing_model: Option<pointer::Model>,
    /// Actions that came after it was trained.
    pub(crate) untrained: u32,
    /// Texts of the sign-in page, the one typed last at the end.
    pub(crate) texts: Vec<fixed::Template>,
    /// What was seen, lest it be played again.
    pub(crate) seen: Sketches,
}

/// How much of a template was proven to be the owner's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ledger {
    proven: f32,
    unproven: f32,
}

impl Ledger {
    /// Books what is to be learned; false if it must not be.
    pub(crate) fn admit(&mut self, events: usize, proven: bool) -> bool {
        let events = events as f32;
        if proven {
            self.proven += events;
            // What was learned fades as new days come, and so do the books.
            if self.proven > 1e6 {
                (self.proven, self.unproven) = (self.proven / 2.0, self.unproven / 2.0);
            }
            return true;
        }
        let after = self.unproven + events;
        let fits = f64::from(after) <= UNPROVEN_SHARE * f64::from(after + self.proven);
        if fits {
            self.unproven = after;
        }
        fits
    }

    fn fault(&self) -> Option<&'static str> {
        let sane = |value: f32| (0.0..=2e6).contains(&value);
        (!(sane(self.proven) && sane(self.unproven))).then_some("a ledger is out of range")
    }
}

impl Class {
    fn new(tag: u64) -> Self {
        Self {
            typing: free::Account::new(tag),
            typing_ledger: Ledger::default(),
            pointing: pointer::Account::new(tag),
            pointing_ledger: Ledger::default(),
            pointing_model: None,
            untrained: 0,
            texts: Vec::new(),
            seen: Sketches::default(),
        }
    }

    /// Trains the pointer's model, if there are enough new actions for it to be worth it.
    pub(crate) fn train(&mut self, people: &pointer::Background) {
        let due = self.pointing_model.is_none() || self.untrained as usize >= self.pointing.len().div_ceil(RETRAIN);
        if self.untrained > 0 && due {
            self.pointing_model = pointer::Model::train(&self.pointing, people);
            self.untrained = 0;
        }
    }

    /// The template of a text with so many keys.
    pub(crate) fn text(&self, keys: usize) -> Option<&fixed::Template> {
        self.texts.iter().find(|text| text.keys() == keys)
    }

    /// The same to be learned into; a new one takes the place of the one that was not typed for longest.
    pub(crate) fn text_to_learn(&mut self, keys: usize) -> &mut fixed::Template {
        let known = self.texts.iter().position(|text| text.keys() == keys);
        let text = match known {
            Some(at) => self.texts.remove(at),
            None => {
                self.texts.drain(..(self.texts.len() + 1).saturating_sub(TEXTS));
                fixed::Template::new(keys)
            }
        };
        self.texts.push(text);
        let last = self.texts.len() - 1;
        &mut self.texts[last]
    }

    /// Remembers what was seen.
    pub(crate) fn remember(&mut self, sketches: Sketches) {
        self.seen.add(sketches, TIMINGS, STROKES);
    }

    /// True if anything can be judged.
    fn judges(&self) -> bool {
        self.typing.suffices() || self.pointing_model.is_some() || self.texts.iter().any(fixed::Template::judges)
    }

    fn fault(&self) -> Option<&'static str> {
        if self.texts.len() > TEXTS || !self.seen.fits(TIMINGS, STROKES) {
            return Some("there is more than is kept");
        }
        self.typing
            .fault()
            .or_else(|| self.typing_ledger.fault())
            .or_else(|| self.pointing.fault())
            .or_else(|| self.pointing_ledger.fault())
            .or_else(|| self.pointing_model.as_ref().and_then(pointer::Model::fault))
            .or_else(|| self.texts.iter().find_map(fixed::Template::fault))
    }
}

impl Memory {
    /// An account of which nothing is known.
    pub(crate) fn new(tag: u64) -> Self {
        Self {
            tag,
            events: 0,
            desk: Class::new(tag),
            touch: Class::new(tag),
        }
    }

    /// The templates of a device class.
    pub(crate) fn class(&self, touch: bool) -> &Class {
        if touch { &self.touch } else { &self.desk }
    }

    /// The same to be learned into.
    pub(crate) fn class_mut(&mut self, touch: bool) -> &mut Class {
        if touch { &mut self.touch } else { &mut self.desk }
    }

    /// Writes it down. Texts that weren't typed for longest give way where all together are too large.
    ///
    /// # Errors
    /// [`PluginError::Failed`] if it is too large even so.
    pub(crate) fn seal(&mut self) -> Result<ModelBlob, PluginError> {
        let mut bytes = self.bytes()?;
        while bytes.len() > MAX_BYTES && self.drop_a_text() {
            bytes = self.bytes()?;
        }
        if bytes.len() > MAX_BYTES {
            return Err(failed(format!("the model has {} bytes", bytes.len())));
        }
        Ok(ModelBlob {
            version: VERSION,
            checksum: Sha256::digest(&bytes).into(),
            bytes,
            samples: self.events,
            enrolled: self.desk.judges() || self.touch.judges(),
        })
    }

    fn bytes(&self) -> Result<Vec<u8>, PluginError> {
        postcard::to_allocvec(self).map_err(|error| failed(format!("the model can't be written: {error}")))
    }

    /// Drops the oldest text, of fingers first; false if there is none.
    fn drop_a_text(&mut self) -> bool {
        let class = if self.touch.texts.is_empty() {
            &mut self.desk
        } else {
            &mut self.touch
        };
        let any = !class.texts.is_empty();
        class.texts.drain(..usize::from(any));
        any
    }

    /// Reads it back.
    ///
    /// # Errors
    /// [`PluginError::Corrupt`] for everything that [`Memory::seal`] would not have written.
    pub(crate) fn open(blob: &ModelBlob) -> Result<Self, PluginError> {
        let memory: Self = unseal(blob.version, &blob.checksum, &blob.bytes, MAX_BYTES, "model")?;
        let label_fits = blob.samples == memory.events && blob.enrolled == (memory.desk.judges() || memory.touch.judges());
        let fault = memory.desk.fault().or_else(|| memory.touch.fault());
        match fault {
            Some(fault) => Err(corrupt(fault)),
            None if !label_fits => Err(corrupt("the model's label does not match its content")),
            None => Ok(memory),
        }
    }
}

/// Reads what was written with a version and a checksum.
///
/// # Errors
/// [`PluginError::Corrupt`] if either differs, or the bytes are not in the format.
pub(crate) fn unseal<T: for<'a> Deserialize<'a>>(
    version: u32,
    checksum: &[u8; 32],
    bytes: &[u8],
    most: usize,
    what: &str,
) -> Result<T, PluginError> {
    if version != VERSION {
        return Err(corrupt(format!("{what} format {version} is not {VERSION}")));
    }
    if bytes.len() > most {
        return Err(corrupt(format!("the {what} is too large")));
    }
    if <[u8; 32]>::from(Sha256::digest(bytes)) != *checksum {
        return Err(corrupt(format!("the {what}'s checksum differs")));
    }
    // The parser's message would quote the data.
    postcard::from_bytes(bytes).map_err(|_| corrupt(format!("the {what} is not in its format")))
}
