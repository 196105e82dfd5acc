//! Every page and every mail with sample values, for the theme check: long names, hostile names, and each state that a page has.

mod account;

use super::*;
use account::account;
use gait_sdk::{Choice, Field, Form, Node, Text, Timestamp};
use std::collections::BTreeMap;

/// 2026-03-09 14:05 UTC.
const NOW: Timestamp = Timestamp(1_773_065_100);
const CHROME: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1";

/// The pages, each with the name of its file.
pub fn pages() -> Vec<(String, Page)> {
    let mut pages = flow_pages();
    pages.extend(approval_pages());
    pages.extend(recovery_pages());
    pages.extend(way_out());
    pages.push(("account".to_owned(), Page::Account(Box::new(account(true)))));
    pages.push(("account-new".to_owned(), Page::Account(Box::new(account(false)))));
    for trouble in Trouble::ALL {
        let mut page = ErrorPage::new(trouble, "req-7Q2M4X");
        if trouble == Trouble::App {
            page = page.with("invalid_request", "redirect_uri is not registered for this client");
        }
        pages.push((format!("error-{}", page.code.replace('_', "-")), Page::Error(page)));
    }
    pages.push(("mails".to_owned(), Page::Mails(caught())));
    pages
}

/// The mails: template and arguments, once as plain as can be and once with everything that may be missing.
pub fn mails() -> Vec<(&'static str, BTreeMap<String, String>)> {
    let link = ("link", "https://id.example/approve/9mT2vQ7dK1xR");
    let minutes = ("minutes", "30");
    vec![
        (
            "otp",
            args(&[
                ("code", "042917"),
                ("label", "K7"),
                ("minutes", "10"),
                ("client", "Field Notes"),
            ]),
        ),
        (
            "otp",
            args(&[("code", "042917"), ("label", "K7"), ("minutes", "1"), ("client", "")]),
        ),
        ("ip-approval", core_args(&[link, minutes, ("client", "Field Notes")])),
        (
            "ip-approval",
            core_args(&[link, minutes, ("client", ""), ("address", "unknown"), ("browser", "")]),
        ),
        ("recovery", core_args(&[link, minutes])),
        ("password-changed", core_args(&[link])),
        (
            "credential-changed",
            core_args(&[link, ("plugin", "password"), ("kind", "Password"), ("change", "update")]),
        ),
        (
            "credential-changed",
            core_args(&[link, ("plugin", "forty-two"), ("kind", "The <answer>"), ("change", "create")]),
        ),
        (
            "credential-changed",
            core_args(&[
                link,
                ("plugin", "ip-trust"),
                ("kind", "A trusted address"),
                ("change", "delete"),
            ]),
        ),
    ]
}

