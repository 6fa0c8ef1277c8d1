//! The one field of a request that is edited besides the model: the wish for a usage report.

use bytes::Bytes;
use omniroute_domain::{Fault, FaultKind};
use omniroute_wire::outline::{self, Field, Outline};

use crate::call::{Edit, UsageEvent};

/// Far deeper than `stream_options` ever is; the whole body's depth has been checked before.
const DEPTH: usize = 256;

/// What a client said about usage in a stream, and the edit that asks for it.
pub(crate) struct UsageWish {
    pub(crate) event: UsageEvent,
    pub(crate) edit: Option<Edit>,
}

/// Reads `stream_options`. The report is always asked for, whatever the client said; whether the client
/// gets to see it is its own choice (`relay` hides it otherwise).
pub(crate) fn usage_wish(outline: &Outline<'_>) -> Result<UsageWish, Fault> {
    let Some(options) = outline.get("stream_options") else {
        let edit = insertion(outline, r#""stream_options":{"include_usage":true}"#);
        return Ok(UsageWish { event: UsageEvent::Hidden, edit: Some(edit) });
    };
    if options.is_null() {
        let edit = Edit { at: options.span, text: Bytes::from_static(br#"{"include_usage":true}"#) };
        return Ok(UsageWish { event: UsageEvent::Hidden, edit: Some(edit) });
    }
    inside(&options).ok_or_else(unreadable)
}

/// The wish within an existing object.
fn inside(options: &Field<'_>) -> Option<UsageWish> {
    let inner = outline::outline(options.raw.as_bytes(), DEPTH).ok()?;
    let edit = match inner.get("include_usage") {
        Some(field) if field.as_bool() == Some(true) => {
            return Some(UsageWish { event: UsageEvent::Shown, edit: None });
        }
        Some(field) => Edit { at: field.span, text: Bytes::from_static(b"true") },
        None => insertion(&inner, r#""include_usage":true"#),
    };
    let at = edit.at.start + options.span.start..edit.at.end + options.span.start;
    Some(UsageWish { event: UsageEvent::Hidden, edit: Some(Edit { at, text: edit.text }) })
}

fn insertion(outline: &Outline<'_>, fragment: &str) -> Edit {
    let (at, text) = outline.addition(fragment);
    Edit { at, text: Bytes::from(text) }
}

fn unreadable() -> Fault {
    let text = "`stream_options` must be an object";
    Fault::new(FaultKind::BadRequest, "invalid_stream_options", text).param("stream_options")
}
