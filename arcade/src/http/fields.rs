//! Decides which fields a request has. Every mistake is named at once, before anything is read or
//! written, and a field that nobody asks for is one of them.

mod nested;

use std::collections::BTreeMap;

use axum::http::Uri;
use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Deserializer, Value};

use super::format::{Format, Given};
use super::problem::Detail;

pub use nested::object_schema;

/// The most mistakes that one answer names; a body can hold thousands.
const MISTAKES_MAX: usize = 32;

/// Input that is taken field by field. What [`read`](Input::read) asks for is also what the
/// description of the route shows.
pub trait Input: Sized {
    /// Takes the fields. Each one must be asked for, whatever the others hold: the description is
    /// made by reading an input without any. `None` stands for mistakes, which `fields` has noted.
    fn read(fields: &mut Fields) -> Option<Self>;
}

/// A field that an input asks for.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Its name.
    pub name: &'static str,
    /// Whether it must be given.
    pub required: bool,
    /// What it takes, as a JSON schema.
    pub schema: Value,
}

/// Every field that `I` asks for.
pub(super) fn asked<I: Input>() -> Vec<Asked> {
    let mut fields = Fields::new(Notation::Json);
    // Nothing is given, so whatever comes of it is of no interest.
    drop(I::read(&mut fields));
    fields.asked
}

#[derive(Debug, Clone, Copy)]
enum Notation {
    Query,
    Json,
}

/// The fields of a request, with the mistakes found while taking them out.
#[derive(Debug)]
pub struct Fields {
    notation: Notation,
    left: BTreeMap<String, String>,
    asked: Vec<Asked>,
    mistakes: Vec<Detail>,
}

impl Fields {
    fn new(notation: Notation) -> Self {
        Fields { notation, left: BTreeMap::new(), asked: Vec::new(), mistakes: Vec::new() }
    }

    fn give(&mut self, name: String, value: String) {
        match self.left.contains_key(&name) {
            true => self.mistake(&name, "given more than once", "once"),
            false => drop(self.left.insert(name, value)),
        }
    }

    /// A field that must be given.
    pub fn required<F: Format>(&mut self, name: &'static str, format: F) -> Option<F::Value> {
        self.ask(name, true, format.schema());
        let given = self.left.remove(name);
        match given {
            Some(text) => self.judged(name, &text, &format),
            None => {
                self.mistake(name, "is required", &format.limit());
                None
            }
        }
    }

    /// A field that may be missing.
    pub fn optional<F: Format>(&mut self, name: &'static str, format: F) -> Option<Option<F::Value>> {
        self.ask(name, false, format.schema());
        match self.left.remove(name) {
            Some(text) => self.judged(name, &text, &format).map(Some),
            None => Some(None),
        }
    }

