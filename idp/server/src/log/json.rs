//! A log line as one JSON object, in the shape of `tracing-subscriber`'s own. That one parses the fields of the span again for each
//! line that is written in it, which costs more than a whole request for the published keys; here they are made once and copied.

use std::fmt::{self, Write as _};
use tracing::field::{Field, Visit};
use tracing::span::Record;
use tracing::{Event, Subscriber};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

/// Fields as the members of a JSON object, without its braces.
pub(super) struct Members;

/// An event with the fields of the span that it happened in.
pub(super) struct Line;

impl<'w> FormatFields<'w> for Members {
    fn format_fields<R: RecordFields>(&self, mut writer: Writer<'w>, fields: R) -> fmt::Result {
        writer.write_str(&members(&fields, ""))
    }

    /// Of a field that is recorded twice, the first value stays: no name comes twice.
    fn add_fields(&self, current: &'w mut FormattedFields<Self>, fields: &Record<'_>) -> fmt::Result {
        let more = members(fields, &current.fields);
        if !current.fields.is_empty() && !more.is_empty() {
            current.fields.push(',');
        }
        current.fields.push_str(&more);
        Ok(())
    }
}

fn members<R: RecordFields>(fields: &R, before: &str) -> String {
    let mut members = Writing {
        before,
        out: String::with_capacity(128),
    };
    fields.record(&mut members);
    members.out
}

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'s> LookupSpan<'s>,
    N: for<'w> FormatFields<'w> + 'static,
{
    fn format_event(&self, cx: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let meta = event.metadata();
        writer.write_str(r#"{"timestamp":""#)?;
        SystemTime.format_time(&mut writer)?;
        write!(writer, r#"","level":"{}","fields":{{"#, meta.level())?;
        writer.write_str(&members(&event, ""))?;
        write!(writer, r#"}},"target":"{}""#, meta.target())?;
        if let Some(span) = cx.lookup_current() {
            write!(writer, r#","span":{{"name":"{}""#, span.name())?;
            if let Some(fields) = span
                .extensions()
                .get::<FormattedFields<N>>()
                .filter(|fields| !fields.is_empty())
            {
                writer.write_char(',')?;
                writer.write_str(fields)?;
            }
            writer.write_char('}')?;
        }
        writer.write_str("}\n")
    }
}

/// Members in the making.
struct Writing<'a> {
    /// Members that are there already.
    before: &'a str,
    out: String,
}

impl Writing<'_> {
    /// Writes a member, unless there is one of its name. Within a value the name's closing quote would be escaped, so none is
    /// mistaken for it.
    fn member(&mut self, field: &Field, value: impl FnOnce(&mut String)) {
        let name = field.name();
        let quoted = |text: &str| {
            let mut found = text.match_indices(name);
            found.any(|(at, _)| text[..at].ends_with('"') && text[at + name.len()..].starts_with("\":"))
        };
        if quoted(self.before) || quoted(&self.out) {
            return;
        }
        if !self.out.is_empty() {
            self.out.push(',');
        }
        // A field's name is a Rust identifier, with dots at most.
        self.out.push('"');
        self.out.push_str(name);
        self.out.push_str("\":");
        value(&mut self.out);
    }

    fn show(&mut self, field: &Field, value: impl fmt::Display) {
        self.member(field, |out| {
            let _written = write!(out, "{value}");
        });
    }
}

impl Visit for Writing<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        match value.is_finite() {
            true => self.show(field, value),
            false => self.member(field, |out| out.push_str("null")),
        }
    }
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.show(field, value);
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.show(field, value);
    }
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.show(field, value);
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        self.member(field, |out| text(out, value));
    }
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.member(field, |out| text(out, &format!("{value:?}")));
    }
}

fn text(out: &mut String, value: &str) {
    // Writing a text into memory doesn't fail.
    out.push_str(&serde_json::to_string(value).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::{Value, json};
    use std::io;
    use std::sync::{Arc, Mutex};
    use tracing_subscriber::layer::SubscriberExt as _;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn lines(happens: impl FnOnce()) -> Vec<Value> {
        let kept = Kept::default();
        let writer = kept.clone();
        let layer = tracing_subscriber::fmt::layer()
            .with_writer(move || writer.clone())
            .event_format(Line)
            .fmt_fields(Members);
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), happens);
        let written = kept.0.lock().unwrap();
        let text = std::str::from_utf8(&written).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn a_line_has_its_own_fields_and_those_of_its_span() {
        let lines = lines(|| {
            let span = tracing::info_span!("request", id = "x", client = tracing::field::Empty, n = 3);
            let _in = span.enter();
            tracing::Span::current().record("client", "app");
            tracing::warn!(status = 200_u16, ms = 1.5, ok = true, less = -1, "done");
        });
        let [line] = lines.as_slice() else { panic!("{lines:?}") };
        assert_eq!(line["level"], "WARN");
        assert_eq!(
            line["fields"],
            json!({"message": "done", "status": 200, "ms": 1.5, "ok": true, "less": -1})
        );
        assert_eq!(line["span"], json!({"name": "request", "id": "x", "n": 3, "client": "app"}));
        assert!(line["timestamp"].as_str().unwrap().ends_with('Z'));
    }

    /// Who chooses a value can neither begin a line nor add a field.
    #[test]
    fn a_hostile_value_stays_a_value() {
        let hostile = "x\"}\n{\"level\":\"ERROR\",\"client\":\"evil";
        let lines = lines(|| {
            let span = tracing::info_span!("request", id = hostile, client = tracing::field::Empty);
            let _in = span.enter();
            tracing::Span::current().record("client", "first");
            tracing::Span::current().record("client", "second");
            tracing::info!(why = %hostile, not = f64::NAN, debugged = ?hostile, "{}", hostile);
        });
        let [line] = lines.as_slice() else { panic!("{lines:?}") };
        assert_eq!(line["fields"]["why"], hostile);
        assert_eq!(line["fields"]["message"], hostile);
        assert_eq!(line["fields"]["not"], Value::Null);
        assert_eq!(line["span"]["id"], hostile);
        assert_eq!(line["span"]["client"], "first");
    }
}
