//! Journeys over HTTP, each told in one test.

mod account_page;
mod addresses;
mod attacks;
mod authorization;
mod bad_input;
mod client_authentication;
mod codes;
mod crash;
mod disabled;
mod forgery;
mod library;
mod logout;
mod one_time_codes;
mod recovery;
mod redirect_uris;
mod refresh;
mod restart;
mod rhythm;
mod secrets;
mod sign_in;
mod signals;
mod single_sign_on;
mod strangers;
mod surface;
mod tokens;
mod watch;
