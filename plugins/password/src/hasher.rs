//! argon2id, and how long it takes to say no.

use crate::config::{Config, M_COST_KIB, P_COST, T_COST};
use crate::{corrupt, failed, id};
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{self, PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use gait_sdk::PluginError;
use std::hint::black_box;
use unicode_normalization::UnicodeNormalization;

/// Whether a password was right.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Wrong,
    Right,
    /// Right, and the hash was made with other parameters than today's.
    RightButOutdated,
}

/// Hashes with today's parameters, verifies with those of the stored hash.
pub(crate) struct Hasher {
    params: Params,
}

impl Hasher {
    pub(crate) fn new(config: &Config) -> Result<Self, PluginError> {
        let params = Params::new(config.m_cost_kib, config.t_cost, config.p_cost, None).map_err(|error| PluginError::Config {
            plugin: id(),
            detail: format!("m_cost_kib, t_cost, p_cost: {error}"),
        })?;
        Ok(Self { params })
    }

    /// A PHC string.
    pub(crate) fn hash(&self, password: &str, salt: &[u8; 16]) -> Result<String, PluginError> {
        let hash = self.argon2().hash_password_with_salt(composed(password).as_bytes(), salt);
        hash.map(|hash| hash.to_string()).map_err(|error| failed(&error.to_string()))
    }

    /// Takes as long as to verify a hash of today's parameters, and says nothing.
    pub(crate) fn burn(&self, password: &str) -> Result<(), PluginError> {
        self.hash(password, &[0; 16]).map(|hash| drop(black_box(hash)))
    }

    pub(crate) fn verify(&self, password: &str, phc: &str) -> Result<Verdict, PluginError> {
        let stored = PasswordHash::new(phc).map_err(|_| corrupt("the hash is no PHC string"))?;
        let params = self.stored_params(&stored)?;
        match self.argon2().verify_password(composed(password).as_bytes(), &stored) {
            Ok(()) if self.is_current(&stored, &params) => Ok(Verdict::Right),
            Ok(()) => Ok(Verdict::RightButOutdated),
            Err(password_hash::Error::PasswordInvalid) => Ok(Verdict::Wrong),
            Err(error) => Err(corrupt(&format!("the hash: {error}"))),
        }
    }

    /// What the stored hash costs to verify; a database that was tampered with shouldn't be able to ask for a terabyte.
    fn stored_params(&self, stored: &PasswordHash) -> Result<Params, PluginError> {
        if stored.algorithm.as_str() != "argon2id" {
            return Err(corrupt("the hash is not of argon2id"));
        }
        let params = Params::try_from(stored).map_err(|_| corrupt("the parameters of the hash"))?;
        let bounded =
            M_COST_KIB.contains(&params.m_cost()) && T_COST.contains(&params.t_cost()) && P_COST.contains(&params.p_cost());
        bounded
            .then_some(params)
            .ok_or_else(|| corrupt("the parameters of the hash are out of bounds"))
    }

    fn is_current(&self, stored: &PasswordHash, params: &Params) -> bool {
        let cost = |params: &Params| (params.m_cost(), params.t_cost(), params.p_cost());
        let length = params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
        cost(params) == cost(&self.params)
            && length == Params::DEFAULT_OUTPUT_LEN
            && stored.version == Some(Version::V0x13.into())
    }

    fn argon2(&self) -> Argon2<'static> {
        Argon2::new(Algorithm::Argon2id, Version::V0x13, self.params.clone())
    }
}

/// Unicode's form NFC: keyboards differ in how they send an accented letter, and the person can't see it (NIST SP 800-63B-4 §3.1.1.2).
fn composed(password: &str) -> String {
    password.nfc().collect()
}
