//! What the person sees.

use crate::{ACTION, CODE, Config, RESEND};
use gait_sdk::{Field, Form, Node, Text};

/// Names the address and the mail: somebody with three mails in the box must know which of them is meant.
pub(crate) fn question(config: &Config, address: &str, label: &str) -> Form {
    let minutes = config.minutes();
    let intro = format!("Code {label} was sent to {address}. It is valid for {minutes} minutes, in this browser only.");
    let intro = Text::new("otp-intro", &intro)
        .with("label", label)
        .with("address", address)
        .with("minutes", minutes);
    Form {
        title: Text::new("otp-title", "Check your mail"),
        nodes: vec![
            Node::Paragraph { text: intro },
            Node::Code(Field {
                name: CODE.to_owned(),
                label: Text::new("otp-field", &format!("Code {label}, six digits")).with("label", label),
                autocomplete: "one-time-code".to_owned(),
                max_bytes: 64,
            }),
            Node::Button {
                name: ACTION.to_owned(),
                value: RESEND.to_owned(),
                label: Text::new("otp-resend", "Send a new code"),
                wait_s: config.resend_wait_s,
            },
        ],
        submit: Some(Text::new("otp-submit", "Continue")),
    }
}

/// The same, asked again: it says that the mail is a new one.
pub(crate) fn question_again(config: &Config, address: &str, label: &str) -> Form {
    let words = "A new code is on its way. The one before can't be used any more.";
    let text = Text::new("otp-sent-again", words);
    let mut form = question(config, address, label);
    form.nodes.insert(0, Node::Notice { text });
    form
}
