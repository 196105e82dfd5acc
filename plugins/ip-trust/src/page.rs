//! What the account's owner is asked. When, where and in which browser it was, the core adds.

use crate::{ANSWER, NO, YES};
use gait_sdk::{Choice, Form, Node, Text};

pub(crate) fn question() -> Form {
    let paragraph = |key: &str, words: &str| Node::Paragraph {
        text: Text::new(key, words),
    };
    let choice = |value: &str, key: &str, words: &str| Choice {
        value: value.to_owned(),
        label: Text::new(key, words),
    };
    Form {
        title: Text::new("ip-approval-title", "Was this you?"),
        nodes: vec![
            paragraph(
                "ip-approval-intro",
                "Somebody signed in to your account from the address and browser below.",
            ),
            paragraph(
                "ip-approval-yes-means",
                "If it was you, we can trust this address and browser, and ask you for less when you sign in there.",
            ),
            paragraph(
                "ip-approval-no-means",
                "If it wasn't you, that session ends at once and the address is forgotten.",
            ),
            Node::Choice {
                name: ANSWER.to_owned(),
                options: vec![
                    choice(YES, "ip-approval-yes", "It was me"),
                    choice(NO, "ip-approval-no", "Not me"),
                ],
            },
        ],
        submit: None,
    }
}
