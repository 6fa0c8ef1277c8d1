//! The stage of the end-to-end suites: the built binary on a data folder of its own, scripted
//! providers behind it, and the words to say what was seen.
//!
//! The suites in `tests/` know the product by its sockets and its commands only. They start their own
//! gateway each, so none depends on another.

pub mod fields;
pub mod log;
pub mod scene;
pub mod secrets;
pub mod tls;
pub mod verdict;

pub use fields::field;
pub use log::Row;
pub use scene::Scene;
