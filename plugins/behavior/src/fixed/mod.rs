//! A text that is typed again and again, such as the identifier.

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
