//! The rules of Gait, without a wire.

pub mod account;
pub mod client;
pub mod ephemeral;
pub mod error;
pub mod event;
pub mod grant;
pub mod ids;
pub mod policy;
pub mod ports;
pub mod seal;
pub mod session;
pub mod store;
#[cfg(feature = "testing")]
pub mod testing;
pub mod token;
