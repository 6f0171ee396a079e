//! `/healthz`, for monitoring.

use super::app_state::{AppState, InternalError};
use crate::store::items;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// `/healthz`: 200 if the database can be read and every task runs, else 503, with the number of items that wait for
/// grouping. The cost does not depend on the size of the database.
pub async fn healthz(State(app): State<AppState>) -> Result<Response, InternalError> {
    let waiting = app.store.read(items::count_unassigned).await?;
    let down = app.health.reasons();
    let (status, word) =
        if down.is_empty() { (StatusCode::OK, "ok") } else { (StatusCode::SERVICE_UNAVAILABLE, "down") };
    let body = serde_json::json!({"status": word, "items_waiting": waiting, "down": down});
    Ok((status, axum::Json(body)).into_response())
}
