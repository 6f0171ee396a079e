//! Runs third-party code and returns its panic as an error.
//!
//! Suppresses the panic message on this thread during the call only, and never for a panic of newsfold's own code.

use crate::domain::panic_text::panic_text;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    static IS_CATCHING: Cell<bool> = const { Cell::new(false) };
}

/// Returns what `call` returns, or the message of its panic.
pub fn catch_panic<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    static INSTALL_HOOK: Once = Once::new();
    INSTALL_HOOK.call_once(|| {
        let previous = take_hook();
        set_hook(Box::new(move |info| {
            if !IS_CATCHING.get() {
                previous(info);
            }
        }));
    });
    IS_CATCHING.set(true);
    // The caller drops everything that a panicking call has touched, so no half-updated value is seen again.
    let result = catch_unwind(AssertUnwindSafe(call));
    IS_CATCHING.set(false);
    result.map_err(|panic| panic_text(&*panic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panic_becomes_an_error() {
        assert_eq!(catch_panic(|| 1), Ok(1));
        assert_eq!(catch_panic(|| -> u8 { panic!("no {}", "good") }), Err("no good".into()));
    }
}
