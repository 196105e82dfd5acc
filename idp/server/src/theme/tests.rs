#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::page::{ErrorPage, SignOut, Trouble, sample};
use scraper::{ElementRef, Html, Selector};
use std::path::Path;

fn themes() -> Themes {
    Themes::load(None, "default", false).unwrap()
}

/// A folder with one theme, `acme`, of these files.
fn acme(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join("acme").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

fn findings(folder: &Path) -> String {
    let report = check(Some(folder), "acme", None).unwrap();
    report.findings.iter().map(|finding| format!("{finding}\n")).collect()
}

/// `GAIT_THEME_OUT` names a folder where the pages are written, to be looked at.
fn check_clean(name: &str) {
    let out = std::env::var_os("GAIT_THEME_OUT").map(|out| PathBuf::from(out).join(name));
    let report = check(None, name, out.as_deref()).unwrap();
    let findings: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
    assert!(report.is_clean(), "{}", findings.join("\n"));
    assert_eq!(report.locales, ["de", "en"]);
    assert_eq!(report.rendered, 2 * (sample::pages().len() + sample::mails().len()));
}

#[test]
fn the_default_theme_is_clean() {
    check_clean("default");
}

#[test]
fn the_paper_theme_is_clean() {
    check_clean("paper");
}

const PLAIN: (&str, &str) = ("theme.toml", "name = \"acme\"\n");

#[test]
fn a_theme_of_three_lines_is_a_theme() {
    let folder = acme(&[(
        "theme.toml",
        "name = \"acme\"\ntitle = \"Acme\"\ncolors.light.accent = \"#7a1fa2\"\n",
    )]);
    assert_eq!(findings(folder.path()), "");
    let themes = Themes::load(Some(folder.path().to_owned()), "acme", false).unwrap();
    let html = themes.render(None, &Locale::english(), &Page::SignedOut).unwrap();
    assert!(html.contains("· Acme</title>"));
    let css = themes.asset("acme/vars.css").unwrap();
    assert!(String::from_utf8_lossy(&css.bytes).contains("--accent: #7a1fa2;"));
    assert_eq!(
        themes.asset("acme/theme.css").unwrap().bytes,
        themes.asset("default/theme.css").unwrap().bytes
    );
}

#[test]
fn each_mistake_is_found() {
    let mistakes: [(&str, &str, &str); 8] = [
        ("pages/signed-out.html", "{{ page.nothing }}", "undefined"),
        ("pages/signed-out.html", "{{ t('no-such-key') }}", "no message `no-such-key`"),
        ("pages/signed-out.html", "{% if %}", "syntax error"),
        ("pages/signed-out.html", "{% extends 'nowhere.html' %}", "nowhere.html"),
        (
            "pages/signed-out.html",
            "{{ asset('nothing.png') }}",
            "there is no static/nothing.png",
        ),
        ("pages/singed-out.html", "x", "no page or mail has this name"),
        (
            "lang/en.ftl",
            "acme-slogan = Hello\n",
            "`acme-slogan` of acme/lang/en.ftl is not translated",
        ),
        ("mail/otp.txt", "{{ args.nothing }}", "mail/otp.txt"),
    ];
    for (path, text, expected) in mistakes {
        let folder = acme(&[PLAIN, (path, text)]);
        let found = findings(folder.path());
        assert!(found.contains(expected), "{path}: {text}\n{found}");
    }
}

#[test]
fn a_message_that_cannot_be_read_is_found_with_its_line() {
    let folder = acme(&[PLAIN, ("lang/en.ftl", "good = yes\nbad { = no\n")]);
    let found = findings(folder.path());
    assert!(found.contains("acme/lang/en.ftl, line 2"), "{found}");
}

#[test]
fn a_bad_manifest_is_found_and_refused_at_start() {
    let bad = [
        "name = \"acme\"\ncolors.light.bg = \"red;}body{display:none\"",
        "name = \"acme\"\ncolors.light.\"bg:url(x);\" = \"#fff\"",
        "name = \"acme\"\nfonts.body = \"x;} @import url(//evil.example)\"",
        "name = \"acme\"\nlogo = \"../../../etc/passwd\"",
        "name = \"acme\"\nparent = \"acme\"",
        "name = \"acme\"\nparent = \"nowhere\"",
        "name = \"other\"",
        "name = \"acme\"\ncolour = 1",
        "name = ",
    ];
    for toml in bad {
        let folder = acme(&[("theme.toml", toml)]);
        assert!(!findings(folder.path()).is_empty(), "{toml}");
        assert!(
            Themes::load(Some(folder.path().to_owned()), "default", false).is_err(),
            "{toml}"
        );
    }
}

#[test]
fn words_that_cannot_be_read_on_their_ground_are_found() {
    let folder = acme(&[("theme.toml", "name = \"acme\"\ncolors.light.muted = \"#bbbbbb\"\n")]);
    assert!(findings(folder.path()).contains("light: `muted` on `surface` has a contrast of 1.92"));
}

#[test]
fn a_broken_theme_locks_nobody_out_but_shows_its_error_to_its_designer() {
    let folder = acme(&[PLAIN, ("pages/signed-out.html", "{{ page.nothing }}")]);
    let load = |reload| Themes::load(Some(folder.path().to_owned()), "acme", reload).unwrap();
    assert!(
        load(false)
            .render(None, &Locale::english(), &Page::SignedOut)
            .unwrap()
            .contains("You are signed out")
    );
    assert!(load(true).render(None, &Locale::english(), &Page::SignedOut).is_err());
}

#[test]
fn with_reload_an_edited_theme_shows_at_once() {
    let folder = acme(&[PLAIN, ("pages/signed-out.html", "one")]);
    let themes = Themes::load(Some(folder.path().to_owned()), "acme", true).unwrap();
    let show = || themes.render(None, &Locale::english(), &Page::SignedOut).unwrap();
    assert_eq!(show(), "one");
    std::fs::write(folder.path().join("acme/pages/signed-out.html"), "two").unwrap();
    assert_eq!(show(), "two");
}

#[test]
fn a_theme_draws_one_factor_specially_and_changes_one_word() {
    let folder = acme(&[
        PLAIN,
        (
            "factors/email-otp.html",
            "{% extends 'pages/factor.html' %}{% block title %}Special{% endblock %}",
        ),
        ("lang/en.ftl", "otp-submit = Go\n"),
        ("lang/de.ftl", "otp-submit = Los\n"),
    ]);
    assert_eq!(findings(folder.path()), "");
    let themes = Themes::load(Some(folder.path().to_owned()), "default", false).unwrap();
    let (_, page) = sample::pages().into_iter().find(|(name, _)| name == "factor-code").unwrap();
    let show = |tag| themes.render(Some("acme"), &Locale::parse(tag).unwrap(), &page).unwrap();
    assert!(show("en").contains("Special · Gait") && show("en").contains(">Go<") && show("de").contains(">Los<"));
    assert!(
        !themes
            .render(Some("nobody"), &Locale::english(), &page)
            .unwrap()
            .contains("Special")
    );
}

#[test]
fn what_a_stranger_wrote_is_words_and_never_markup() {
    let hostile = "\"><svg onload=alert(1)>'&<!--";
    let themes = themes();
    let pages = [
        Page::Error(ErrorPage::new(Trouble::App, hostile).with(hostile, hostile)),
        Page::SignOut(SignOut {
            csrf: hostile.to_owned(),
            client: Some(hostile.to_owned()),
            account: hostile.to_owned(),
            params: vec![(hostile.to_owned(), hostile.to_owned())],
        }),
    ];
    for page in pages {
        for theme in ["default", "paper"] {
            let html = themes.render(Some(theme), &Locale::english(), &page).unwrap();
            assert!(!html.contains("<svg onload"), "{html}");
            assert!(!html.contains("<!--"), "{html}");
        }
    }
    for (_, html) in printed() {
        assert!(!html.contains("<script>alert") && !html.contains("<b>"), "{html}");
    }
}

#[test]
fn a_mail_has_a_subject_of_one_line_and_both_parts() {
    let args: BTreeMap<String, String> = [
        ("code", "042917"),
        ("label", "K7\r\nBcc: x@evil.example"),
        ("minutes", "10"),
        ("client", ""),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    let mail = themes().mail(None, &Locale::parse("de").unwrap(), "otp", &args).unwrap();
    assert!(!mail.subject.contains(['\r', '\n']), "{}", mail.subject);
    assert!(
        !mail.subject.contains("042917"),
        "a code in a subject shows on a locked phone and in a mail server's log"
    );
    assert!(mail.text.contains("042917") && mail.html.contains("042917"));
    assert!(mail.text.contains("10 Minuten"), "{}", mail.text);
    assert!(!mail.text.contains('\u{2068}'), "isolation marks");
}

#[test]
fn a_mail_that_no_theme_knows_is_an_error() {
    assert!(themes().mail(None, &Locale::english(), "../otp", &BTreeMap::new()).is_err());
}

#[test]
fn a_static_file_has_a_type_and_a_tag_and_nothing_else_is_served() {
    let themes = themes();
    let css = themes.asset("paper/theme.css").unwrap();
    assert_eq!(css.content_type, "text/css; charset=utf-8");
    assert!(css.etag.starts_with('"') && css.etag.ends_with('"'));
    assert_eq!(
        themes.asset("paper/countdown.js").unwrap().content_type,
        "text/javascript; charset=utf-8"
    );
    for path in [
        "default/../theme.toml",
        "default/theme.toml",
        "default/../../Cargo.toml",
        "../Cargo.toml",
        "default/",
        "",
    ] {
        assert!(themes.asset(path).is_none(), "{path}");
    }
}

/// Every page of both themes.
fn printed() -> Vec<(String, String)> {
    let themes = themes();
    let mut printed = Vec::new();
    for theme in ["default", "paper"] {
        for (name, page) in sample::pages() {
            let html = themes.render(Some(theme), &Locale::english(), &page).unwrap();
            printed.push((format!("{theme}/{name}"), html));
        }
    }
    printed
}

fn all<'a>(html: &'a Html, selector: &str) -> Vec<ElementRef<'a>> {
    let selector = Selector::parse(selector).unwrap();
    html.select(&selector).collect()
}

