//! The stored form of a model: JSON of plain numbers, versioned, checksummed and capped. Reading it runs no code but a parser
//! and range checks, so a doctored blob is at worst a wrong template, and mostly an error.

use crate::failure::{corrupt, failed};
use crate::classic::features::Features;
use crate::classic::template::Template;
use gait_sdk::{ModelBlob, PluginError};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The format written and the only one read.
pub(crate) const VERSION: u32 = 1;

/// Largest blob that is read or written, in bytes. The largest honest one is below 0.5 MiB.
pub(crate) const MAX_BYTES: usize = 2 << 20;

/// Most training vectors in a blob.
pub(crate) const MAX_VECTORS: usize = 1000;

/// Everything that is held of an account.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Memory {
    /// The training vectors, oldest first.
    pub(crate) vectors: Vec<Features>,
    /// Trained on exactly these vectors; `None` while there are too few.
    pub(crate) template: Option<Template>,
}

impl Memory {
    /// Writes it down.
    pub(crate) fn seal(&self) -> Result<ModelBlob, PluginError> {
        let bytes = serde_json::to_vec(self).map_err(|error| failed(format!("the model can't be written: {error}")))?;
        if bytes.len() > MAX_BYTES {
            return Err(failed(format!("the model has {} bytes", bytes.len())));
        }
        Ok(ModelBlob {
            version: VERSION,
            checksum: Sha256::digest(&bytes).into(),
            bytes,
            samples: u32::try_from(self.vectors.len()).unwrap_or(u32::MAX),
            enrolled: self.template.is_some(),
        })
    }

    /// Reads it back; refuses everything that [`Memory::seal`] would not have written.
    pub(crate) fn open(blob: &ModelBlob) -> Result<Self, PluginError> {
        if blob.version != VERSION {
            return Err(corrupt(format!("model format {} is not {VERSION}", blob.version)));
        }
        if blob.bytes.len() > MAX_BYTES {
            return Err(corrupt("the model is too large"));
        }
        if <[u8; 32]>::from(Sha256::digest(&blob.bytes)) != blob.checksum {
            return Err(corrupt("the model's checksum differs"));
        }
        // The parser's message would quote the data.
        let memory: Self = serde_json::from_slice(&blob.bytes).map_err(|_| corrupt("the model is not in its format"))?;
        match memory.fault(blob) {
            Some(fault) => Err(corrupt(fault)),
            None => Ok(memory),
        }
    }

    fn fault(&self, blob: &ModelBlob) -> Option<&'static str> {
        if self.vectors.len() > MAX_VECTORS {
            return Some("too many training vectors");
        }
        if blob.samples as usize != self.vectors.len() || blob.enrolled != self.template.is_some() {
            return Some("the model's label does not match its content");
        }
        if !self.vectors.iter().all(Features::is_plausible) {
            return Some("a training vector is out of range");
        }
        let template = self.template.as_ref()?;
        if template.classic.support.len() > self.vectors.len() {
            return Some("more support vectors than training vectors");
        }
        template.fault()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::classic::Config;

    fn memory() -> Memory {
        let vectors: Vec<_> = (0..60)
            .map(|i| {
                Features(std::array::from_fn(|j| {
                    Some(f64::from((i * 7 + 3) % 11) / 5.0 + j as f64 / 8.0)
                }))
            })
            .collect();
        let template = Template::train(&vectors, &Config::default().training()).unwrap();
        Memory {
            vectors,
            template: Some(template),
        }
    }

    /// A blob with a right checksum over doctored bytes.
    fn doctored(change: impl FnOnce(&mut Memory)) -> ModelBlob {
        let mut memory = memory();
        change(&mut memory);
        memory.seal().unwrap()
    }

    fn refusal(blob: &ModelBlob) -> String {
        match Memory::open(blob) {
            Err(PluginError::Corrupt { detail, .. }) => detail,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_was_sealed_opens_bit_for_bit() {
        let memory = memory();
        assert_eq!(Memory::open(&memory.seal().unwrap()).unwrap(), memory);
    }

    #[test]
    fn one_changed_bit_is_noticed() {
        let mut blob = memory().seal().unwrap();
        blob.bytes[100] ^= 1;
        assert_eq!(refusal(&blob), "the model's checksum differs");
    }

    #[test]
    fn another_format_or_label_is_refused() {
        let blob = memory().seal().unwrap();
        assert_eq!(
            refusal(&ModelBlob {
                version: 2,
                ..blob.clone()
            }),
            "model format 2 is not 1"
        );
        assert_eq!(
            refusal(&ModelBlob {
                enrolled: false,
                ..blob.clone()
            }),
            "the model's label does not match its content"
        );
        assert_eq!(
            refusal(&ModelBlob { samples: 1, ..blob }),
            "the model's label does not match its content"
        );
    }

    #[test]
    fn a_doctored_model_with_a_right_checksum_is_refused() {
        let classic = |memory: &mut Memory, change: fn(&mut crate::classic::fit::Classic)| {
            change(&mut memory.template.as_mut().unwrap().classic);
        };
        assert!(refusal(&doctored(|m| m.vectors = vec![m.vectors[0]; MAX_VECTORS + 1])).contains("too many"));
        assert!(refusal(&doctored(|m| m.vectors[0].0[0] = Some(1e9))).contains("training vector"));
        assert!(refusal(&doctored(|m| classic(m, |c| c.d_max = -1.0))).contains("reach"));
        assert!(refusal(&doctored(|m| classic(m, |c| c.rho = 1e300))).contains("offset"));
        assert!(refusal(&doctored(|m| classic(m, |c| c.alpha.truncate(1)))).contains("differ in number"));
        assert!(
            refusal(&doctored(
                |m| classic(m, |c| c.scaler.columns[0].as_mut().unwrap().scale = 0.0)
            ))
            .contains("scale")
        );
        assert!(refusal(&doctored(|m| m.template.as_mut().unwrap().threshold = 2.0)).contains("threshold"));
        // serde_json writes NaN as null, which is no number when it is read.
        assert!(refusal(&doctored(|m| classic(m, |c| c.gamma = f64::NAN))).contains("format"));
    }

    #[test]
    fn a_giant_blob_is_refused_before_it_is_parsed() {
        let bytes = vec![b' '; MAX_BYTES + 1];
        let blob = ModelBlob {
            checksum: Sha256::digest(&bytes).into(),
            bytes,
            ..memory().seal().unwrap()
        };
        assert_eq!(refusal(&blob), "the model is too large");
    }
}
