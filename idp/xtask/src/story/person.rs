//! A person: knows a user name and a password, reads mail, and does what pages ask.

use crate::browser::{Browser, Landing};
use crate::mailbox::Mailbox;
use anyhow::{Context as _, bail, ensure};
use url::Url;
use xtask::page::Page;

/// Pages of one sign-in; more is going round in circles.
const MAX_PAGES: usize = 12;

/// What a page asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Who, on a page without a password.
    Identifier,
    /// The password.
    Password,
    /// The code of a mail.
    Code,
    /// OAuth consent.
    Consent,
    /// Behaviour consent.
    Watch,
    /// To read a code that another browser will need.
    ApprovalSent,
}

impl Question {
    /// In a word.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Identifier => "user name",
            Self::Password => "password",
            Self::Code => "code by e-mail",
            Self::Consent => "consent",
            Self::Watch => "behaviour consent",
            Self::ApprovalSent => "(approval mailed)",
        }
    }
}

/// A sign-in that came to its end.
pub struct Done {
    /// The authorization response.
    pub response: Url,
    /// What was asked, in order.
    pub asked: Vec<Question>,
    /// The code that the tab showed for the approval.
    pub approval_code: Option<String>,
}

/// How far a person got.
pub enum Walk {
    /// To the end.
    Done(Done),
    /// To a page that asks what they wanted to stop at.
    At(Page),
}

/// A person.
pub struct Person {
    username: String,
    password: String,
    mailbox: Mailbox,
}

impl Person {
    /// Somebody.
    pub fn new(username: &str, password: &str, mailbox: Mailbox) -> Self {
        Self {
            username: username.to_owned(),
            password: password.to_owned(),
            mailbox,
        }
    }

    /// Opens `start` and does what is asked until the browser is sent back to the app.
    ///
    /// # Errors
    /// A page asks what the person doesn't know, or is an error page.
    pub async fn follow(&mut self, browser: &mut Browser, start: Url) -> anyhow::Result<Done> {
        match self.walk(browser, start, None).await? {
            Walk::Done(done) => Ok(done),
            Walk::At(page) => bail!("stopped at {}", page.url.path()),
        }
    }

    /// The same, but stops before answering a question.
    ///
    /// # Errors
    /// As above.
    pub async fn walk(&mut self, browser: &mut Browser, start: Url, until: Option<Question>) -> anyhow::Result<Walk> {
        let (mut asked, mut approval_code) = (Vec::new(), None);
        let mut landing = browser.open(start).await?;
        for _ in 0..MAX_PAGES {
            let page = match landing {
                Landing::Away(response) => {
                    return Ok(Walk::Done(Done {
                        response,
                        asked,
                        approval_code,
                    }));
                }
                Landing::Page(page) => page,
            };
            ensure!(
                page.status == 200,
                "{} answered {}: {}",
                page.url.path(),
                page.status,
                page.text
            );
            let question = recognise(&page)?;
            if until == Some(question) {
                return Ok(Walk::At(page));
            }
            if question == Question::ApprovalSent {
                approval_code = Some(page.shown.first().cloned().context("no code is shown")?);
            }
            asked.push(question);
            landing = self.answer(browser, &page, question).await?;
        }
        bail!("going round in circles: {asked:?}")
    }

    async fn answer(&mut self, browser: &mut Browser, page: &Page, question: Question) -> anyhow::Result<Landing> {
        let code;
        let (control, mut answers): (_, Vec<(&str, &str)>) = match question {
            Question::Identifier => ("identifier", vec![]),
            Question::Password => ("password", vec![("password", &self.password)]),
            Question::Code => {
                code = self.mailed_code().await?;
                ("code", vec![("code", &code)])
            }
            Question::Consent => ("consent", vec![("consent", "allow")]),
            Question::Watch => ("watch", vec![("watch", "yes")]),
            Question::ApprovalSent => ("continue", vec![("continue", "yes")]),
        };
        let form = page.form_with(control).context("the form is gone")?;
        if form.has("identifier") {
            answers.push(("identifier", &self.username));
        }
        browser.submit(page, form, &answers).await
    }

    /// The code of the newest mail.
    ///
    /// # Errors
    /// None comes.
    pub async fn mailed_code(&mut self) -> anyhow::Result<String> {
        self.mailbox.code().await
    }

    /// Presses the newest approval link; returns the page that asks.
    ///
    /// # Errors
    /// There is no link, or the page doesn't ask for what it must.
    pub async fn approval(&mut self, browser: &mut Browser) -> anyhow::Result<Page> {
        let link = self.mailbox.link(&browser.url("/approve/")?).await?;
        let page = on_page(browser.open(Url::parse(&link)?).await?)?;
        let form = page.form_with("answer").context("the link doesn't ask")?;
        ensure!(form.has("code"), "another browser must be asked for the code");
        Ok(page)
    }

    /// Presses the newest approval link and says "It was me", with the code of the sign-in's tab.
    ///
    /// # Errors
    /// There is no link, or the page doesn't ask for what it must.
    pub async fn approve(&mut self, browser: &mut Browser, code: &str) -> anyhow::Result<()> {
        let page = self.approval(browser).await?;
        let form = page.form_with("answer").context("the link doesn't ask")?;
        let after = on_page(browser.submit(&page, form, &[("answer", "yes"), ("code", code)]).await?)?;
        ensure!(
            after.form_with("answer").is_none(),
            "the approval was not accepted: {}",
            after.text
        );
        Ok(())
    }
}

fn on_page(landing: Landing) -> anyhow::Result<Page> {
    match landing {
        Landing::Page(page) => {
            ensure!(
                page.status == 200,
                "{} answered {}: {}",
                page.url.path(),
                page.status,
                page.text
            );
            Ok(page)
        }
        Landing::Away(url) => bail!("sent away to {url}"),
    }
}

fn recognise(page: &Page) -> anyhow::Result<Question> {
    let known = [
        ("password", Question::Password),
        ("identifier", Question::Identifier),
        ("code", Question::Code),
        ("consent", Question::Consent),
        ("watch", Question::Watch),
        ("continue", Question::ApprovalSent),
    ];
    let found = known.into_iter().find(|(control, _)| page.form_with(control).is_some());
    found
        .map(|(_, question)| question)
        .with_context(|| format!("nobody knows what {} asks: {}", page.url.path(), page.text))
}
