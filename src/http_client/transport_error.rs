//! Why a request got no response, read from the error of the HTTP client.

use super::address_policy::ForbiddenAddress;
use std::error::Error;

/// What kind of failure it was, with its innermost cause.
pub(super) fn describe(error: &reqwest::Error) -> String {
    let kind = if error.is_timeout() {
        "timed out"
    } else if error.is_connect() {
        "cannot connect"
    } else {
        "the request failed"
    };
    format!("{kind}: {}", innermost(error))
}

/// The resolved address that the address policy rejected, if that is the cause.
pub(super) fn forbidden_address(error: &reqwest::Error) -> Option<ForbiddenAddress> {
    innermost(error).downcast_ref::<ForbiddenAddress>().cloned()
}

/// Whether the failure looks like an outage of our own network: nothing at all came back. A server that refuses, resets
/// the connection or shows a bad certificate is reachable, and so is a name server that does not know the name.
pub(super) fn is_unreachable(error: &reqwest::Error) -> bool {
    use std::io::ErrorKind::{HostUnreachable, NetworkDown, NetworkUnreachable, TimedOut};
    if !error.is_connect() {
        return false;
    }
    let cause = innermost(error);
    let is_silent = cause
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| matches!(error.kind(), HostUnreachable | NetworkDown | NetworkUnreachable | TimedOut));
    // The C library's text for EAI_AGAIN. The standard library has no error kind for it.
    error.is_timeout() || is_silent || cause.to_string().contains("Temporary failure in name resolution")
}

/// The innermost cause is the specific one: "connection refused" rather than "error sending request".
pub(super) fn innermost<'e>(error: &'e (dyn Error + 'static)) -> &'e (dyn Error + 'static) {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause
}
