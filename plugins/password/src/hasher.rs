//! argon2id, and how long it takes to say no.

use crate::config::{Config, M_COST_KIB, P_COST, T_COST};
use crate::memory::Memory;
use crate::{corrupt, failed, id};
use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
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
    memory: Memory,
}

impl Hasher {
    pub(crate) fn new(config: &Config) -> Result<Self, PluginError> {
        let params = Params::new(config.m_cost_kib, config.t_cost, config.p_cost, None).map_err(|error| PluginError::Config {
            plugin: id(),
            detail: format!("m_cost_kib, t_cost, p_cost: {error}"),
        })?;
        let memory = Memory::default();
        Ok(Self { params, memory })
    }

    /// A PHC string.
    pub(crate) fn hash(&self, password: &str, salt: &[u8; 16]) -> Result<String, PluginError> {
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, self.params.clone());
        let output = self.output(&argon2, password, salt, Params::DEFAULT_OUTPUT_LEN);
        let hash = PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&self.params).map_err(|error| failed(&error.to_string()))?,
            salt: Some(Salt::new(salt).map_err(|error| failed(&error.to_string()))?),
            hash: Some(output?),
        };
        Ok(hash.to_string())
    }

    /// What argon2id makes of a password: `length` bytes.
    fn output(&self, argon2: &Argon2<'_>, password: &str, salt: &[u8], length: usize) -> Result<Output, PluginError> {
        let mut bytes = [0; Output::MAX_LENGTH];
        let out = bytes.get_mut(..length).ok_or_else(|| failed("the hash is too long"))?;
        let password = composed(password);
        let params = argon2.params();
        self.memory
            .lend(params.block_count(), |memory| {
                let done = argon2.hash_password_into_with_memory(password.as_bytes(), salt, out, &mut *memory);
                forget_beginning(memory, params.p_cost());
                done
            })
            .map_err(|error| failed(&error.to_string()))?;
        Output::new(out).map_err(|error| failed(&error.to_string()))
    }

    /// Takes as long as to verify a hash of today's parameters, and says nothing.
    pub(crate) fn burn(&self, password: &str) -> Result<(), PluginError> {
        self.hash(password, &[0; 16]).map(|hash| drop(black_box(hash)))
    }

    pub(crate) fn verify(&self, password: &str, phc: &str) -> Result<Verdict, PluginError> {
        let stored = PasswordHash::new(phc).map_err(|_| corrupt("the hash is no PHC string"))?;
        let params = self.stored_params(&stored)?;
        let (Some(salt), Some(hash)) = (&stored.salt, &stored.hash) else {
            return Err(corrupt("the hash has no salt, or no value"));
        };
        let version = stored.version.map_or(Ok(Version::V0x13), Version::try_from);
        let version = version.map_err(|_| corrupt("the version of the hash"))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, version, params.clone());
        // They are compared in constant time.
        if self.output(&argon2, password, salt, hash.len())? != *hash {
            return Ok(Verdict::Wrong);
        }
        match self.is_current(&stored, &params) {
            true => Ok(Verdict::Right),
            false => Ok(Verdict::RightButOutdated),
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
}

/// Empties the first two blocks of each lane. They are made of the password by a fast hash, by which it could be guessed (RFC 9106 §3.2);
/// what comes after them has cost as much as it should.
fn forget_beginning(memory: &mut [Block], lanes: u32) {
    let lane = memory.len() / lanes as usize;
    for lane in memory.chunks_exact_mut(lane) {
        lane[..2].fill(Block::new());
    }
}

/// Unicode's form NFC: keyboards differ in how they send an accented letter, and the person can't see it (NIST SP 800-63B-4 §3.1.1.2).
fn composed(password: &str) -> String {
    password.nfc().collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};

    const COSTS: [(u32, u32, u32); 3] = [(8, 1, 1), (64, 3, 2), (256, 2, 4)];

    fn hasher((m_cost_kib, t_cost, p_cost): (u32, u32, u32)) -> Hasher {
        let config = Config {
            m_cost_kib,
            t_cost,
            p_cost,
            ..Config::default()
        };
        Hasher::new(&config).unwrap()
    }

    #[test]
    fn memory_that_was_used_makes_no_difference() {
        for costs in COSTS {
            let (fresh, used) = (hasher(costs), hasher(costs));
            for password in ["one", "another", "", "one"] {
                let hash = used.hash(password, &[7; 16]).unwrap();
                assert_eq!(hash, hasher(costs).hash(password, &[7; 16]).unwrap());
                assert_eq!(fresh.verify(password, &hash).unwrap(), Verdict::Right);
                assert_eq!(used.verify("a third", &hash).unwrap(), Verdict::Wrong);
            }
        }
    }

    #[test]
    fn it_is_the_librarys_argon2id() {
        for costs in COSTS {
            let ours = hasher(costs);
            let hash = ours.hash("p\u{e4}ss", &[9; 16]).unwrap();
            assert_eq!(
                Argon2::default().verify_password("p\u{e4}ss".as_bytes(), hash.as_str()),
                Ok(())
            );
            let library = Argon2::new(Algorithm::Argon2id, Version::V0x13, ours.params.clone());
            let theirs = library.hash_password_with_salt(b"word", &[5; 16]).unwrap().to_string();
            assert_eq!(theirs, ours.hash("word", &[5; 16]).unwrap());
            assert_eq!(ours.verify("word", &theirs).unwrap(), Verdict::Right);
            assert_eq!(ours.verify("Word", &theirs).unwrap(), Verdict::Wrong);
        }
    }

    #[test]
    fn hashes_of_other_parameters_versions_and_lengths_verify_and_are_outdated() {
        let ours = hasher((8, 1, 1));
        for (version, length) in [(Version::V0x10, 32), (Version::V0x13, 20)] {
            let params = Params::new(16, 2, 1, Some(length)).unwrap();
            let library = Argon2::new(Algorithm::Argon2id, version, params);
            let theirs = library.hash_password_with_salt(b"word", &[5; 16]).unwrap().to_string();
            assert_eq!(ours.verify("word", &theirs).unwrap(), Verdict::RightButOutdated);
            assert_eq!(ours.verify("sword", &theirs).unwrap(), Verdict::Wrong);
        }
    }

    #[test]
    fn what_is_kept_tells_no_password() {
        let ours = hasher((64, 1, 2));
        ours.hash("secret", &[1; 16]).unwrap();
        ours.memory.lend(64, |memory| {
            let empty = Block::new();
            for lane in memory.chunks_exact(32) {
                let beginning: Vec<_> = lane[..2].iter().map(AsRef::<[u64]>::as_ref).collect();
                assert_eq!(beginning, [empty.as_ref(), empty.as_ref()]);
                assert_ne!(lane[2].as_ref(), empty.as_ref(), "nothing was hashed here");
            }
        });
    }
}
