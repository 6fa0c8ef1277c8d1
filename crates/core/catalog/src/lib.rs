//! Providers, models and prices as data, and the code that reads them.
//!
//! One TOML row per provider lies in `providers/`; every fact in it has a source and a date. A new
//! provider that speaks a known format is a new row and no code. Deliberately absent: clocks, files
//! and sockets. The build script embeds the rows; the caller hands over what its data folder holds.

mod catalog;
mod date;
pub mod docs;
mod endpoint;
mod model;
mod overrides;
mod price;
mod provider;
mod readiness;
mod row;

pub use catalog::Catalog;
pub use date::Date;
pub use endpoint::{Endpoint, HeaderTemplate, Method, Wire};
pub use model::{Features, Kind, Model, Thinking};
pub use overrides::Warning;
pub use provider::{
    AuthKind, BaseUrl, Header, OutputLimit, Provider, Retired, Risk, State, Status, Terms, TestRule, Tier, Variant,
};
pub use readiness::Readiness;
