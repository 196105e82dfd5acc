//! What chores that use the provider as people and apps do have in common.

#[cfg(any(feature = "story", feature = "bench"))]
pub mod page;
pub mod pkce;
