//! What stories need in place of the world: stores in memory, a clock that stands, randomness that repeats, a mailbox, and factors
//! that do what a script says. Never part of a server.

mod memory;
mod scripted;
mod world;

pub use memory::MemoryStore;
pub use scripted::{Call, KnownAnswer, Scene, Scripted};
pub use world::{Bell, Mailbox, Measured, SeededEntropy, StoppedClock, TestPorts, ports};
