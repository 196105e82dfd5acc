//! Six digits, and the two characters by which a person tells one mail from another.

use gait_sdk::Context;

/// Letters that aren't taken for digits, or for each other.
const LETTERS: &[u8] = b"ACDEFGHJKLMNPQRTUVWXY";
/// Digits that aren't taken for letters.
const DIGITS: &[u8] = b"2346789";
/// How many codes there are.
const CODES: u32 = 1_000_000;
/// More can't be a code, whatever it is separated by; nothing looks further.
const MAX_TYPED_BYTES: usize = 64;

/// A code as it stands in the mail.
pub(crate) struct Code(String);

impl Code {
    /// Every code is as likely as any other: numbers from the uneven rest of the range are drawn again.
    pub(crate) fn draw(cx: &Context) -> Self {
        let fair = u32::MAX - u32::MAX % CODES;
        let mut round = 0u32;
        loop {
            for word in words(&cx.random(&format!("code {round}"))) {
                if word < fair {
                    return Self(format!("{:06}", word % CODES));
                }
            }
            round += 1;
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// A letter and a digit, other than those of the mail before.
pub(crate) fn label(cx: &Context, before: Option<&str>) -> String {
    let [word, ..] = words(&cx.random("label"));
    let index = word as usize % (LETTERS.len() * DIGITS.len());
    let label = nth_label(index);
    if before == Some(label.as_str()) {
        return nth_label(index + 1);
    }
    label
}

fn nth_label(index: usize) -> String {
    let letter = LETTERS[index / DIGITS.len() % LETTERS.len()];
    let digit = DIGITS[index % DIGITS.len()];
    [char::from(letter), char::from(digit)].into_iter().collect()
}

/// What was typed, as it stands in the mail: without the spaces and dashes that people and password stores put in, and with
/// the digits of East Asian keyboards in ASCII. Done once, before anything is compared or counted.
pub(crate) fn normalised(typed: &str) -> String {
    if typed.len() > MAX_TYPED_BYTES {
        return String::new();
    }
    let digit = |c: char| match c {
        '０'..='９' => char::from_u32(u32::from(c) - u32::from('０') + u32::from('0')).unwrap_or(c),
        _ => c,
    };
    typed.chars().filter(|c| !matches!(c, ' ' | '-')).map(digit).collect()
}

fn words(bytes: &[u8; 32]) -> [u32; 8] {
    std::array::from_fn(|i| u32::from_be_bytes([bytes[4 * i], bytes[4 * i + 1], bytes[4 * i + 2], bytes[4 * i + 3]]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use gait_sdk::kit;
    use std::collections::BTreeSet;

    fn nth(n: u32) -> Context {
        let mut entropy = [0; 32];
        entropy[..4].copy_from_slice(&n.to_be_bytes());
        Context {
            entropy,
            ..kit::context()
        }
    }

    #[test]
    fn a_code_is_six_digits_with_leading_zeros() {
        let codes: Vec<_> = (0..2000).map(|n| Code::draw(&nth(n)).0).collect();
        assert!(
            codes
                .iter()
                .all(|code| code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()))
        );
        assert!(codes.iter().any(|code| code.starts_with('0')));
        assert!(
            codes.iter().collect::<BTreeSet<_>>().len() > 1980,
            "2000 of a million hardly meet"
        );
    }

    #[test]
    fn every_first_digit_is_as_likely() {
        let mut counts = [0u32; 10];
        for n in 0..10_000 {
            counts[usize::from(Code::draw(&nth(n)).0.as_bytes()[0] - b'0')] += 1;
        }
        // The entropy is fixed, so this doesn't flicker; 150 is five standard deviations.
        assert!(counts.iter().all(|count| count.abs_diff(1000) < 150), "{counts:?}");
    }

    #[test]
    fn what_is_typed_is_read_as_it_is_meant() {
        for typed in ["123456", " 123 456 ", "123-456", "1 2 3 4 5 6", "１２３４５６", "１２３ 456"] {
            assert_eq!(normalised(typed), "123456", "{typed:?}");
        }
        for other in [
            "",
            "12345",
            "1234567",
            "१२३४५६",
            "12345\u{0}6",
            "123456\n",
            "1e5",
            "+23456",
            &" ".repeat(65),
        ] {
            assert_ne!(normalised(other), "123456", "{other:?}");
        }
        assert_eq!(normalised(&"1".repeat(1_000_000)), "");
    }

    #[test]
    fn a_label_is_a_letter_and_a_digit_and_never_that_of_the_mail_before() {
        let labels: BTreeSet<_> = (0..2000).map(|n| label(&nth(n), None)).collect();
        assert_eq!(labels.len(), LETTERS.len() * DIGITS.len());
        assert!(labels.iter().all(|label| label.len() == 2));
        for n in 0..200 {
            let before = label(&nth(n), None);
            assert_ne!(label(&nth(n), Some(&before)), before);
        }
    }
}