#[test]
fn no_page_has_an_inline_script_or_style_or_anything_of_a_third_party() {
    for (name, html) in printed() {
        let page = Html::parse_document(&html);
        assert!(all(&page, "style, [style], script:not([src])").is_empty(), "{name}");
        let handlers = all(&page, "*")
            .into_iter()
            .flat_map(|element| element.value().attrs())
            .find(|(name, _)| name.starts_with("on"));
        assert_eq!(handlers, None, "{name}");
        for element in all(&page, "[src], link[href], [srcset]") {
            let attrs = ["src", "href", "srcset"].into_iter().filter_map(|attr| element.attr(attr));
            attrs.for_each(|address| assert!(address.starts_with("/static/"), "{name}: {address}"));
        }
    }
}

#[test]
fn every_form_of_ours_carries_csrf_and_goes_on_with_its_first_button() {
    for (name, html) in printed() {
        let page = Html::parse_document(&html);
        for form in all(&page, "form") {
            assert_eq!(form.attr("method"), Some("post"), "{name}");
            let ours = form.attr("action").is_none_or(|action| action.starts_with('/'));
            // Behind a mailed link, the link itself is the secret; and whoever asks for one has no session yet.
            let kind = name.rsplit('/').next().unwrap_or_default();
            let by_link = kind.starts_with("recovery-") || (kind.starts_with("approval") && kind != "approval-sent");
            let csrf = form
                .select(&Selector::parse("input[type=hidden][name=csrf]").unwrap())
                .count();
            assert_eq!(csrf, usize::from(ours && !by_link), "{name}");
            let buttons = Selector::parse("button[type=submit]").unwrap();
            let first = form.select(&buttons).next().expect("a form has a button");
            let away =
                ["cancel", "other", "report"].map(Some).contains(&first.attr("name")) || first.attr("value") == Some("deny");
            assert!(!away, "{name}");
        }
    }
}

