//! The arguments of a call while they come in: their text, and whether it could end here.

/// Text of JSON arguments so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Arguments {
    text: String,
    depth: u32,
    in_string: bool,
    escaped: bool,
}

impl Arguments {
    pub(super) fn push(&mut self, fragment: &str) {
        self.text.push_str(fragment);
        for byte in fragment.bytes() {
            self.step(byte);
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether all brackets that were opened are closed, so that another call may follow.
    pub(super) fn is_closed(&self) -> bool {
        !self.text.is_empty() && self.depth == 0 && !self.in_string
    }

    fn step(&mut self, byte: u8) {
        match (self.in_string, byte) {
            (true, _) if self.escaped => self.escaped = false,
            (true, b'\\') => self.escaped = true,
            (_, b'"') => self.in_string = !self.in_string,
            (false, b'{' | b'[') => self.depth += 1,
            (false, b'}' | b']') => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }
}
