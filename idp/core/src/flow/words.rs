//! What the engine itself says.

use gait_sdk::{Form, Node, Text};

/// An answer was wrong, and which part of it isn't told.
pub(crate) fn wrong() -> Text {
    Text::new("sign-in-failed", "That didn't work. Check what you typed and try again.")
}
/// A plugin could not do its work.
pub(crate) fn broken() -> Text {
    Text::new(
        "step-error",
        "This can't be checked right now. Please try again, or choose another way.",
    )
}
/// Too many answers.
pub(crate) fn too_many_tries() -> Text {
    Text::new(
        "too-many-tries",
        "Too many tries. Please wait a quarter of an hour, then try again.",
    )
}
/// Too many mails.
pub(crate) fn too_many_mails() -> Text {
    Text::new(
        "too-many-mails",
        "Too many mails were sent. Please wait a quarter of an hour, then try again.",
    )
}
/// Mail is out of order.
pub(crate) fn no_mail() -> Text {
    Text::new(
        "mail-unavailable",
        "Mail can't be sent right now. Please try again, or choose another way.",
    )
}
/// A mail was not sent so far.
pub(crate) fn mail_delayed() -> Text {
    Text::new(
        "mail-delayed",
        "We couldn't send the mail so far, and keep trying. If it doesn't come, try again or choose another way.",
    )
}
/// A mail will not be sent.
pub(crate) fn mail_refused() -> Text {
    Text::new(
        "mail-refused",
        "We couldn't send the mail: the mail server of your address doesn't take it. Try again, or choose another way.",
    )
}
/// The other way can't be gone.
pub(crate) fn no_such_way() -> Text {
    Text::new("way-unavailable", "This way isn't available. Please choose another one.")
}

/// The first page where only the identifier can be asked for.
pub(crate) fn identifier_only() -> Form {
    Form {
        title: Text::new("sign-in-title", "Sign in"),
        nodes: Vec::new(),
        submit: Some(Text::new("sign-in-continue", "Continue")),
    }
}
/// In place of a question that is dead: the only thing to do is to have it asked anew.
pub(crate) fn ask_again(title: Text) -> Form {
    Form {
        title,
        nodes: Vec::new(),
        submit: Some(Text::new("try-again", "Try again")),
    }
}
/// None of the ways that are wanted is set up.
pub(crate) fn dead_end() -> Form {
    Form {
        title: Text::new("no-way-title", "We can't confirm that it's you"),
        nodes: vec![Node::Paragraph {
            text: Text::new(
                "no-way-text",
                "None of the ways to confirm this is set up for your account, or none works right now.",
            ),
        }],
        submit: Some(Text::new("try-again", "Try again")),
    }
}