    /// A field in whose place `fallback` stands if it is missing.
    pub fn or<F>(&mut self, name: &'static str, fallback: F::Value, format: F) -> Option<F::Value>
    where
        F: Format,
        F::Value: Clone + Into<Value>,
    {
        let mut schema = format.schema();
        schema["default"] = fallback.clone().into();
        self.ask(name, false, schema);
        match self.left.remove(name) {
            Some(text) => self.judged(name, &text, &format),
            None => Some(fallback),
        }
    }

    /// A field that must be the path or URL of something that a page can show without leaving https.
    pub fn picture(
        &mut self,
        name: &'static str,
        format: impl Format<Value = String>,
    ) -> Option<String> {
        let path = self.required(name, format)?;
        let of_this_site = path.starts_with('/') && !path.starts_with("//");
        if of_this_site || path.starts_with("https://") {
            return Some(path);
        }
        self.mistake(name, "must be a path of this site or an https URL", "/… or https://…");
        None
    }

    /// A change, which is a mistake if it changes nothing.
    pub fn changing<C: Default + PartialEq>(&mut self, change: C) -> Option<C> {
        if change == C::default() {
            self.mistake("", "must change something", "at least one field");
            return None;
        }
        Some(change)
    }

    /// Names a mistake that only several fields together make.
    pub fn mistake(&mut self, path: &str, message: &str, limit: &str) {
        if self.mistakes.len() < MISTAKES_MAX {
            self.mistakes.push(detail(path, message, limit));
        }
    }

    fn ask(&mut self, name: &'static str, required: bool, schema: Value) {
        self.asked.push(Asked { name, required, schema });
    }

    fn judged<F: Format>(&mut self, name: &str, text: &str, format: &F) -> Option<F::Value> {
        let given = match self.notation {
            Notation::Query => Given::Query(text),
            Notation::Json => Given::Json(text),
        };
        let value = format.read(given);
        if value.is_none() {
            self.mistake(name, &format!("must {}", format.demand()), &format.limit());
        }
        value
    }

    /// Takes the input; names every mistake if there is one, and every field that was not asked
    /// for.
    fn into_input<I: Input>(mut self) -> Result<I, Vec<Detail>> {
        let input = I::read(&mut self);
        let known = known(&self.asked);
        let unknown = std::mem::take(&mut self.left);
        unknown.keys().for_each(|name| self.mistake(name, "unknown field", &known));
        match (input, self.mistakes.is_empty()) {
            (Some(input), true) => Ok(input),
            _ => Err(self.mistakes),
        }
    }
}

/// The names of the fields, as a limit.
fn known(asked: &[Asked]) -> String {
    match asked.is_empty() {
        true => "no fields".to_owned(),
        false => asked.iter().map(|field| field.name).collect::<Vec<_>>().join(", "),
    }
}

/// Takes an input from a query.
pub(super) fn of_query<I: Input>(uri: &Uri) -> Result<I, Vec<Detail>> {
    let mut fields = Fields::new(Notation::Query);
    let query = uri.query().unwrap_or_default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()).into_owned() {
        fields.give(name, value);
    }
    fields.into_input()
}

/// Takes an input from the members of a JSON object.
pub(super) fn of_json<I: Input>(body: &[u8]) -> Result<I, Vec<Detail>> {
    let mistake = || detail("", "the body must be a JSON object", &known(&asked::<I>()));
    of_object(body).unwrap_or_else(|| Err(vec![mistake()]))
}

/// The same; `None` if it is no object.
fn of_object<I: Input>(object: &[u8]) -> Option<Result<I, Vec<Detail>>> {
    let mut fields = Fields::new(Notation::Json);
    let mut reader = Deserializer::from_slice(object);
    let members = reader.deserialize_map(Members(&mut fields));
    members.and_then(|()| reader.end()).ok()?;
    Some(fields.into_input())
}

/// Takes the members of an object as they stand, so that each can be judged by itself: a number
/// that fits no type is the mistake of its field, not of the whole body.
struct Members<'a>(&'a mut Fields);

impl<'de> Visitor<'de> for Members<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some((name, value)) = members.next_entry::<String, &RawValue>()? {
            self.0.give(name, value.get().to_owned());
        }
        Ok(())
    }
}