fn args(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// What every mail of the core has, and more.
fn core_args(more: &[(&str, &str)]) -> BTreeMap<String, String> {
    let mut all = args(&[
        ("account", "alice"),
        ("when", "2026-03-09 14:05 UTC"),
        ("address", "203.0.113.24"),
        ("browser", CHROME),
    ]);
    all.extend(args(more));
    all
}

fn frame() -> Frame {
    Frame {
        csrf: "c5rF".to_owned(),
        client: Some("Field Notes".to_owned()),
        account: Some("alice".to_owned()),
        error: None,
        notice: None,
        others: Vec::new(),
        sign_in: true,
        again: false,
        step_up: None,
    }
}

fn flow_pages() -> Vec<(String, Page)> {
    let named = |name: &str, page: Page| (name.to_owned(), page);
    let mut pages = sign_ins();
    pages.extend(factors());
    pages.push(named(
        "select-account",
        Page::SelectAccount(SelectAccount {
            frame: frame(),
            current: "alice".to_owned(),
        }),
    ));
    pages.push(named("consent", Page::Consent(consent())));
    pages.push(named(
        "watch-consent",
        Page::WatchConsent(WatchConsent {
            frame: frame(),
            text_version: "2026-03".to_owned(),
            record_days: 7,
            model_days: 400,
            reauth_minutes: 60,
        }),
    ));
    pages.push(named(
        "approval-sent",
        Page::ApprovalSent(ApprovalSent {
            frame: frame(),
            code: "PYGMKJ".to_owned(),
        }),
    ));
    pages
}

fn sign_ins() -> Vec<(String, Page)> {
    let sign_in = SignIn {
        frame: Frame {
            account: None,
            others: vec![way_otp()],
            ..frame()
        },
        identifier: String::new(),
        form: password(),
        asks: true,
        collect: true,
        collect_password: true,
        recovery: true,
    };
    let failed = SignIn {
        frame: Frame {
            client: Some("<b>\"Café & Söhne\"</b> — an app with a very long name that nobody shortened".to_owned()),
            error: Some(Text::new(
                "password-wrong",
                "That didn't match. Check what you typed and try again.",
            )),
            ..sign_in.frame.clone()
        },
        identifier: "alice\"><script>alert(1)</script>".to_owned(),
        collect: false,
        collect_password: false,
        ..sign_in.clone()
    };
    let own = SignIn {
        frame: Frame {
            client: None,
            others: Vec::new(),
            ..sign_in.frame.clone()
        },
        recovery: false,
        ..sign_in.clone()
    };
    let name_only = SignIn {
        form: bare("sign-in-title", "sign-in-continue"),
        asks: false,
        collect: false,
        collect_password: false,
        ..sign_in.clone()
    };
    vec![
        ("sign-in-name-only".to_owned(), Page::SignIn(name_only)),
        ("sign-in".to_owned(), Page::SignIn(sign_in)),
        ("sign-in-failed".to_owned(), Page::SignIn(failed)),
        ("sign-in-own".to_owned(), Page::SignIn(own)),
    ]
}

fn factors() -> Vec<(String, Page)> {
    let factor = |plugin: &str, form: Form, frame: Frame| Page::Factor(Factor::new(frame, plugin, form));
    let wrong = Text::new("otp-wrong", "That isn't the code.").with("label", "K7");
    let step_up = StepUp {
        reasons: vec![
            Text::new("reason-typing", "The typing rhythm is different from usual."),
            Text::new("reason-pointer", "The pointer moves differently from usual."),
        ],
        minutes: 10,
    };
    let all_reasons = StepUp {
        reasons: ["signal", "other"]
            .map(|name| Text::new(&format!("reason-{name}"), ""))
            .to_vec(),
        minutes: 1,
    };
    let named = |name: &str, page: Page| (name.to_owned(), page);
    vec![
        named(
            "factor-code",
            factor(
                "email-otp",
                code(),
                Frame {
                    others: vec![way_password()],
                    ..frame()
                },
            ),
        ),
        named(
            "factor-code-wrong",
            factor(
                "email-otp",
                code(),
                Frame {
                    error: Some(wrong),
                    ..frame()
                },
            ),
        ),
        named("factor-code-again", factor("email-otp", code_again(), frame())),
        named(
            "factor-password",
            factor(
                "password",
                password(),
                Frame {
                    others: vec![way_otp()],
                    again: true,
                    sign_in: false,
                    ..frame()
                },
            ),
        ),
        named(
            "factor-enrol",
            factor(
                "password",
                new_password(),
                Frame {
                    client: None,
                    sign_in: false,
                    ..frame()
                },
            ),
        ),
        named(
            "factor-dead-end",
            factor(
                "email-otp",
                dead_end(),
                Frame {
                    step_up: Some(step_up.clone()),
                    sign_in: false,
                    ..frame()
                },
            ),
        ),
        named(
            "factor-any",
            factor("forty-two", every_node(), Frame { client: None, ..frame() }),
        ),
        named(
            "step-up",
            factor(
                "email-otp",
                code(),
                Frame {
                    step_up: Some(step_up.clone()),
                    sign_in: false,
                    others: vec![way_password()],
                    ..frame()
                },
            ),
        ),
        named(
            "step-up-password",
            factor(
                "password",
                password(),
                Frame {
                    step_up: Some(all_reasons),
                    sign_in: false,
                    client: None,
                    ..frame()
                },
            ),
        ),
    ]
}

fn way_otp() -> Way {
    Way {
        plugin: "email-otp".to_owned(),
        label: Text::new("otp-name", "A code by e-mail"),
    }
}

fn way_password() -> Way {
    Way {
        plugin: "password".to_owned(),
        label: Text::new("password-name", "Password"),
    }
}

fn field(name: &str, label: Text, autocomplete: &str) -> Field {
    Field {
        name: name.to_owned(),
        label,
        autocomplete: autocomplete.to_owned(),
        max_bytes: 256,
    }
}

fn password() -> Form {
    Form {
        title: Text::new("password-title", "Enter your password"),
        nodes: vec![Node::Secret(field(
            "password",
            Text::new("password-field", "Password"),
            "current-password",
        ))],
        submit: Some(Text::new("password-submit", "Continue")),
    }
}

/// A form with nothing to fill in.
fn bare(title: &str, submit: &str) -> Form {
    Form {
        title: Text::new(title, ""),
        nodes: Vec::new(),
        submit: Some(Text::new(submit, "")),
    }
}

fn dead_end() -> Form {
    let text = Text::new("no-way-text", "");
    Form {
        nodes: vec![Node::Paragraph { text }],
        ..bare("no-way-title", "try-again")
    }
}

fn new_password() -> Form {
    let hint = Text::new("password-new-hint", "At least 8 characters.").with("min", 8);
    Form {
        title: Text::new("password-new-title", "Choose a new password"),
        nodes: vec![
            Node::Paragraph { text: hint },
            Node::Secret(field(
                "new_password",
                Text::new("password-new-field", "New password"),
                "new-password",
            )),
        ],
        submit: Some(Text::new("password-new-submit", "Save password")),
    }
}

fn code() -> Form {
    let intro = Text::new("otp-intro", "A code was sent there.")
        .with("label", "K7")
        .with("address", "a••••@example.org")
        .with("minutes", 10);
    let label = Text::new("otp-field", "Code K7, six digits").with("label", "K7");
    Form {
        title: Text::new("otp-title", "Check your mail"),
        nodes: vec![
            Node::Paragraph { text: intro },
            Node::Code(field("code", label, "one-time-code")),
            Node::Button {
                name: "action".to_owned(),
                value: "resend".to_owned(),
                label: Text::new("otp-resend", "Send a new code"),
                wait_s: 30,
            },
        ],
        submit: Some(Text::new("otp-submit", "Continue")),
    }
}

fn code_again() -> Form {
    let mut form = code();
    let text = Text::new("otp-sent-again", "A new code is on its way.");
    form.nodes.insert(0, Node::Notice { text });
    form
}

/// A form with every kind of node, in a plugin's own words where no theme knows them.
fn every_node() -> Form {
    Form {
        title: Text::new("password-title", "Enter your password"),
        nodes: vec![
            Node::Paragraph {
                text: Text::new("password-new-hint", "At least 8 characters.").with("min", 8),
            },
            Node::Show {
                label: Text::new("approval-code", "Code"),
                value: "<42>".to_owned(),
            },
            Node::Text(field("answer", Text::new("identifier", "User name"), "off")),
            Node::Code(field(
                "code",
                Text::new("otp-field", "Code").with("label", "K7"),
                "one-time-code",
            )),
            Node::Choice {
                name: "choice".to_owned(),
                options: yes_no(),
            },
            Node::Button {
                name: "action".to_owned(),
                value: "again".to_owned(),
                label: Text::new("otp-resend", "Send a new code"),
                wait_s: 0,
            },
        ],
        submit: None,
    }
}

fn yes_no() -> Vec<Choice> {
    vec![
        Choice {
            value: "yes".to_owned(),
            label: Text::new("ip-approval-yes", "It was me"),
        },
        Choice {
            value: "no".to_owned(),
            label: Text::new("ip-approval-no", "Not me"),
        },
    ]
}

fn consent() -> Consent {
    let scopes = [
        "profile",
        "email",
        "address",
        "phone",
        "offline_access",
        "continuous_auth",
        "notes:write",
    ];
    Consent {
        frame: frame(),
        scopes: scopes.map(super::flow::reach).to_vec(),
    }
}

fn approval_pages() -> Vec<(String, Page)> {
    let approval = Approval {
        form: was_it_you(),
        asked_at: NOW,
        address: "203.0.113.24".to_owned(),
        device: Device::read(CHROME),
        needs_code: false,
        tries_left: None,
    };
    let elsewhere = Approval {
        needs_code: true,
        tries_left: Some(2),
        device: Device::read(""),
        address: String::new(),
        ..approval.clone()
    };
    let last = Approval {
        needs_code: true,
        tries_left: Some(1),
        device: Device::read(IPHONE),
        ..approval.clone()
    };
    vec![
        ("approval".to_owned(), Page::Approval(approval)),
        ("approval-elsewhere".to_owned(), Page::Approval(elsewhere)),
        ("approval-last-try".to_owned(), Page::Approval(last)),
        ("approval-done".to_owned(), Page::ApprovalDone),
        ("approval-disowned".to_owned(), Page::ApprovalDisowned),
        ("approval-ended".to_owned(), Page::ApprovalEnded),
    ]
}

fn was_it_you() -> Form {
    let paragraph = |key: &str| Node::Paragraph {
        text: Text::new(key, ""),
    };
    let nodes = ["ip-approval-intro", "ip-approval-yes-means", "ip-approval-no-means"].map(paragraph);
    let choice = Node::Choice {
        name: "answer".to_owned(),
        options: yes_no(),
    };
    Form {
        title: Text::new("ip-approval-title", "Was this you?"),
        nodes: nodes.into_iter().chain([choice]).collect(),
        submit: None,
    }
}

fn recovery_pages() -> Vec<(String, Page)> {
    let short = Text::new("password-too-short", "Use at least 8 characters.").with("min", 8);
    vec![
        ("recovery-start".to_owned(), Page::RecoveryStart),
        ("recovery-sent".to_owned(), Page::RecoverySent(RecoverySent { notice: None })),
        (
            "recovery-sent-late".to_owned(),
            Page::RecoverySent(RecoverySent {
                notice: Some(Text::new("mail-delayed", "")),
            }),
        ),
        (
            "recovery-form".to_owned(),
            Page::RecoveryForm(RecoveryForm {
                account: "alice".to_owned(),
                form: new_password(),
                error: Some(short),
            }),
        ),
        ("recovery-done".to_owned(), Page::RecoveryDone),
    ]
}

fn way_out() -> Vec<(String, Page)> {
    let params = vec![("state".to_owned(), "xyz\"&".to_owned())];
    let sign_out = SignOut {
        csrf: "c5rF".to_owned(),
        client: Some("Field Notes".to_owned()),
        account: "alice".to_owned(),
        params: params.clone(),
    };
    let own = SignOut {
        client: None,
        ..sign_out.clone()
    };
    let form_post = FormPost {
        action: "https://notes.example/callback".to_owned(),
        params,
    };
    vec![
        ("sign-out".to_owned(), Page::SignOut(sign_out)),
        ("sign-out-own".to_owned(), Page::SignOut(own)),
        ("signed-out".to_owned(), Page::SignedOut),
        ("form-post".to_owned(), Page::FormPost(form_post)),
    ]
}

fn caught() -> Mails {
    let text = "Your code is 042917.\n\nOr open http://localhost:8080/approve/9mT2vQ7dK1xR\n";
    Mails {
        to: Some("alice@example.org".to_owned()),
        mails: vec![
            CaughtMail::new("alice@example.org", "Your code K7", NOW, text),
            CaughtMail::new(
                "bob@example.org",
                "<script>alert(1)</script>",
                NOW.plus(-60),
                "Hello <b>Bob</b>.",
            ),
        ],
    }
}
