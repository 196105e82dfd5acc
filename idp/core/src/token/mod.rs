//! Tokens: secrets, keys, JWTs, and what becomes of them.

pub mod secret;
