//! The development mode's caught mails.

use gait_sdk::Timestamp;
use serde::Serialize;

/// Caught mails, newest first.
#[derive(Clone, Debug, Serialize)]
pub struct Mails {
    /// Shown for this address only.
    pub to: Option<String>,
    /// The mails.
    pub mails: Vec<CaughtMail>,
}

/// One caught mail.
#[derive(Clone, Debug, Serialize)]
pub struct CaughtMail {
    /// To whom.
    pub to: String,
    /// Subject.
    pub subject: String,
    /// When.
    pub at: Timestamp,
    /// The text part, cut at its links.
    pub pieces: Vec<Piece>,
}

/// A piece of a mail's text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Piece {
    /// The words.
    pub text: String,
    /// True if the words are an http(s) address.
    pub link: bool,
}

impl CaughtMail {
    /// A mail with its text part.
    pub fn new(to: &str, subject: &str, at: Timestamp, text: &str) -> Self {
        Self {
            to: to.to_owned(),
            subject: subject.to_owned(),
            at,
            pieces: text.split_inclusive(char::is_whitespace).flat_map(pieces).collect(),
        }
    }
}

/// A word with the white space that follows it: a link is set apart from that.
fn pieces(word: &str) -> Vec<Piece> {
    let bare = word.trim_end();
    if !bare.starts_with("https://") && !bare.starts_with("http://") {
        return vec![Piece {
            text: word.to_owned(),
            link: false,
        }];
    }
    vec![
        Piece {
            text: bare.to_owned(),
            link: true,
        },
        Piece {
            text: word[bare.len()..].to_owned(),
            link: false,
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_in_a_mail_is_set_apart_and_nothing_is_lost() {
        let text = "Open this:\nhttps://id.example/approve/x\nBye javascript:alert(1)";
        let mail = CaughtMail::new("a@example.org", "Hello", Timestamp(0), text);
        let links: Vec<_> = mail
            .pieces
            .iter()
            .filter(|piece| piece.link)
            .map(|piece| piece.text.as_str())
            .collect();
        assert_eq!(links, ["https://id.example/approve/x"]);
        assert_eq!(mail.pieces.iter().map(|piece| piece.text.as_str()).collect::<String>(), text);
    }
}
