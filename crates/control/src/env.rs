//! The environment: every variable that is read, in one table, and the checked settings made of it.
//!
//! Raw (`Environment`, as it was given) becomes checked (`Settings`) in one step; a bad value stops
//! the start and names variable, value and what is allowed. Nothing else reads the environment,
//! except the connection layer its proxies.

mod limits_page;

use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use omniroute_domain::Secret;

pub use limits_page::limits_page;

/// A variable: what it is, and how its text becomes a setting.
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What holds without it.
    pub default: &'static str,
    /// Which texts are allowed.
    pub allowed: &'static str,
    /// What it does.
    pub meaning: &'static str,
    /// Who uses it.
    pub goes_to: &'static str,
    read: Read,
}

/// How a variable is read.
enum Read {
    /// Into the settings; `None` where the text is not allowed.
    Setting(fn(&str, &mut Settings) -> Option<()>),
    /// As a folder, by `paths`.
    Folder,
    /// By another layer, from the process itself.
    Elsewhere,
}

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

/// How much the program says about itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogLevel {
    /// A person must act.
    Error,
    /// Degraded, but handled.
    Warn,
    /// Life-cycle.
    #[default]
    Info,
    /// Each request.
    Debug,
    /// Each step.
    Trace,
}

impl LogLevel {
    /// The level as log filters spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let levels = [Self::Error, Self::Warn, Self::Info, Self::Debug, Self::Trace];
        levels.into_iter().find(|level| level.as_str().eq_ignore_ascii_case(text))
    }
}

/// The settings the environment makes, checked, with the defaults filled in.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to listen: an address or `localhost`.
    pub host: String,
    /// The port; 0 takes a free one.
    pub port: u16,
    /// The vault's key, where the environment gives one.
    pub vault_key: Option<Secret>,
    /// Limits towards clients.
    pub gateway: omniroute_gateway::Limits,
    /// Limits towards providers.
    pub upstream: omniroute_upstream::Limits,
    /// Days that requests are kept.
    pub log_days: u64,
    /// Requests that are kept.
    pub log_rows: u64,
    /// How much the program says about itself.
    pub log_level: LogLevel,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 20128,
            vault_key: None,
            gateway: omniroute_gateway::Limits::default(),
            upstream: omniroute_upstream::Limits::default(),
            log_days: 7,
            log_rows: 100_000,
            log_level: LogLevel::default(),
        }
    }
}

impl Settings {
    /// Checks every variable that is set.
    pub fn read(environment: &Environment) -> Result<Self, SettingError> {
        let mut settings = Self::default();
        for variable in VARIABLES {
            let Read::Setting(read) = variable.read else { continue };
            let Some(text) = environment.text(variable.name)? else { continue };
            let bad = || SettingError::Bad { name: variable.name, value: text.clone(), allowed: variable.allowed };
            read(&text, &mut settings).ok_or_else(bad)?;
        }
        Ok(settings)
    }
}

/// What is wrong with a variable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// The value is not allowed.
    #[error("`{name}` is `{value}`; allowed: {allowed}")]
    Bad {
        /// The variable.
        name: &'static str,
        /// Its value.
        value: String,
        /// What is allowed.
        allowed: &'static str,
    },
    /// The value is no text.
    #[error("`{name}` is not valid UTF-8; set it to plain text")]
    NotText {
        /// The variable.
        name: &'static str,
    },
}

/// The variables of the table as they were given. What is set to nothing counts as not set.
#[derive(Clone, Default)]
pub struct Environment {
    given: HashMap<&'static str, OsString>,
}

impl Environment {
    /// The environment of this process.
    pub fn of_process() -> Self {
        Self::collect(|name| std::env::var_os(name))
    }

    /// Made up, for tests.
    pub fn of(variables: &[(&str, &str)]) -> Self {
        Self::collect(|name| variables.iter().find(|(given, _)| *given == name).map(|(_, value)| value.into()))
    }

    fn collect(value: impl Fn(&str) -> Option<OsString>) -> Self {
        let read_here = VARIABLES.iter().filter(|variable| !matches!(variable.read, Read::Elsewhere));
        let given = read_here.filter_map(|variable| value(variable.name).map(|value| (variable.name, value)));
        Self { given: given.filter(|(_, value)| !value.is_empty()).collect() }
    }

    /// A variable that names a folder.
    pub(crate) fn path(&self, name: &str) -> Option<PathBuf> {
        self.given.get(name).map(PathBuf::from)
    }

    fn text(&self, name: &'static str) -> Result<Option<String>, SettingError> {
        let Some(value) = self.given.get(name) else { return Ok(None) };
        let text = value.to_str().ok_or(SettingError::NotText { name })?.trim();
        Ok((!text.is_empty()).then(|| text.to_owned()))
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Names only: one of the values is a key.
        out.debug_set().entries(self.given.keys()).finish()
    }
}

/// The table as a page in Markdown.
pub fn markdown_table() -> String {
    let mut page = String::from(
        "# Environment variables\n\nMade from the table in `crates/control/src/env.rs`; change it there.\n\
         What is set to nothing counts as not set. A value that is not allowed stops the start.\n\n\
         | variable | default | allowed | what it does | who uses it |\n|---|---|---|---|---|\n",
    );
    for Variable { name, default, allowed, meaning, goes_to, .. } in VARIABLES {
        let default = if default.is_empty() { "–" } else { default };
        // Writing to a String can't fail.
        let _ = writeln!(page, "| `{name}` | {default} | {allowed} | {meaning} | {goes_to} |");
    }
    page
}

#[cfg(test)]
mod tests;
