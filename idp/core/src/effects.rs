//! Carrying out what plugins ask for. Only this module does.
