//! Proof Key for Code Exchange (RFC 7636).

use super::secret::Hash;

/// True if `verifier` answers `challenge`. Neither without the other (RFC 9700 §4.8.2: no downgrade).
pub(crate) fn answers(challenge: Option<&str>, verifier: Option<&str>) -> bool {
    match (challenge, verifier) {
        (None, None) => true,
        (Some(challenge), Some(verifier)) => {
            let told = Hash::of(challenge.as_bytes());
            is_verifier(verifier) && told == Hash::of(Hash::of(verifier.as_bytes()).to_text().as_bytes())
        }
        _ => false,
    }
}

/// RFC 7636 §4.1: 43 to 128 unreserved characters.
fn is_verifier(text: &str) -> bool {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    (43..=128).contains(&text.len()) && text.bytes().all(unreserved)
}

#[cfg(test)]
mod tests {
    use super::answers;

    // RFC 7636, Appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_example_of_the_rfc_answers() {
        assert!(answers(Some(CHALLENGE), Some(VERIFIER)));
    }

    #[test]
    fn another_verifier_does_not_answer() {
        assert!(!answers(Some(CHALLENGE), Some(&VERIFIER.replace('d', "e"))));
    }

    #[test]
    fn the_challenge_itself_is_no_verifier() {
        assert!(!answers(Some(CHALLENGE), Some(CHALLENGE)), "plain");
    }

    #[test]
    fn neither_may_be_left_out_alone() {
        assert!(!answers(Some(CHALLENGE), None), "verifier left out");
        assert!(!answers(None, Some(VERIFIER)), "challenge stripped");
        assert!(answers(None, None));
    }

    #[test]
    fn a_verifier_has_43_to_128_unreserved_characters() {
        for (verifier, good) in [
            ("a".repeat(42), false),
            ("a".repeat(43), true),
            ("~".repeat(128), true),
            ("a".repeat(129), false),
            (format!("{}+", "a".repeat(42)), false),
            (format!("{}é", "a".repeat(42)), false),
            (format!("{} ", "a".repeat(43)), false),
        ] {
            let challenge = super::Hash::of(verifier.as_bytes()).to_text();
            assert_eq!(answers(Some(&challenge), Some(&verifier)), good, "{verifier:?}");
        }
    }
}
