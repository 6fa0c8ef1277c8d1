//! The reference page of limits, made from the limits themselves. A field that is added to them and
//! not shown here does not compile.

use std::fmt::Write as _;
use std::time::Duration;

use crate::strict::BODY_BYTES;

struct Row {
    what: &'static str,
    value: String,
    variable: &'static str,
}

fn row(what: &'static str, value: String, variable: &'static str) -> Row {
    Row { what, value, variable }
}

/// The page in Markdown.
pub fn limits_page() -> String {
    let mut page = String::from(
        "# Limits\n\nMade from `Limits` in `crates/gateway` and `crates/upstream`; change them there.\n\
         What has a variable can be changed (see `environment.md`).\n",
    );
    for (title, rows) in [("Towards clients", towards_clients()), ("Towards providers", towards_providers())] {
        // Writing to a String can't fail.
        let _ = writeln!(page, "\n## {title}\n\n| limit | value | variable |\n|---|---:|---|");
        for Row { what, value, variable } in rows {
            let variable = if variable.is_empty() { "–".to_owned() } else { format!("`{variable}`") };
            let _ = writeln!(page, "| {what} | {value} | {variable} |");
        }
    }
    page
}

fn towards_clients() -> Vec<Row> {
    let omniroute_gateway::Limits {
        head,
        keep_alive,
        body_idle,
        write_stall,
        head_bytes,
        head_lines,
        body_bytes,
        depth,
        connections,
        attempts,
        pulse,
        drain,
    } = omniroute_gateway::Limits::default();
    vec![
        row("a request's head, first byte to last", span(head), "OMNIROUTE_HEADER_TIMEOUT_MS"),
        row("a request's head, size", bytes(head_bytes), ""),
        row("header lines of a request", head_lines.to_string(), ""),
        row("silence within a request's body", span(body_idle), "OMNIROUTE_BODY_TIMEOUT_MS"),
        row("a request's body, size", bytes(body_bytes), "MAX_BODY_SIZE_BYTES"),
        row("a management request's body, size", bytes(BODY_BYTES), ""),
        row("objects and arrays within one another", depth.to_string(), ""),
        row("a connection on which nothing is asked", span(keep_alive), ""),
        row("a client that takes none of its answer", span(write_stall), ""),
        row("open connections", connections.to_string(), ""),
        row("accounts tried for one request", attempts.to_string(), ""),
        row("silence of a stream before a comment keeps the line open", span(pulse), ""),
        row("open answers after the gateway was told to stop", span(drain), "SHUTDOWN_TIMEOUT_MS"),
    ]
}

fn towards_providers() -> Vec<Row> {
    let omniroute_upstream::Limits {
        connect,
        first_byte,
        whole_answer,
        idle,
        first_event,
        head_bytes,
        head_lines,
        event_bytes,
        reply_bytes,
        error_bytes,
        pool_idle,
    } = omniroute_upstream::Limits::default();
    vec![
        row("resolving, connecting and TLS", span(connect), "FETCH_CONNECT_TIMEOUT_MS"),
        row("until a streamed answer begins", span(first_byte), "OMNIROUTE_FIRST_BYTE_TIMEOUT_MS"),
        row("until an answer that is not streamed begins", span(whole_answer), "FETCH_TIMEOUT_MS"),
        row("until a stream's first useful event", span(first_event), ""),
        row("silence within an answer", span(idle), "STREAM_IDLE_TIMEOUT_MS"),
        row("an answer's head, size", bytes(head_bytes), ""),
        row("header lines of an answer", head_lines.to_string(), ""),
        row("one event of a stream", bytes(event_bytes), ""),
        row("an answer that is not streamed", bytes(reply_bytes), ""),
        row("what is read of an error", bytes(error_bytes), ""),
        row("an idle connection is kept", span(pool_idle), ""),
    ]
}

fn span(time: Duration) -> String {
    let (seconds, rest) = (time.as_secs(), time.subsec_millis());
    match (seconds, rest) {
        (0, rest) => format!("{rest} ms"),
        (seconds, 0) if seconds % 60 == 0 => format!("{} min", seconds / 60),
        (seconds, 0) => format!("{seconds} s"),
        (seconds, rest) => format!("{seconds}.{rest:03} s"),
    }
}

fn bytes(count: usize) -> String {
    const KIB: usize = 1024;
    const MIB: usize = KIB * KIB;
    match count {
        count if count >= MIB && count.is_multiple_of(MIB) => format!("{} MiB", count / MIB),
        count if count >= KIB && count.is_multiple_of(KIB) => format!("{} KiB", count / KIB),
        count => format!("{count} B"),
    }
}
