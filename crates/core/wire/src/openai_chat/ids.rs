//! Ids for tool calls that came without one. The same answer always gets the same ids: clients send
//! them back, and a provider's prompt cache depends on the bytes.

/// An id made of what identifies the call. Not secret, not random.
pub(super) fn call_id<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    // FNV-1a with 64 bits; a byte that is in no text ends each part.
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    let bytes = parts.into_iter().flat_map(|part| part.bytes().chain([0xff]));
    format!("call_{:016x}", bytes.fold(0xcbf2_9ce4_8422_2325, step))
}

#[cfg(test)]
mod tests {
    use super::call_id;

    #[test]
    fn ids_depend_on_every_part_and_on_nothing_else() {
        assert_eq!(call_id(["c1", "0", "f"]), call_id(["c1", "0", "f"]));
        assert_ne!(call_id(["c1", "0", "f"]), call_id(["c10", "", "f"]));
        assert_eq!(call_id([]), "call_cbf29ce484222325");
    }
}
