//! A text that is typed again and again, such as the identifier.

mod judgement;
mod profile;
mod sample;
mod template;

pub use judgement::{Attack, Judgement};
pub use sample::{KEYS, Sample};
pub use template::Template;
