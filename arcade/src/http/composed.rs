//! Decides which values of several parts a field takes: lists of numbers, objects that the server
//! keeps without looking into them.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::format::{Format, Given, id};

/// The numbers of different things, in the order in which they are to be answered.
#[derive(Debug, Clone, Copy)]
pub struct Ids {
    count_max: usize,
}

/// One to `count_max` different numbers of things, with commas between them.
pub const fn ids(count_max: usize) -> Ids {
    Ids { count_max }
}

impl Format for Ids {
    type Value = Vec<i64>;

    fn read(&self, given: Given<'_>) -> Option<Vec<i64>> {
        let text = given.text()?;
        // Split no further than needed to see that there are too many.
        let parts = text.split(',').take(self.count_max + 1);
        let list: Vec<i64> =
            parts.map(|part| id().read(Given::Query(part))).collect::<Option<_>>()?;
        let different = list.iter().collect::<BTreeSet<_>>().len() == list.len();
        (different && list.len() <= self.count_max).then_some(list)
    }

    fn demand(&self) -> &'static str {
        "be different whole numbers with commas between them"
    }

    fn limit(&self) -> String {
        format!("1 to {} of {}", self.count_max, id().limit())
    }

    fn schema(&self) -> Value {
        json!({ "type": "string", "pattern": "^[0-9]+(,[0-9]+)*$" })
    }
}

/// How deep objects and lists may lie in each other: what is stored is wrapped once or twice more, and
/// must still be read.
const DEPTH_MAX: usize = 32;

/// A JSON object that means something to clients only.
#[derive(Debug, Clone, Copy)]
pub struct Object {
    bytes_max: usize,
}

/// Any JSON object of at most `bytes_max` bytes.
pub const fn object(bytes_max: usize) -> Object {
    Object { bytes_max }
}

impl Format for Object {
    type Value = Value;

    fn read(&self, given: Given<'_>) -> Option<Value> {
        let Given::Json(raw) = given else { return None };
        // The length first: a long text is not worth parsing.
        let object: Option<Map<String, Value>> =
            (raw.len() <= self.bytes_max).then(|| serde_json::from_str(raw).ok())?;
        object.map(Value::Object).filter(|value| is_flat(value, DEPTH_MAX))
    }

    fn demand(&self) -> &'static str {
        "be a JSON object"
    }

    fn limit(&self) -> String {
        format!("up to {} bytes, {DEPTH_MAX} levels deep", self.bytes_max)
    }

    fn schema(&self) -> Value {
        json!({ "type": "object" })
    }
}

fn is_flat(value: &Value, depth_max: usize) -> bool {
    let Some(deeper) = depth_max.checked_sub(1) else {
        return !value.is_object() && !value.is_array();
    };
    match value {
        Value::Object(fields) => fields.values().all(|value| is_flat(value, deeper)),
        Value::Array(items) => items.iter().all(|item| is_flat(item, deeper)),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_may_be_deep_but_not_deeper() {
        let nested = |depth: usize| format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
        let read = |text: &str| object(4_096).read(Given::Json(text));
        assert!(read(&nested(DEPTH_MAX)).is_some());
        for depth in [DEPTH_MAX + 1, 127, 200] {
            assert!(read(&nested(depth)).is_none(), "{depth}");
        }
    }

    #[test]
    fn a_list_of_numbers_keeps_its_order_and_names_each_once() {
        let read = |text: &str| ids(3).read(Given::Query(text));
        assert_eq!(read("3,1,2"), Some(vec![3, 1, 2]));
        for wrong in ["", ",", "1,", "1,1", "0", "-1", "+1", "1 ,2", "1,2,3,4", "a"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_object_is_bounded_in_bytes_and_in_depth() {
        let read = |text: &str| object(400).read(Given::Json(text));
        assert_eq!(read(r#"{"a":[1]}"#), Some(json!({ "a": [1] })));
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(190), "]".repeat(190));
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(400));
        for wrong in ["[]", "1", "null", r#"{"a":1e999}"#, &deep, &long] {
            assert_eq!(read(wrong), None, "{wrong:.40}");
        }
    }
}
