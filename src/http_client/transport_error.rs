//! Explains why a request got no response, based on the error of the HTTP client.

use super::address_policy::ForbiddenAddress;
use std::error::Error;

/// Describes the kind of failure and its innermost cause.
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

/// Returns the policy error if the address policy rejected a resolved address.
pub(super) fn forbidden_address(error: &reqwest::Error) -> Option<ForbiddenAddress> {
    innermost(error).downcast_ref::<ForbiddenAddress>().cloned()
}

/// Returns whether the failure suggests an outage of our own network: no host responded. A server that refuses or
/// resets the connection or has a bad certificate is reachable. A name server that does not know the name is also
/// reachable.
pub(super) fn is_unreachable(error: &reqwest::Error) -> bool {
    use std::io::ErrorKind::{HostUnreachable, NetworkDown, NetworkUnreachable, TimedOut};
    if !error.is_connect() {
        return false;
    }
    let cause = innermost(error);
    let is_silent = cause
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| matches!(error.kind(), HostUnreachable | NetworkDown | NetworkUnreachable | TimedOut));
    // The text is the C library's message for EAI_AGAIN, for which the standard library has no error kind.
    error.is_timeout() || is_silent || cause.to_string().contains("Temporary failure in name resolution")
}

/// Returns the innermost cause, which is the most specific: "connection refused" rather than "error sending request".
pub(super) fn innermost<'e>(error: &'e (dyn Error + 'static)) -> &'e (dyn Error + 'static) {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause
}
