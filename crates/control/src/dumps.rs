//! No memory images: a crash must not write opened keys to a disk.

/// Forbids core dumps of this process. Where that is refused the gateway runs all the same.
pub(crate) fn forbid() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let none = Rlimit { current: Some(0), maximum: Some(0) };
        if let Err(why) = setrlimit(Resource::Core, none) {
            tracing::debug!(%why, "Core dumps could not be forbidden.");
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use rustix::process::{Resource, getrlimit};

    #[test]
    fn no_memory_image_is_written() {
        super::forbid();
        assert_eq!(getrlimit(Resource::Core).current, Some(0));
    }
}
