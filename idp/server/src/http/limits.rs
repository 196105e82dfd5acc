//! Programs that call, or are refused, too often are told to come back later.

use super::App;
use super::caller::visitor_address;
use super::reply::core_error;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;

/// Has the core count a program's request by its address, and once more if it was refused.
pub async fn programs(State(app): State<App>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let address = visitor_address(&parts, &app);
    if let Err(error) = app.idp.check_program(address) {
        return core_error(&error);
    }
    let response = next.run(Request::from_parts(parts, body)).await;
    if matches!(
        response.status(),
        StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN
    ) {
        app.idp.note_refused(address);
    }
    response
}