pub(super) fn detail(path: &str, message: &str, limit: &str) -> Detail {
    // A field's name comes from outside; its start is enough to find it.
    const PATH_CHARS_MAX: usize = 64;
    Detail {
        path: path.chars().take(PATH_CHARS_MAX).collect(),
        message: message.to_owned(),
        limit: limit.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::format::{choice, flag, id, integer, line, text};
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Offer {
        name: String,
        price: i64,
        color: Option<&'static str>,
        hidden: Option<bool>,
        about: Option<String>,
        seller: i64,
    }

    impl Input for Offer {
        fn read(fields: &mut Fields) -> Option<Self> {
            let name = fields.required("name", line(3..=8));
            let price = fields.required("price", integer(1..=1_000_i64));
            let color = fields.optional("color", choice(&[("red", "#f00"), ("blue", "#00f")]));
            let hidden = fields.optional("hidden", flag());
            let about = fields.optional("about", text(0..=20));
            let seller = fields.or("seller", 1, id());
            let (name, price, color) = (name?, price?, color?);
            Some(Offer { name, price, color, hidden: hidden?, about: about?, seller: seller? })
        }
    }

    fn check(body: &str, expected: &[&str]) {
        let mistakes = of_json::<Offer>(body.as_bytes()).err().unwrap_or_default();
        let paths: Vec<&str> = mistakes.iter().map(|mistake| mistake.path.as_str()).collect();
        assert_eq!(paths, expected, "{:.200}", body);
        assert!(mistakes.iter().all(|one| !one.message.is_empty() && !one.limit.is_empty()));
    }

    #[test]
    fn a_good_body_becomes_its_input() {
        let body = br#" {"price": 7, "name": "\u0041bc", "color": "red", "about": "a\nb"} "#;
        let offer = of_json::<Offer>(body).expect("good");
        assert_eq!((offer.name.as_str(), offer.price, offer.color), ("Abc", 7, Some("#f00")));
        assert_eq!((offer.about.as_deref(), offer.hidden, offer.seller), (Some("a\nb"), None, 1));
    }

    #[test]
    fn every_mistake_of_a_body_is_named_at_once() {
        check("{}", &["name", "price"]);
        check(
            r#"{"name": 1, "price": "7", "color": "green", "hidden": 1, "seller": 0}"#,
            &["name", "price", "color", "hidden", "seller"],
        );
        check(r#"{"name": "abc", "price": 1, "balance": 9, "role": "admin"}"#, &["balance", "role"]);
        check(r#"{"name": "abc", "price": 1, "price": 2}"#, &["price"]);
        check(r#"{"name": "a\u0000bc", "price": 1}"#, &["name"]);
        check(r#"{"name": "a\nbc", "price": 1}"#, &["name"]);
        check(r#"{"name": " abc", "price": 1}"#, &["name"]);
        check(r#"{"name": null, "price": null}"#, &["name", "price"]);
    }

    #[test]
    fn an_amount_is_a_whole_number_within_its_bounds() {
        let digits = "9".repeat(10_000);
        let wrong =
            ["-1", "0", "1001", "1e999", "0.1", "1.0", "1e1", "\"1 \"", "\"1\"", "[1]", "true"];
        let huge = ["18446744073709551616", "340282366920938463463374607431768211456", &digits];
        for amount in wrong.into_iter().chain(huge) {
            check(&format!(r#"{{"name": "abc", "price": {amount}}}"#), &["price"]);
        }
        check(r#"{"name": "abc", "price": NaN}"#, &[""]);
    }

    #[test]
    fn what_is_no_json_object_is_one_mistake_however_deep_it_is() {
        let deep = "[".repeat(10_000);
        let closed = format!("{deep}{}", "]".repeat(10_000));
        for body in ["", "[]", "1", "null", "{", "{}{}", "{\"a\":}", "\u{0}", &deep, &closed] {
            check(body, &[""]);
        }
        let member = format!(r#"{{"name": "abc", "price": {closed}}}"#);
        check(&member, &["price"]);
        let objects = format!("{}1{}", r#"{"a":"#.repeat(10_000), "}".repeat(10_000));
        check(&format!(r#"{{"name": "abc", "price": {objects}}}"#), &["price"]);
    }

    #[test]
    fn an_answer_names_only_so_many_mistakes() {
        let members: Vec<String> = (0..1_000).map(|number| format!(r#""f{number}":0"#)).collect();
        let mistakes = of_json::<Offer>(format!("{{{}}}", members.join(",")).as_bytes());
        assert_eq!(mistakes.expect_err("bad").len(), MISTAKES_MAX);
    }

    #[test]
    fn the_description_lists_what_the_reader_asks_for() {
        let named: Vec<(&str, bool)> =
            asked::<Offer>().iter().map(|field| (field.name, field.required)).collect();
        let expected = [
            ("name", true),
            ("price", true),
            ("color", false),
            ("hidden", false),
            ("about", false),
            ("seller", false),
        ];
        assert_eq!(named, expected);
    }
}
