//! Whatever is typed in an app.