#[test]
fn every_page_can_be_used_without_seeing_it() {
    for (name, html) in printed() {
        let page = Html::parse_document(&html);
        assert_eq!(all(&page, "html[lang=en][dir=ltr]").len(), 1, "{name}");
        assert_eq!(all(&page, "h1").len(), 1, "{name}");
        assert_eq!(all(&page, "main").len(), 1, "{name}");
        assert!(all(&page, "[autofocus]").len() <= 1, "{name}");
        let mut ids: Vec<_> = all(&page, "[id]").iter().filter_map(|element| element.attr("id")).collect();
        ids.sort_unstable();
        assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "{name}: {ids:?}");
        for input in all(&page, "input:not([type=hidden]):not([aria-hidden]):not([type=checkbox])") {
            let id = input.attr("id").expect("an input has an id");
            assert_eq!(all(&page, &format!("label[for=\"{id}\"]")).len(), 1, "{name}: {id}");
            assert!(input.attr("autocomplete").is_some(), "{name}: {id}");
        }
        for reference in all(&page, "[aria-describedby]")
            .iter()
            .filter_map(|element| element.attr("aria-describedby"))
        {
            let missing = reference.split_whitespace().find(|id| !ids.contains(id));
            assert_eq!(missing, None, "{name}");
        }
    }
}

