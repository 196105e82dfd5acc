//! As much of an address as its owner needs to know which one it is.

use sha2::{Digest, Sha256};

/// What stands for the rest.
pub(crate) const HIDDEN: &str = "•••";

/// Longest top-level domain that is shown.
const MAX_TOP_BYTES: usize = 24;
/// Longest address (RFC 5321 §4.5.3.1).
const MAX_ADDRESS_BYTES: usize = 320;

/// `ada@example.test` as `a•••@e•••.test`; `None` if it doesn't look like an address.
pub(crate) fn masked(address: &str) -> Option<String> {
    if address.len() > MAX_ADDRESS_BYTES {
        return None;
    }
    let (local, domain) = address.split_once('@')?;
    let (name, top) = domain.rsplit_once('.')?;
    let top_is_plain = (2..=MAX_TOP_BYTES).contains(&top.len()) && top.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let first_is_plain = |part: &str| part.chars().next().filter(|c| c.is_alphanumeric());
    let rest_is_plain =
        address.chars().filter(|&c| c == '@').count() == 1 && !address.chars().any(|c| c.is_whitespace() || c.is_control());
    let (local, name) = (first_is_plain(local)?, first_is_plain(name)?);
    (top_is_plain && rest_is_plain).then(|| format!("{local}{HIDDEN}@{name}{HIDDEN}.{top}"))
}

/// The mask of an address that doesn't exist, for a name that doesn't exist: the same at each visit, and not to be foretold
/// without the key.
pub(crate) fn decoy(identifier: &str, domains: &[String], key: &[u8; 32]) -> String {
    let hash: [u8; 32] = Sha256::new().chain_update(key).chain_update(identifier).finalize().into();
    let domain = domains
        .get(usize::from(hash[0]) % domains.len().max(1))
        .map_or("", String::as_str);
    // Most people's address begins as their user name does, but not everybody's.
    let typed = identifier.chars().next().filter(|c| c.is_alphanumeric() && hash[1] < 192);
    let drawn = char::from(b'a' + hash[2] % 26);
    masked(&format!("{}@{domain}", typed.unwrap_or(drawn))).unwrap_or_else(|| HIDDEN.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn an_address_shows_its_first_letters_and_its_top_level_domain() {
        assert_eq!(masked("ada@example.test").unwrap(), "a•••@e•••.test");
        assert_eq!(masked("a@b.co").unwrap(), "a•••@b•••.co");
        assert_eq!(masked("ada@mail.example.co.uk").unwrap(), "a•••@m•••.uk");
        assert_eq!(masked("жанна@пример.test").unwrap(), "ж•••@п•••.test");
    }

    #[test]
    fn what_is_no_address_is_not_masked() {
        let no_addresses = [
            "",
            "ada",
            "@",
            "ada@",
            "@example.test",
            "a@b",
            "a@b@c.test",
            "a d@example.test",
            "a\n@example.test",
            "\u{202e}a@example.test",
            "a@example.<b>",
            "a@.test",
            "a@example.t",
            "a@example.\u{202e}tset",
        ];
        for typed in no_addresses {
            assert_eq!(masked(typed), None, "{typed:?}");
        }
        assert_eq!(masked(&format!("a@{}.test", "b".repeat(400))), None);
        assert_eq!(masked(&format!("a@b.{}", "c".repeat(40))), None);
    }

    #[test]
    fn a_decoy_looks_like_a_masked_address_and_does_not_change() {
        let domains = ["example.com".to_owned(), "mail.test".to_owned()];
        let shown = |name: &str| decoy(name, &domains, &[1; 32]);
        assert_eq!(shown("zoe"), shown("zoe"));
        let many: BTreeSet<_> = (0..500).map(|n| shown(&format!("zoe{n}"))).collect();
        assert!(many.contains("z•••@e•••.com") && many.contains("z•••@m•••.test"));
        assert!(many.iter().any(|mask| !mask.starts_with('z')), "as with people");
        for hostile in ["", "@", "\u{0}", "\u{202e}abc", "<script>"] {
            let first = shown(hostile).chars().next().unwrap();
            assert!(first.is_ascii_lowercase(), "{hostile:?} is not shown");
        }
        let keys: BTreeSet<_> = (0..50).map(|key| decoy("zoe", &domains, &[key; 32])).collect();
        assert!(keys.len() > 1, "another deployment makes up another one");
    }
}
