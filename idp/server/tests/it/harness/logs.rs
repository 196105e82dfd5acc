//! Everything that is logged while the stories run, for the one that greps it.

use std::io::Write;
use std::sync::{Arc, Mutex, Once};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static ONCE: Once = Once::new();

struct Capture;

impl Write for Capture {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LINES.lock().expect("no panic while logging").extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

struct ToCapture;

impl<'a> MakeWriter<'a> for ToCapture {
    type Writer = Capture;
    fn make_writer(&'a self) -> Capture {
        Capture
    }
}

/// Begins to capture; the first call counts.
pub fn capture() {
    ONCE.call_once(|| {
        let filter = EnvFilter::new("info,gait=trace,gait_core=trace,gait_password=trace,gait_email_otp=trace,sqlx=info");
        let subscriber = tracing_subscriber::fmt()
            .json()
            .with_env_filter(filter)
            .with_writer(ToCapture)
            .finish();
        tracing::subscriber::set_global_default(subscriber).expect("the first subscriber");
    });
}

/// What was logged so far.
pub fn text() -> Arc<str> {
    String::from_utf8_lossy(&LINES.lock().expect("no panic while logging")).into()
}
