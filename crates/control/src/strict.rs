//! Reading management requests: JSON of a known shape within a limit, and queries of a known shape.
//! What is not in the shape is refused by name, so that a typo never passes for a wish.

use std::time::Duration;

use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::problem::Problem;

/// The largest body of a management request.
pub(crate) const BODY_BYTES: usize = 1 << 20;
/// How long a management request's body may take, all of it.
const BODY_TIME: Duration = Duration::from_secs(30);

/// A JSON body.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            let text = "the body must be JSON; send it with `Content-Type: application/json`";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", text));
        }
        let body = Limited::new(request.into_body(), BODY_BYTES).collect();
        let bytes = match tokio::time::timeout(BODY_TIME, body).await {
            Ok(Ok(body)) => body.to_bytes(),
            Ok(Err(why)) => return Err(unread(why.as_ref())),
            Err(_) => {
                let text = format!("the body did not arrive within {} seconds", BODY_TIME.as_secs());
                return Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "body_timeout", text));
            }
        };
        // A list would pass for an object whose fields come in order.
        if bytes.trim_ascii_start().first() != Some(&b'{') {
            return Err(Problem::invalid("invalid_json", "the body must be a JSON object"));
        }
        read(&bytes).map(Self)
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let given = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    given.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

fn unread(why: &(dyn std::error::Error + 'static)) -> Problem {
    if why.is::<LengthLimitError>() {
        let text = format!("the body is larger than {BODY_BYTES} bytes");
        return Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "request_too_large", text);
    }
    Problem::invalid("incomplete_body", "the request ended before its body was complete")
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let read = serde_path_to_error::deserialize(&mut json).map_err(|why| {
        let place = why.path().to_string();
        unfit(why.inner(), &place)
    })?;
    json.end().map_err(|why| unfit(&why, "."))?;
    Ok(read)
}

/// `place` is the path to the value that does not fit, `.` for the whole body.
fn unfit(why: &serde_json::Error, place: &str) -> Problem {
    let text = why.to_string();
    if !why.is_data() {
        return Problem::invalid("invalid_json", text);
    }
    if place == "." {
        return named(Problem::invalid("invalid_field", text.clone()), &text);
    }
    let quoted = format!("`{place}`");
    let text = if text.contains(&quoted) { text } else { format!("{quoted}: {text}") };
    Problem::invalid("invalid_field", text).field(place)
}

/// Names the field a deserialiser complains of; it stands in backticks after these words.
fn named(problem: Problem, text: &str) -> Problem {
    let field = ["unknown field `", "missing field `", "duplicate field `"].iter().find_map(|words| {
        let (_, rest) = text.split_once(words)?;
        rest.split_once('`').map(|(name, _)| name.to_owned())
    });
    match field {
        Some(name) => problem.field(name),
        None => problem,
    }
}

/// The id in a path.
pub(crate) struct Id(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(head: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = Path::<String>::from_request_parts(head, state).await;
        read.map(|Path(id)| Self(id)).map_err(|_| {
            let text = "the id in the path is no text; use an id as the lists show it";
            Problem::invalid("invalid_path", text).field("id")
        })
    }
}

/// A query.
pub(crate) struct Asked<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(head: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = Query::<T>::from_request_parts(head, state).await;
        read.map(|Query(asked)| Self(asked)).map_err(|why: QueryRejection| {
            let text = std::error::Error::source(&why).map_or_else(|| why.to_string(), ToString::to_string);
            named(Problem::invalid("invalid_query", format!("the query can't be read: {text}")), &text)
        })
    }
}

/// A field that may be absent (`None`: keep), null (`Some(None)`: clear) or set.
pub(crate) fn patch<'de, D, T>(source: D) -> Result<Option<Option<T>>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::<T>::deserialize(source).map(Some)
}