#[test]
fn the_consent_to_be_measured_is_never_ticked_beforehand() {
    for (name, html) in printed() {
        let page = Html::parse_document(&html);
        assert!(all(&page, "[checked]").is_empty(), "{name}");
    }
}

#[test]
fn the_sign_in_page_measures_only_where_it_may() {
    for (name, html) in printed() {
        let page = Html::parse_document(&html);
        let collects = usize::from(name.ends_with("/sign-in") || name.ends_with("/sign-in-own"));
        assert_eq!(
            all(
                &page,
                "form[data-collect=signin] input[type=hidden][name=behavior][value=\"\"]"
            )
            .len(),
            collects,
            "{name}"
        );
        assert_eq!(
            all(&page, "script[type=module][src=\"/static/collect-signin.js\"]").len(),
            collects,
            "{name}"
        );
    }
}

/// Every `Text::new("key", …)` of the core and of the plugins that ship with it, with the file that says it; tests say what they like.
fn said() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let sources = [
        "idp/core/src",
        "plugins/password/src",
        "plugins/email-otp/src",
        "plugins/ip-trust/src",
        "plugins/behavior/src",
    ];
    let mut folders: Vec<PathBuf> = sources.iter().map(|source| root.join(source)).collect();
    let mut said = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.to_string_lossy().contains("test") {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let tests = ["#[cfg(test)]", "#[cfg(all(test"]
                .into_iter()
                .filter_map(|mark| text.find(mark))
                .min();
            let code = &text[..tests.unwrap_or(text.len())];
            let keys = code
                .split("Text::new(")
                .skip(1)
                .filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next());
            said.extend(keys.map(|key| (key.to_owned(), path.display().to_string())));
        }
    }
    said
}

#[test]
fn whatever_the_core_and_the_built_in_plugins_say_is_translated() {
    let sources = Sources::default();
    let chain = Manifest::chain(&sources, ROOT).unwrap();
    let keys = messages::keys(&sources, &chain[0], &Locale::english()).unwrap();
    // A plugin that is gone has no words but its id.
    let silent: Vec<_> = said()
        .into_iter()
        .filter(|(key, _)| key != "unknown-plugin" && !keys.contains(key))
        .collect();
    assert!(silent.is_empty(), "{silent:#?}");
}
