//! Decides how a route reads in OpenAPI 3.1.

use serde_json::{Map, Value, json};

use crate::http::{Access, Asked, AskedBody, Format, Route, id, object_schema};
use crate::settings;

/// Every route of `table`.
pub(super) fn document(table: &[Route], settings: &settings::Cache) -> Value {
    let mut paths = Map::new();
    for route in table {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.verb.name().to_lowercase()] = operation(route, settings);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Arcade",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "x-cache-ttl-s and x-cache-tags say how long an answer is fresh and \
                            what drops it. X-Cache, Age and ETag of an answer say what happened.",
        },
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" },
            },
            "schemas": { "Problem": problem() },
        },
    })
}

fn problem() -> Value {
    let text = json!({ "type": "string" });
    let detail = json!({
        "type": "object",
        "required": ["path", "message", "limit"],
        "properties": { "path": text, "message": text, "limit": text },
    });
    json!({
        "type": "object",
        "required": ["type", "title", "status", "error", "details"],
        "properties": {
            "type": text,
            "title": text,
            "status": { "type": "integer" },
            "error": text,
            "details": { "type": "array", "items": detail },
            "requestId": text,
        },
    })
}

fn operation(route: &Route, settings: &settings::Cache) -> Value {
    let mut operation = json!({
        "summary": route.about,
        "operationId": operation_id(route),
        "parameters": parameters(route),
        "responses": responses(route),
    });
    if route.access != Access::Public {
        operation["security"] = json!([{ "bearer": [] }]);
    }
    if let Some(AskedBody { required, fields }) = &route.takes.body {
        let content = json!({ "application/json": { "schema": object_schema(fields) } });
        operation["requestBody"] = json!({ "required": required, "content": content });
    }
    if let Some(fresh) = route.fresh_for(settings) {
        let names: Vec<&str> = route.cached.iter().map(|plan| plan.name).collect();
        operation["x-cache-ttl-s"] = json!(fresh.as_secs());
        operation["x-cache-tags"] = json!(route.tags());
        operation["x-cache-names"] = json!(names);
    }
    if !route.drops.is_empty() {
        let names: Vec<&str> = route.drops.iter().map(|plan| plan.name).collect();
        operation["x-cache-drops"] = json!(names);
    }
    operation
}

/// Unique, because method and path together are.
fn operation_id(route: &Route) -> String {
    let words = route.path.split(|char: char| !char.is_ascii_alphanumeric());
    let words = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-");
    format!("{}-{words}", route.verb.name().to_lowercase())
}

fn parameters(route: &Route) -> Vec<Value> {
    let told = |name: &str| route.takes.path.iter().find(|asked| asked.name == name);
    let in_path = route.parameters().map(|name| {
        let schema = told(name).map_or_else(|| id().schema(), |asked| asked.schema.clone());
        json!({ "name": name, "in": "path", "required": true, "schema": schema })
    });
    let in_header = route.takes.headers.iter().map(|header| parameter(header, "header"));
    let in_query = route.takes.query.iter().map(|field| parameter(field, "query"));
    in_path.chain(in_header).chain(in_query).collect()
}

fn parameter(Asked { name, required, schema }: &Asked, place: &str) -> Value {
    json!({ "name": name, "in": place, "required": required, "schema": schema })
}

fn responses(route: &Route) -> Value {
    let mut responses = Map::new();
    let good = route.status.as_str().to_owned();
    responses.insert(good, json!({ "description": "The answer." }));
    if let Some(status) = route.status_of_new {
        let made = json!({ "description": "The same, of what was not there before." });
        responses.insert(status.as_str().to_owned(), made);
    }
    if !route.cached.is_empty() {
        let held = json!({ "description": "The caller holds the answer that If-None-Match names." });
        responses.insert("304".to_owned(), held);
    }
    for (status, description) in route.failures() {
        let content = json!({
            "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } },
        });
        let failure = json!({ "description": description, "content": content });
        responses.insert(status.as_str().to_owned(), failure);
    }
    Value::Object(responses)
}
