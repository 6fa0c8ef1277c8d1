//! Looking into JSON by a path, with words when it is not there.

use serde_json::Value;

/// The value at the first path that leads to one. Steps are parted by dots; a number is a place in a
/// list. Panics naming the paths and the JSON when none does.
#[track_caller]
pub fn field<'a>(value: &'a Value, paths: &[&str]) -> &'a Value {
    match paths.iter().find_map(|path| at(value, path)) {
        Some(found) => found,
        None => panic!("none of {paths:?} is in {value}"),
    }
}

/// The value at a path; `None` where there is none, or null.
pub fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    let found = path.split('.').try_fold(value, |here, step| match step.parse::<usize>() {
        Ok(place) if here.is_array() => here.get(place),
        _ => here.get(step),
    })?;
    (!found.is_null()).then_some(found)
}

/// The list of objects in an answer: the answer itself, or the only list in it.
#[track_caller]
pub fn list(value: &Value) -> &Vec<Value> {
    let inside = || value.as_object()?.values().find_map(Value::as_array);
    match value.as_array().or_else(inside) {
        Some(list) => list,
        None => panic!("there is no list in {value}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{at, field, list};

    #[test]
    fn finds_by_the_first_path_that_leads_somewhere() {
        let value = json!({"a": {"b": [1, {"c": 2}]}, "n": null});
        assert_eq!(field(&value, &["x", "a.b.1.c"]), 2);
        assert_eq!(at(&value, "n"), None, "null is nothing");
        assert_eq!(list(&json!({"total": 1, "items": [3]})), &[json!(3)]);
    }

    #[test]
    #[should_panic(expected = "none of [\"x\"] is in")]
    fn says_what_was_looked_for() {
        field(&json!({}), &["x"]);
    }
}
