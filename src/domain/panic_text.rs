//! The message of a panic, for logs and poll records.

use std::any::Any;
use tokio::task::JoinError;

/// Returns the message of a caught panic.
pub fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic without a message".to_owned())
}

/// Returns the message of the panic that ended a task, or a message that the task was cancelled.
pub fn join_error_text(error: JoinError) -> String {
    match error.try_into_panic() {
        Ok(panic) => panic_text(&*panic),
        Err(cancelled) => cancelled.to_string(),
    }
}
