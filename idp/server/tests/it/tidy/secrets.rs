//! No secret is printed or stored.

use gait_core::token::secret::Secret;
use serde::Serialize;
use std::fmt::Display;

/// Doesn't compile if the type has the trait: then two implementations of `IsAmbiguous` fit, and neither can be chosen.
macro_rules! assert_has_not {
    ($type:ty, $trait:path) => {
        const _: fn() = || {
            trait IsAmbiguous<A> {
                fn check() {}
            }
            struct WithIt;
            impl<T: ?Sized> IsAmbiguous<()> for T {}
            impl<T: ?Sized + $trait> IsAmbiguous<WithIt> for T {}
            <$type as IsAmbiguous<_>>::check();
        };
    };
}

assert_has_not!(Secret, Display);
assert_has_not!(Secret, Serialize);

#[test]
fn a_secret_shows_nothing_of_itself() {
    let secret = Secret::wrap("correct horse battery staple".to_owned());
    assert_eq!(format!("{secret:?}"), "***");
    assert_eq!(format!("{:#?}", Some(&secret)), "Some(\n    ***,\n)");
}
