//! A text that is typed again and again, such as the identifier.
