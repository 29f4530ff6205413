//! Decides how the routes read for people: one page without a script, from the server itself.

use std::fmt::Write;

use serde_json::Value;

use crate::http::{Access, Asked, Route};
use crate::settings;

/// The page of every route of `table`.
pub(super) fn html(table: &[Route], settings: &settings::Cache) -> String {
    let mut html = String::from(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <title>Arcade: routes</title><link rel=\"stylesheet\" href=\"/docs/style.css\"></head>\
         <body>\n<h1>Arcade: routes</h1>\n\
         <p>The same for programs: <a href=\"/openapi.json\">/openapi.json</a>.</p>\n",
    );
    for route in table {
        html.push_str(&section(route, settings));
    }
    html.push_str("</body></html>\n");
    html
}

fn section(route: &Route, settings: &settings::Cache) -> String {
    let who = match route.access {
        Access::Public => "Everybody.",
        Access::User => "With a token.",
        Access::Admin => "With the token of an admin.",
    };
    let name = format!("{} {}", route.verb.name(), route.path);
    let statuses: Vec<String> = [Some(route.status), route.status_of_new]
        .iter()
        .flatten()
        .map(|status| status.as_u16().to_string())
        .collect();
    let mut html = format!(
        "<h2>{}</h2>\n<p>{} {who} Answers {}.</p>\n",
        escaped(&name),
        escaped(route.about),
        statuses.join(" or ")
    );
    if let Some(fresh) = route.fresh_for(settings) {
        let tags: Vec<String> =
            route.tags().iter().map(|tag| format!("<code>{}</code>", escaped(tag))).collect();
        let line = format!("<p>Cached {} s; dropped by {}.</p>\n", fresh.as_secs(), tags.join(", "));
        html.push_str(&line);
    }
    for (status, why) in &route.refusals {
        html.push_str(&format!("<p>{}: {}</p>\n", status.as_u16(), escaped(why)));
    }
    html.push_str(&fields("Path", &route.takes.path));
    html.push_str(&fields("Header", &route.takes.headers));
    html.push_str(&fields("Query", &route.takes.query));
    html.push_str(&fields("Body", route.takes.body_fields()));
    html
}

fn fields(title: &str, fields: &[Asked]) -> String {
    if fields.is_empty() {
        return String::new();
    }
    let mut html = format!("<table><tr><th>{title}</th><th>takes</th><th></th></tr>\n");
    for Asked { name, required, schema } in fields {
        let needed = if *required { "required" } else { "" };
        let row = format!(
            "<tr><td><code>{}</code></td><td>{}</td><td>{needed}</td></tr>\n",
            escaped(name),
            escaped(&bounds(schema))
        );
        html.push_str(&row);
    }
    html + "</table>\n"
}

/// A schema in words, in the order of its own names.
fn bounds(schema: &Value) -> String {
    let mut text = String::new();
    for (name, bound) in schema.as_object().into_iter().flatten() {
        let between = if text.is_empty() { "" } else { ", " };
        // Writing to a string cannot fail.
        write!(text, "{between}{name} {bound}").unwrap_or_default();
    }
    text
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
