//! A text that is typed again and again, such as the identifier.
//!
//! A [`Template`] keeps the owner's newest samples. A [`Sample`] is judged by how far it is from the nearest and the newest of
//! them, against how far a stranger's would be, and against timings that were made up around people's average. Replays are
//! found in a longer memory of everything that was seen. What nobody proved to be the owner's is learned only if it lies well
//! inside the owner's own range, and close enough to an anchor that only proven samples move.

mod anchor;
mod evidence;
mod judgement;
mod memory;
mod profile;
mod sample;
mod template;
#[cfg(test)]
mod tests;

pub use judgement::{Attack, Judgement};
pub use sample::{KEYS, Sample};
pub use template::{LEAST, Template};
