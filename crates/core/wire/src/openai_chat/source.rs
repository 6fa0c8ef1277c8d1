//! Where the bytes of a picture, a sound or a file are: data URLs, addresses, ids.

use omniroute_domain::block::Source;

/// A URL field: a data URL is taken apart, any other address stays one.
pub(super) fn of_url(url: String) -> Source {
    match data_url(&url) {
        Some((mime, data)) => Source::Base64 { mime, data: data.to_owned() },
        None => Source::Url(url),
    }
}

/// A `file_data` field: a data URL, or base64 without one.
pub(super) fn of_file_data(data: String) -> Source {
    match data_url(&data) {
        Some((mime, data)) => Source::Base64 { mime, data: data.to_owned() },
        None => Source::Base64 { mime: String::new(), data },
    }
}

/// The source as a URL; `None` where it can't be one.
pub(super) fn as_url(source: &Source) -> Option<String> {
    match source {
        Source::Base64 { mime, data } if mime.is_empty() => Some(format!("data:;base64,{data}")),
        Source::Base64 { mime, data } => Some(format!("data:{mime};base64,{data}")),
        Source::Url(url) => Some(url.clone()),
        Source::FileId(_) | Source::Text(_) | Source::Blocks(_) => None,
    }
}

/// Media type and base64 text of a data URL. The scheme and `base64` may be in capitals.
fn data_url(url: &str) -> Option<(String, &str)> {
    let scheme = url.get(..5)?;
    let (head, data) = url.get(5..)?.split_once(',')?;
    let mime = head.get(..head.len().checked_sub(7)?)?;
    let is_base64 = head.get(mime.len()..)?.eq_ignore_ascii_case(";base64");
    (scheme.eq_ignore_ascii_case("data:") && is_base64).then(|| (mime.to_ascii_lowercase(), data))
}

#[cfg(test)]
mod tests {
    use omniroute_domain::block::Source;

    use super::{as_url, of_file_data, of_url};

    #[track_caller]
    fn check(url: &str, mime: &str, data: &str) {
        assert_eq!(of_url(url.into()), Source::Base64 { mime: mime.into(), data: data.into() });
    }

    #[test]
    fn data_urls_are_taken_apart_whatever_their_case() {
        check("data:image/png;base64,AA==", "image/png", "AA==");
        check("DATA:Image/PNG;BASE64,AA==", "image/png", "AA==");
        check("data:;base64,AA==", "", "AA==");
    }

    #[test]
    fn other_addresses_stay() {
        for url in ["https://x.example/a,b", "data:image/svg+xml,%3Csvg", "data:", "", "dätä:;base64,x"] {
            assert_eq!(of_url(url.into()), Source::Url(url.into()));
            assert_eq!(as_url(&Source::Url(url.into())).as_deref(), Some(url));
        }
    }

    #[test]
    fn sources_are_written_as_they_were_read() {
        for url in ["data:image/png;base64,AA==", "data:;base64,AA=="] {
            assert_eq!(as_url(&of_url(url.into())).as_deref(), Some(url));
        }
        assert_eq!(of_file_data("AA==".into()), Source::Base64 { mime: String::new(), data: "AA==".into() });
    }
}
