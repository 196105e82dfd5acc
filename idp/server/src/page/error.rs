//! The page that says what went wrong, and by which request id the operator finds it in the log.

use gait_core::error::Error;
use gait_core::flow::FlowError;
use gait_sdk::Text;
use serde::Serialize;

/// Kinds of trouble that a person may be told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// A flow or link that is unknown, expired, answered, or another browser's.
    Gone,
    /// A recovery link that is unknown, expired or used.
    RecoveryGone,
    /// The page was out of date: `csrf` of an earlier step.
    OutOfDate,
    /// The request came from another site.
    Foreign,
    /// The request is malformed.
    Bad,
    /// An app sent the person here with a wrong request.
    App,
    /// There is no such page.
    NotFound,
    /// The method isn't allowed here.
    Method,
    /// Too large.
    TooLarge,
    /// Too many requests.
    TooMany,
    /// A backend is away.
    Away,
    /// Our own fault.
    Internal,
}

impl Trouble {
    /// Every kind, for the theme check.
    pub const ALL: [Self; 12] = [
        Self::Gone,
        Self::RecoveryGone,
        Self::OutOfDate,
        Self::Foreign,
        Self::Bad,
        Self::App,
        Self::NotFound,
        Self::Method,
        Self::TooLarge,
        Self::TooMany,
        Self::Away,
        Self::Internal,
    ];

    /// HTTP status (RFC 9110 §15, RFC 6585).
    pub fn status(self) -> u16 {
        match self {
            Self::Bad | Self::App | Self::OutOfDate => 400,
            Self::Foreign => 403,
            Self::NotFound => 404,
            Self::Method => 405,
            Self::Gone | Self::RecoveryGone => 410,
            Self::TooLarge => 413,
            Self::TooMany => 429,
            Self::Internal => 500,
            Self::Away => 503,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::RecoveryGone => "recovery-gone",
            Self::OutOfDate => "out-of-date",
            Self::Foreign => "foreign",
            Self::Bad => "bad",
            Self::App => "app",
            Self::NotFound => "not-found",
            Self::Method => "method",
            Self::TooLarge => "too-large",
            Self::TooMany => "too-many",
            Self::Away => "away",
            Self::Internal => "internal",
        }
    }
}

impl From<&FlowError> for Trouble {
    fn from(error: &FlowError) -> Self {
        match error {
            FlowError::Gone => Self::Gone,
            FlowError::OutOfDate => Self::OutOfDate,
            FlowError::Bad(_) => Self::Bad,
            FlowError::Core(core) if core.is_away() => Self::Away,
            FlowError::Core(Error::TooMany(_)) => Self::TooMany,
            FlowError::Core(_) => Self::Internal,
        }
    }
}

/// Something went wrong.
#[derive(Clone, Debug, Serialize)]
pub struct ErrorPage {
    /// HTTP status.
    pub status: u16,
    /// Heading.
    pub title: Text,
    /// What the person can do.
    pub message: Text,
    /// OAuth error code, or our own short one.
    pub code: String,
    /// For the developer who reads the page.
    pub detail: Option<String>,
    /// The request's id.
    pub request_id: String,
}

impl ErrorPage {
    /// The page for `trouble`.
    pub fn new(trouble: Trouble, request_id: &str) -> Self {
        let name = trouble.name();
        Self {
            status: trouble.status(),
            title: Text::new(&format!("error-{name}-title"), "Something went wrong"),
            message: Text::new(&format!("error-{name}"), "Please go back and try again."),
            code: name.replace('-', "_"),
            detail: None,
            request_id: request_id.to_owned(),
        }
    }

    /// With a code of a protocol, and words for the developer.
    #[must_use]
    pub fn with(mut self, code: &str, detail: &str) -> Self {
        self.code = code.to_owned();
        self.detail = Some(detail.to_owned());
        self
    }
}
