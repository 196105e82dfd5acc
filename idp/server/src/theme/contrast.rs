//! Whether words can be read on their ground (WCAG 2.2, success criteria 1.4.3 and 1.4.11), for colours that are written in
//! hexadecimal.

use super::manifest::Manifest;
use std::collections::BTreeMap;

/// Foreground, ground, and the least ratio between them.
const PAIRS: [(&str, &str, f64); 18] = [
    ("text", "bg", 4.5),
    ("text", "surface", 4.5),
    ("text", "sunken", 4.5),
    ("text", "accent-soft", 4.5),
    ("muted", "bg", 4.5),
    ("muted", "surface", 4.5),
    ("muted", "sunken", 4.5),
    ("accent", "bg", 4.5),
    ("accent", "surface", 4.5),
    ("accent", "accent-soft", 4.5),
    ("accent-strong", "surface", 4.5),
    ("accent-strong", "accent-soft", 4.5),
    ("on-accent", "accent", 4.5),
    ("on-accent", "accent-strong", 4.5),
    ("danger", "surface", 4.5),
    ("danger", "danger-soft", 4.5),
    ("edge", "surface", 3.0),
    ("edge", "bg", 3.0),
];

/// Every pair of a chain's colours that is too close, in light and in dark.
pub(super) fn problems(chain: &[Manifest]) -> Vec<String> {
    let mut light: BTreeMap<&str, &str> = BTreeMap::new();
    let mut dark: BTreeMap<&str, &str> = BTreeMap::new();
    for theme in chain.iter().rev() {
        light.extend(theme.colors.light.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        dark.extend(theme.colors.dark.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    }
    let on_dark: BTreeMap<&str, &str> = light.clone().into_iter().chain(dark).collect();
    [("light", light), ("dark", on_dark)]
        .iter()
        .flat_map(|(scheme, colors)| in_scheme(scheme, colors))
        .collect()
}

fn in_scheme(scheme: &str, colors: &BTreeMap<&str, &str>) -> Vec<String> {
    let too_close = |(front, ground, least): &(&str, &str, f64)| {
        let found = ratio(luminance(colors.get(front)?)?, luminance(colors.get(ground)?)?);
        (found < *least).then(|| format!("{scheme}: `{front}` on `{ground}` has a contrast of {found:.2}; {least} is the least"))
    };
    PAIRS.iter().filter_map(too_close).collect()
}

fn ratio(one: f64, other: f64) -> f64 {
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// Relative luminance of `#rgb` or `#rrggbb`; `None` for other ways of writing a colour.
fn luminance(color: &str) -> Option<f64> {
    let digits = color.strip_prefix('#')?;
    let wide: String = match digits.len() {
        3 => digits.chars().flat_map(|digit| [digit, digit]).collect(),
        6 => digits.to_owned(),
        _ => return None,
    };
    let channel = |at: usize| {
        let value = f64::from(u8::from_str_radix(wide.get(at..at + 2)?, 16).ok()?) / 255.0;
        Some(if value <= 0.040_45 {
            value / 12.92
        } else {
            ((value + 0.055) / 1.055).powf(2.4)
        })
    };
    Some(0.2126 * channel(0)? + 0.7152 * channel(2)? + 0.0722 * channel(4)?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn black_on_white_is_21_to_1() {
        assert!((ratio(luminance("#000").unwrap(), luminance("#ffffff").unwrap()) - 21.0).abs() < 1e-9);
    }
}
