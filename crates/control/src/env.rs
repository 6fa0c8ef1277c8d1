//! The environment: every variable that is read, in one table, and the checked settings made of it.
//!
//! Raw (`Environment`, as it was given) becomes checked (`Settings`) in one step; a bad value stops
//! the start and names variable, value and what is allowed. Nothing else reads the environment,
//! except the connection layer its proxies.

mod limits_page;
mod variables;

use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt::{self, Write as _};
use std::path::PathBuf;

use omniroute_domain::Secret;

pub use limits_page::limits_page;
pub use variables::VARIABLES;

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
pub fn environment_page() -> String {
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
