//! Finding the one thing a person means by an id, the beginning of an id, or a name.
//!
//! Invariant: nothing is guessed. What fits two things is refused, and the refusal lists them.

use crate::failure::Failure;

/// Something a person can point at.
pub(crate) trait Named {
    /// What it is: `account`, `key`.
    const KIND: &'static str;
    /// The command that lists the things of this kind.
    const LISTED_BY: &'static str;

    /// Its id.
    fn id(&self) -> &str;
    /// What its owner calls it.
    fn name(&self) -> &str;
    /// What it may also be called, as long as nothing else is.
    fn bynames(&self) -> [&str; 2];
}

/// The thing that is meant, out of all of its kind.
pub(crate) fn take<T: Named>(mut things: Vec<T>, wanted: &str) -> Result<T, Failure> {
    let place = find(&things, wanted)?;
    Ok(things.swap_remove(place))
}

/// Where it stands. A whole id wins over a name, a name over the beginning of an id.
fn find<T: Named>(things: &[T], wanted: &str) -> Result<usize, Failure> {
    let readings: [fn(&T, &str) -> bool; 4] = [
        |thing, wanted| thing.id() == wanted,
        |thing, wanted| thing.name() == wanted,
        |thing, wanted| thing.id().starts_with(wanted),
        |thing, wanted| thing.bynames().contains(&wanted),
    ];
    for fits in readings {
        let meant = |thing: &T| !wanted.is_empty() && fits(thing, wanted);
        let found: Vec<usize> = (0..things.len()).filter(|&place| meant(&things[place])).collect();
        match found.as_slice() {
            [] => {}
            [one] => return Ok(*one),
            many => return Err(ambiguous(wanted, many.iter().map(|&place| &things[place]))),
        }
    }
    let message = format!("no {} has the id or name `{wanted}`", T::KIND);
    Err(Failure::new("not_found", message).hint(format!("`{}` lists them", T::LISTED_BY)))
}

fn ambiguous<'a, T: Named + 'a>(wanted: &str, found: impl Iterator<Item = &'a T>) -> Failure {
    let list: Vec<String> = found.map(|thing| format!("`{}` ({})", thing.id(), thing.name())).collect();
    let message = format!("`{wanted}` fits {} {}s: {}", list.len(), T::KIND, list.join(", "));
    Failure::new("ambiguous", message).hint("give more of the id")
}

#[cfg(test)]
mod tests {
    use super::{Named, take};

    #[derive(Clone)]
    struct Thing(&'static str, &'static str, &'static str);

    impl Named for Thing {
        const KIND: &'static str = "thing";
        const LISTED_BY: &'static str = "omniroute things list";

        fn id(&self) -> &str {
            self.0
        }

        fn name(&self) -> &str {
            self.1
        }

        fn bynames(&self) -> [&str; 2] {
            [self.2, self.1]
        }
    }

    const THINGS: [Thing; 4] = [
        Thing("0192-aa", "work", "openai"),
        Thing("0192-ab", "home", "groq"),
        Thing("0193-cc", "work", "groq"),
        Thing("home", "0192", "mistral"),
    ];

    #[track_caller]
    fn check(wanted: &str, expected: Result<&str, &str>) {
        let found = take(THINGS.to_vec(), wanted).map(|thing| thing.0);
        let code = |failure: crate::failure::Failure| failure.json().split('"').nth(5).map(str::to_owned);
        assert_eq!(found.map_err(code), expected.map_err(|code| Some(code.to_owned())), "`{wanted}`");
    }

    #[test]
    fn a_whole_id_wins_over_a_name_and_a_name_over_a_beginning() {
        check("0192-aa", Ok("0192-aa"));
        check("home", Ok("home"));
        check("0192", Ok("home"));
        check("0193", Ok("0193-cc"));
        check("openai", Ok("0192-aa"));
    }

    #[test]
    fn what_fits_several_or_none_is_refused() {
        check("0192-a", Err("ambiguous"));
        check("work", Err("ambiguous"));
        check("groq", Err("ambiguous"));
        check("none", Err("not_found"));
        check("", Err("not_found"));
    }

    #[test]
    fn an_ambiguous_name_lists_what_it_fits() {
        let said = take(THINGS.to_vec(), "work").map(|thing| thing.0).unwrap_err().lines("error:");
        assert_eq!(
            said,
            "error: `work` fits 2 things: `0192-aa` (work), `0193-cc` (work)\nhint: give more of the id\n"
        );
    }
}
