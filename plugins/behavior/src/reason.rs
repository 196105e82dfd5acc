//! The codes that an assessment may give as its reasons: which channel, in which direction, and how much.

/// Evidence of one batch from which on it is called strong, in nats: odds of 20 to 1.
pub const STRONG: f64 = 3.0;

/// The keyboard is used differently.
pub const TYPING: &str = "typing_rhythm_differs";
/// The pointer is moved differently.
pub const POINTING: &str = "pointer_movement_differs";
/// The keyboard is used very differently.
pub const TYPING_STRONGLY: &str = "typing_rhythm_differs_strongly";
/// The pointer is moved very differently.
pub const POINTING_STRONGLY: &str = "pointer_movement_differs_strongly";
/// The keyboard is used as the owner does.
pub const TYPING_FITS: &str = "typing_rhythm_fits";
/// The pointer is moved as the owner does.
pub const POINTING_FITS: &str = "pointer_movement_fits";
/// The text of the sign-in page was typed differently.
pub const TEXT: &str = "sign_in_text_differs";
/// The text of the sign-in page was typed very differently.
pub const TEXT_STRONGLY: &str = "sign_in_text_differs_strongly";
/// The text of the sign-in page was typed as the owner does.
pub const TEXT_FITS: &str = "sign_in_text_fits";
/// Input that was seen before, played again.
pub const REPLAYED: &str = "replayed_input";
/// Timings more even than a hand's.
pub const TOO_EVEN: &str = "too_regular_input";
/// Timings of people on average rather than of a person.
pub const SYNTHETIC: &str = "synthetic_input";
/// The address has not been trusted so far.
pub const ADDRESS: &str = "strange_address";
/// Insufficient: too few measurements, or too few that the template knows.
pub const FEW_DATA: &str = "few_data";
/// Insufficient: without keystrokes, which the clock is too coarse for, too little is left.
pub const COARSE_CLOCK: &str = "coarse_clock";
/// Insufficient: made with a finger or a pen, which the classic model does not know.
pub const TOUCH: &str = "touch_pointer";
/// Insufficient: the account has no template yet.
pub const NOT_ENROLLED: &str = "not_enrolled";
