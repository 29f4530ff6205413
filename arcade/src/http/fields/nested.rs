//! Decides how a field that holds objects is read: each by its own input, and every mistake is
//! named with its place, such as `abilities[2].level`.

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::{Asked, Fields, Input, asked, detail, known, of_object};

impl Fields {
    /// A list of at most `most` objects, which may be missing.
    pub fn list<I: Input>(&mut self, name: &'static str, most: usize) -> Option<Option<Vec<I>>> {
        let schema = json!({
            "type": "array",
            "items": object_schema(&asked::<I>()),
            "maxItems": most,
        });
        self.ask(name, false, schema);
        let Some(text) = self.left.remove(name) else {
            return Some(None);
        };
        let objects: Option<Vec<&RawValue>> = serde_json::from_str(&text).ok();
        let Some(objects) = objects.filter(|objects| objects.len() <= most) else {
            self.mistake(name, "must be a list of objects", &format!("at most {most}"));
            return None;
        };
        // Each is read, whatever the ones before it hold, so that one answer names every mistake.
        let read: Vec<Option<I>> = objects
            .iter()
            .enumerate()
            .map(|(place, raw)| self.object_at(&format!("{name}[{place}]"), raw))
            .collect();
        read.into_iter().collect::<Option<Vec<I>>>().map(Some)
    }

    /// An object, which may be missing.
    pub fn object<I: Input>(&mut self, name: &'static str) -> Option<Option<I>> {
        self.ask(name, false, object_schema(&asked::<I>()));
        let Some(text) = self.left.remove(name) else {
            return Some(None);
        };
        let raw: Option<&RawValue> = serde_json::from_str(&text).ok();
        raw.and_then(|raw| self.object_at(name, raw)).map(Some)
    }

    fn object_at<I: Input>(&mut self, place: &str, raw: &RawValue) -> Option<I> {
        let mistakes = match of_object(raw.get().as_bytes()) {
            Some(Ok(input)) => return Some(input),
            Some(Err(mistakes)) => mistakes,
            None => vec![detail("", "must be a JSON object", &known(&asked::<I>()))],
        };
        for mistake in mistakes {
            let path = match mistake.path.as_str() {
                "" => place.to_owned(),
                field => format!("{place}.{field}"),
            };
            self.mistake(&path, &mistake.message, &mistake.limit);
        }
        None
    }
}

/// An object with these fields and no other, as a JSON schema.
pub fn object_schema(fields: &[Asked]) -> Value {
    let properties: Map<String, Value> =
        fields.iter().map(|field| (field.name.to_owned(), field.schema.clone())).collect();
    let required = fields.iter().filter(|field| field.required).map(|field| field.name);
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": required.collect::<Vec<_>>(),
        "properties": properties,
    })
}

#[cfg(test)]
mod tests {
    use super::super::of_json;
    use super::*;
    use crate::http::format::{id_list, integer};

    #[derive(Debug, PartialEq)]
    struct Skill {
        level: i64,
        choices: Vec<i64>,
    }

    impl Input for Skill {
        fn read(fields: &mut Fields) -> Option<Self> {
            let level = fields.required("level", integer(0..=20_i64));
            let choices = fields.optional("choices", id_list(2));
            Some(Skill { level: level?, choices: choices?.unwrap_or_default() })
        }
    }

    #[derive(Debug, PartialEq)]
    struct Hero {
        skills: Option<Vec<Skill>>,
        best: Option<Skill>,
    }

    impl Input for Hero {
        fn read(fields: &mut Fields) -> Option<Self> {
            let skills = fields.list("skills", 3);
            let best = fields.object("best");
            Some(Hero { skills: skills?, best: best? })
        }
    }

    fn check(body: &str, expected: &[&str]) {
        let mistakes = of_json::<Hero>(body.as_bytes()).err().unwrap_or_default();
        let paths: Vec<&str> = mistakes.iter().map(|mistake| mistake.path.as_str()).collect();
        assert_eq!(paths, expected, "{body:.200}");
        assert!(mistakes.iter().all(|one| !one.message.is_empty() && !one.limit.is_empty()));
    }

    #[test]
    fn objects_in_a_body_are_read_like_the_body_itself() {
        let body = br#"{"skills": [{"level": 1}, {"level": 2, "choices": [7, 8]}]}"#;
        let hero = of_json::<Hero>(body).expect("good");
        let skills =
            vec![Skill { level: 1, choices: Vec::new() }, Skill { level: 2, choices: vec![7, 8] }];
        assert_eq!(hero, Hero { skills: Some(skills), best: None });
        assert_eq!(of_json::<Hero>(b"{}").expect("good"), Hero { skills: None, best: None });
    }

    #[test]
    fn every_mistake_of_a_nested_object_is_named_with_its_place() {
        check(
            r#"{"skills": [{"level": 21}, {"level": 1, "role": 1}, {}], "best": {"level": "1"}}"#,
            &["skills[0].level", "skills[1].role", "skills[2].level", "best.level"],
        );
        check(r#"{"skills": [{"level": 1, "level": 2}]}"#, &["skills[0].level"]);
        check(r#"{"skills": [1, null, []]}"#, &["skills[0]", "skills[1]", "skills[2]"]);
        let four = r#"{"level": 1},"#.repeat(4);
        check(&format!(r#"{{"skills": [{}]}}"#, four.trim_end_matches(',')), &["skills"]);
        for wrong in ["1", "null", "{}", r#""[]""#, "true"] {
            check(&format!(r#"{{"skills": {wrong}}}"#), &["skills"]);
        }
        for wrong in ["1", "null", "[]", r#""{}""#] {
            check(&format!(r#"{{"best": {wrong}}}"#), &["best"]);
        }
    }

    #[test]
    fn a_list_of_ids_holds_whole_numbers_each_once() {
        for wrong in
            ["[1, 1]", "[0]", "[-1]", "[1.0]", "[1e1]", r#"["1"]"#, "[null]", "[1, 2, 3]", "7"]
        {
            let body = format!(r#"{{"best": {{"level": 1, "choices": {wrong}}}}}"#);
            check(&body, &["best.choices"]);
        }
    }

    #[test]
    fn what_is_nested_deeper_than_anybody_asks_is_one_mistake() {
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        check(&format!(r#"{{"skills": {deep}}}"#), &["skills[0]"]);
        check(&format!(r#"{{"best": {{"level": {deep}}}}}"#), &["best.level"]);
    }

    #[test]
    fn the_schema_of_a_list_is_that_of_its_objects() {
        let fields = asked::<Hero>();
        let skills = &fields[0].schema;
        assert_eq!((&skills["type"], &skills["maxItems"]), (&json!("array"), &json!(3)));
        assert_eq!(skills["items"]["required"], json!(["level"]));
        assert_eq!(skills["items"]["properties"]["choices"]["maxItems"], 2);
        assert_eq!(fields[1].schema["additionalProperties"], false);
    }
}
