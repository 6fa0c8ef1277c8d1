//! Keeping the loss ledger while a request or an answer is written.

use omniroute_domain::{Extra, Format, Loss, Severity};

/// What was left out so far, and whether the source speaks this format itself.
#[derive(Debug)]
pub(super) struct Ledger {
    losses: Vec<Loss>,
    origin: Format,
}

impl Ledger {
    pub(super) fn new(origin: Format) -> Self {
        Self { losses: Vec::new(), origin }
    }

    /// Whether what is written came in this format, so that kept fields go back where they stood.
    pub(super) fn is_ours(&self) -> bool {
        self.origin == Format::OpenAiChat
    }

    pub(super) fn lose(&mut self, path: &str, what: &str, severity: Severity) {
        self.losses.push(Loss { path: path.to_owned(), what: what.to_owned(), severity });
    }

    /// Notes a loss where there was something.
    pub(super) fn lose_if(&mut self, there: Option<&impl Sized>, path: &str, what: &str) {
        if there.is_some() {
            self.lose(path, what, Severity::Note);
        }
    }

    /// The kept fields that may be written: all of our own, none of another format's.
    pub(super) fn extra<'e>(&mut self, path: &str, extra: &'e Extra) -> &'e Extra {
        static NONE: Extra = Extra::new();
        if self.is_ours() {
            return extra;
        }
        for (key, _) in extra {
            self.lose(path, key, Severity::Minor);
        }
        &NONE
    }

    pub(super) fn into_losses(self) -> Vec<Loss> {
        self.losses
    }
}
