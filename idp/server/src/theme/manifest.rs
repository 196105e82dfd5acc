//! `theme.toml`: a theme's name, its parent, and what it changes by variables.

use super::ThemeError;
use super::source::Sources;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The theme that everything falls back on.
pub(super) const ROOT: &str = "default";
/// Longest chain of parents.
const MAX_PARENTS: usize = 8;

/// A theme's manifest.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Manifest {
    /// Its name; the folder's.
    pub name: String,
    /// Whose files it falls back on; `default` if it doesn't say.
    pub parent: Option<String>,
    /// What the pages call the provider.
    pub title: Option<String>,
    /// A file in `static/`.
    pub logo: Option<String>,
    /// The same for dark pages.
    pub logo_dark: Option<String>,
    /// CSS variables.
    pub colors: Colors,
    /// CSS variables that aren't colours, for example `radius = "12px"`.
    pub sizes: BTreeMap<String, String>,
    /// Font families, for example `body = "Georgia, serif"`.
    pub fonts: BTreeMap<String, String>,
}

/// Colours for light and for dark pages.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Colors {
    /// Light.
    pub light: BTreeMap<String, String>,
    /// Dark; what is missing is as in light.
    pub dark: BTreeMap<String, String>,
}

impl Manifest {
    /// Reads and checks a theme's own manifest.
    pub(super) fn read(sources: &Sources, name: &str) -> Result<Self, ThemeError> {
        let path = format!("{name}/theme.toml");
        let text = sources.text(&path).ok_or_else(|| ThemeError::Unknown(name.to_owned()))?;
        let bad = |reason: String| ThemeError::Manifest {
            file: path.clone(),
            reason,
        };
        let manifest: Self = toml::from_str(&text).map_err(|error| bad(error.to_string()))?;
        if manifest.name != name {
            return Err(bad(format!("name is `{}`, but the folder is `{name}`", manifest.name)));
        }
        manifest.check(sources).map_err(bad)?;
        Ok(manifest)
    }

    /// The theme, its parent, and so on down to the default.
    pub(super) fn chain(sources: &Sources, name: &str) -> Result<Vec<Self>, ThemeError> {
        let mut chain: Vec<Self> = Vec::new();
        let mut next = Some(name.to_owned());
        while let Some(name) = next {
            if chain.len() == MAX_PARENTS || chain.iter().any(|theme| theme.name == name) {
                let reason = format!("its parents go round in a circle or are more than {MAX_PARENTS}");
                return Err(ThemeError::Manifest {
                    file: format!("{name}/theme.toml"),
                    reason,
                });
            }
            let theme = Self::read(sources, &name)?;
            next = (name != ROOT).then(|| theme.parent.clone().unwrap_or_else(|| ROOT.to_owned()));
            chain.push(theme);
        }
        Ok(chain)
    }

    fn check(&self, sources: &Sources) -> Result<(), String> {
        let colors = self.colors.light.iter().chain(&self.colors.dark);
        every(colors, "color", is_color)?;
        every(self.sizes.iter(), "size", is_size)?;
        every(self.fonts.iter(), "font", is_font)?;
        for logo in [&self.logo, &self.logo_dark].into_iter().flatten() {
            if sources.read(&format!("{}/static/{logo}", self.name)).is_none() {
                return Err(format!("there is no static/{logo}"));
            }
        }
        Ok(())
    }
}

fn every<'a>(
    variables: impl Iterator<Item = (&'a String, &'a String)>,
    kind: &str,
    is_good: fn(&str) -> bool,
) -> Result<(), String> {
    for (name, value) in variables {
        let named = !name.is_empty()
            && name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !named {
            return Err(format!("`{name}` is no name of a variable: a-z, 0-9 and - only"));
        }
        if !is_good(value) {
            return Err(format!("`{name}`: `{value}` is no {kind} that is allowed here"));
        }
    }
    Ok(())
}

/// A hexadecimal colour, or a colour function of plain numbers. Nothing else, so that a value can't end the declaration.
fn is_color(value: &str) -> bool {
    if let Some(digits) = value.strip_prefix('#') {
        return matches!(digits.len(), 3 | 4 | 6 | 8) && digits.bytes().all(|b| b.is_ascii_hexdigit());
    }
    let Some((function, rest)) = value.split_once('(') else {
        return false;
    };
    let Some(numbers) = rest.strip_suffix(')') else { return false };
    matches!(function, "rgb" | "rgba" | "hsl" | "hsla" | "oklch" | "oklab" | "lab" | "lch")
        && numbers.len() <= 48
        && numbers
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b' ' | b'.' | b',' | b'%' | b'/' | b'-'))
}

/// A number with one of a few units.
fn is_size(value: &str) -> bool {
    let digits = value.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
    let (number, unit) = value.split_at(digits);
    number.len() <= 8 && number.parse::<f32>().is_ok() && matches!(unit, "" | "px" | "rem" | "em" | "%" | "ch")
}

/// Family names without quotes, with commas between.
fn is_font(value: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b' ' | b',' | b'-');
    !value.trim().is_empty() && value.len() <= 200 && value.bytes().all(plain)
}

/// The variables of a chain as a stylesheet.
pub(super) fn vars_css(chain: &[Manifest]) -> String {
    let mut light: BTreeMap<String, &str> = BTreeMap::new();
    let mut dark: BTreeMap<String, &str> = BTreeMap::new();
    for theme in chain.iter().rev() {
        put(&mut light, "", &theme.colors.light);
        put(&mut light, "", &theme.sizes);
        put(&mut light, "font-", &theme.fonts);
        put(&mut dark, "", &theme.colors.dark);
    }
    let mut css = String::from(":root {\n  color-scheme: light dark;\n");
    declare(&mut css, "  ", &light);
    css.push_str("}\n@media (prefers-color-scheme: dark) {\n  :root {\n");
    declare(&mut css, "    ", &dark);
    css.push_str("  }\n}\n");
    css
}

fn put<'a>(into: &mut BTreeMap<String, &'a str>, prefix: &str, variables: &'a BTreeMap<String, String>) {
    into.extend(
        variables
            .iter()
            .map(|(name, value)| (format!("{prefix}{name}"), value.as_str())),
    );
}

fn declare(css: &mut String, indent: &str, variables: &BTreeMap<String, &str>) {
    for (name, value) in variables {
        // Writing to a String can't fail.
        let _ = writeln!(css, "{indent}--{name}: {value};");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_values_are_taken() {
        for good in [
            "#fff",
            "#0b6e5dff",
            "rgb(1 2 3 / 50%)",
            "oklch(0.62 0.12 180)",
            "hsl(210, 40%, 98%)",
        ] {
            assert!(is_color(good), "{good}");
        }
        for good in ["12px", "0", "1.5rem", "100%"] {
            assert!(is_size(good), "{good}");
        }
        assert!(is_font("Iowan Old Style, Georgia, serif"));
    }

    #[test]
    fn a_value_cannot_break_out_of_its_declaration() {
        let hostile = [
            "red;}body{display:none",
            "#fff;color:red",
            "url(https://evil.example/x)",
            "rgb(0,0,0);background:url(//evil.example)",
            "rgb(var(--x))",
            "#ffff0",
            "expression(alert(1))",
            "</style><script>",
            "\\3b",
            "/**/",
            "",
        ];
        for value in hostile {
            assert!(!is_color(value) && !is_size(value) && !is_font(value), "{value}");
        }
    }
}
