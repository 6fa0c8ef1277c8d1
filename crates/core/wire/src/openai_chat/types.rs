//! What the parts of this format share: why a body does not decode.
//!
//! There are no structs for requests and chunks here. An object is read field by field (`json::Fields`),
//! because vendors differ in the type of nearly every field and an unknown one must survive.

/// Why a body is no Chat Completions request or answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Not JSON, or JSON of another kind.
    #[error("the body is not a JSON object")]
    NotAnObject,
    /// A field that must be there is not.
    #[error("`{path}` is missing")]
    Missing {
        /// The field.
        path: &'static str,
    },
    /// A field holds something else than it must.
    #[error("`{path}` is not {expected}")]
    Wrong {
        /// The field.
        path: String,
        /// What it must be, with its article.
        expected: &'static str,
    },
    /// A tool call is complete and its arguments are no JSON.
    #[error("the arguments of tool call `{name}` are not valid JSON")]
    BrokenCall {
        /// The tool.
        name: String,
    },
}

impl DecodeError {
    /// The field that is wrong, where one is.
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::Missing { path } => Some(path),
            Self::Wrong { path, .. } => Some(path),
            Self::NotAnObject | Self::BrokenCall { .. } => None,
        }
    }
}
