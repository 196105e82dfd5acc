//! The codes that an assessment may give as its reasons.

/// A refused batch: the keyboard is used differently.
pub const TYPING: &str = "typing_rhythm_differs";
/// A refused batch: the pointer is moved differently.
pub const POINTING: &str = "pointer_movement_differs";
/// Insufficient: too few measurements, or too few that the template knows.
pub const FEW_DATA: &str = "few_data";
/// Insufficient: without keystrokes, which the clock is too coarse for, too little is left.
pub const COARSE_CLOCK: &str = "coarse_clock";
/// Insufficient: made with a finger or a pen.
pub const TOUCH: &str = "touch_pointer";
/// Insufficient: the account has no template yet.
pub const NOT_ENROLLED: &str = "not_enrolled";
