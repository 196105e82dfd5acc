//! How a pointer is moved.
