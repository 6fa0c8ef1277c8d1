//! Data table: every environment variable that is read, and how its text becomes a setting.

use std::time::Duration;

use omniroute_domain::Secret;

use crate::env::{LogLevel, Read, Variable};

/// All variables. A later row may take back what an earlier one set.
pub const VARIABLES: &[Variable] = &[
    Variable {
        name: "PORT",
        default: "20128",
        allowed: "0 to 65535; 0 takes a free port",
        meaning: "The port to listen on. `--port` goes before it.",
        goes_to: "`serve`",
        read: Read::Setting(|text, to| text.parse().ok().map(|port| to.port = port)),
    },
    Variable {
        name: "HOSTNAME",
        default: "127.0.0.1",
        allowed: "an address or `localhost`; anything else is taken for the machine's name and left alone",
        meaning: "The address to listen on. `--host` goes before it.",
        goes_to: "`serve`",
        read: Read::Setting(|text, to| {
            // Shells and containers put the machine's name here; that is no wish.
            let is_address = text == "localhost" || text.parse::<std::net::IpAddr>().is_ok();
            if is_address {
                text.clone_into(&mut to.host);
            }
            Some(())
        }),
    },
    Variable {
        name: "DATA_DIR",
        default: "the platform's place",
        allowed: "a folder",
        meaning: "Where accounts, keys and usage are kept. `--data-dir` goes before it.",
        goes_to: "data folder",
        read: Read::Folder,
    },
    Variable {
        name: "XDG_DATA_HOME",
        default: "`HOME/.local/share`",
        allowed: "an absolute folder",
        meaning: "On Linux, where the folder `omniroute` is made when `DATA_DIR` is not set.",
        goes_to: "data folder",
        read: Read::Folder,
    },
    Variable {
        name: "HOME",
        default: "",
        allowed: "a folder",
        meaning: "The person's own folder, in which the platform's place is.",
        goes_to: "data folder",
        read: Read::Folder,
    },
    Variable {
        name: "APPDATA",
        default: "",
        allowed: "a folder",
        meaning: "On Windows, where the folder `OmniRoute` is made when `DATA_DIR` is not set.",
        goes_to: "data folder",
        read: Read::Folder,
    },
    Variable {
        name: "OMNIROUTE_VAULT_KEY",
        default: "",
        allowed: "32 bytes as hex or base64, or a passphrase of at least 16 characters",
        meaning: "The key that seals credentials, for `--vault env`; also taken where nothing else says which vault to use.",
        goes_to: "vault",
        read: Read::Setting(|text, to| {
            to.vault_key = Some(Secret::new(text.to_owned()));
            Some(())
        }),
    },
    Variable {
        name: "MAX_BODY_SIZE_BYTES",
        default: "33554432",
        allowed: "1024 to 1073741824",
        meaning: "The largest request body that is read.",
        goes_to: "gateway",
        read: Read::Setting(|text, to| size(text).map(|bytes| to.gateway.body_bytes = bytes)),
    },
    Variable {
        name: "OMNIROUTE_HEADER_TIMEOUT_MS",
        default: "10000",
        allowed: MILLISECONDS,
        meaning: "How long a request's head may take to arrive.",
        goes_to: "gateway",
        read: Read::Setting(|text, to| wait(text).map(|wait| to.gateway.head = wait)),
    },
    Variable {
        name: "OMNIROUTE_BODY_TIMEOUT_MS",
        default: "30000",
        allowed: MILLISECONDS,
        meaning: "How long a request's body may pause.",
        goes_to: "gateway",
        read: Read::Setting(|text, to| wait(text).map(|wait| to.gateway.body_idle = wait)),
    },
    Variable {
        name: "SHUTDOWN_TIMEOUT_MS",
        default: "30000",
        allowed: MILLISECONDS,
        meaning: "How long open answers may go on after the gateway was told to stop.",
        goes_to: "gateway",
        read: Read::Setting(|text, to| wait(text).map(|wait| to.gateway.drain = wait)),
    },
    Variable {
        name: "FETCH_CONNECT_TIMEOUT_MS",
        default: "10000",
        allowed: MILLISECONDS,
        meaning: "How long a connection to a provider may take: resolving, connecting, TLS.",
        goes_to: "providers",
        read: Read::Setting(|text, to| wait(text).map(|wait| to.upstream.connect = wait)),
    },
    Variable {
        name: "OMNIROUTE_FIRST_BYTE_TIMEOUT_MS",
        default: "120000",
        allowed: MILLISECONDS,
        meaning: "How long a provider may take to begin a streamed answer. Where `FETCH_TIMEOUT_MS` is not set, also one that is not streamed.",
        goes_to: "providers",
        read: Read::Setting(|text, to| {
            let wait = wait(text)?;
            to.upstream.first_byte = wait;
            to.upstream.whole_answer = wait;
            Some(())
        }),
    },
    // After the row above, which sets both.
    Variable {
        name: "FETCH_TIMEOUT_MS",
        default: "600000",
        allowed: MILLISECONDS,
        meaning: "How long a provider may take to begin an answer that is not streamed.",
        goes_to: "providers",
        read: Read::Setting(|text, to| wait(text).map(|wait| to.upstream.whole_answer = wait)),
    },
    Variable {
        name: "STREAM_IDLE_TIMEOUT_MS",
        default: "300000",
        allowed: MILLISECONDS,
        meaning: "How long a provider's answer may pause once it has begun.",
        goes_to: "providers",
        read: Read::Setting(|text, to| wait(text).map(|wait| to.upstream.idle = wait)),
    },
    Variable {
        name: "HTTPS_PROXY",
        default: "",
        allowed: "an `http://` or `socks5://` address",
        meaning: "The proxy for providers at https addresses. Accounts marked as local never use one.",
        goes_to: "providers",
        read: Read::Elsewhere,
    },
    Variable {
        name: "HTTP_PROXY",
        default: "",
        allowed: "an `http://` or `socks5://` address",
        meaning: "The proxy for providers at http addresses.",
        goes_to: "providers",
        read: Read::Elsewhere,
    },
    Variable {
        name: "ALL_PROXY",
        default: "",
        allowed: "an `http://` or `socks5://` address",
        meaning: "The proxy where the two above are not set.",
        goes_to: "providers",
        read: Read::Elsewhere,
    },
    Variable {
        name: "NO_PROXY",
        default: "",
        allowed: "host names and addresses with commas between",
        meaning: "Which providers are reached without a proxy.",
        goes_to: "providers",
        read: Read::Elsewhere,
    },
    Variable {
        name: "CALL_LOG_RETENTION_DAYS",
        default: "7",
        allowed: "1 to 3650",
        meaning: "How many days requests are kept in the log.",
        goes_to: "log",
        read: Read::Setting(|text, to| within(text, 1, 3650).map(|days| to.log_days = days)),
    },
    Variable {
        name: "CALL_LOGS_TABLE_MAX_ROWS",
        default: "100000",
        allowed: "100 to 10000000",
        meaning: "How many requests are kept in the log.",
        goes_to: "log",
        read: Read::Setting(|text, to| within(text, 100, 10_000_000).map(|rows| to.log_rows = rows)),
    },
    Variable {
        name: "APP_LOG_LEVEL",
        default: "info",
        allowed: "`error`, `warn`, `info`, `debug` or `trace`",
        meaning: "How much the program says about itself on stderr.",
        goes_to: "command line",
        read: Read::Setting(|text, to| LogLevel::parse(text).map(|level| to.log_level = level)),
    },
];

const MILLISECONDS: &str = "1 to 86400000 milliseconds";

fn wait(text: &str) -> Option<Duration> {
    within(text, 1, 86_400_000).map(Duration::from_millis)
}

fn size(text: &str) -> Option<usize> {
    within(text, 1024, 1 << 30).and_then(|bytes| usize::try_from(bytes).ok())
}

fn within(text: &str, least: u64, most: u64) -> Option<u64> {
    text.parse().ok().filter(|number| (least..=most).contains(number))
}
