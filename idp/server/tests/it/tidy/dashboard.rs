//! The dashboard for Kibana: every line is a saved object as Kibana 8.9 and later import it, every reference resolves, and every
//! field that is asked for is one that is shipped.

use crate::stories::mapped;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

const FILE: &str = include_str!("../../../../../examples/kibana/gait.ndjson");

/// A type of objects, the version of its shape, and the attributes that must be there with their kind: a text, a boolean, an object,
/// or JSON in a text.
type Shape = (&'static str, &'static str, &'static [(&'static str, char)]);

const SHAPES: [Shape; 4] = [
    ("tag", "8.0.0", &[("name", 's'), ("description", 's'), ("color", 's')]),
    (
        "index-pattern",
        "8.0.0",
        &[
            ("title", 's'),
            ("name", 's'),
            ("timeFieldName", 's'),
            ("fields", 'j'),
            ("fieldFormatMap", 'j'),
        ],
    ),
    ("lens", "8.9.0", &[("title", 's'), ("visualizationType", 's'), ("state", 'o')]),
    (
        "dashboard",
        "8.9.0",
        &[
            ("title", 's'),
            ("panelsJSON", 'j'),
            ("optionsJSON", 'j'),
            ("kibanaSavedObjectMeta", 'o'),
            ("timeRestore", 'b'),
        ],
    ),
];

/// Operations of Lens that a column may be of, and whether they make buckets.
const OPERATIONS: [(&str, bool); 9] = [
    ("count", false),
    ("date_histogram", true),
    ("formula", false),
    ("last_value", false),
    ("math", false),
    ("max", false),
    ("percentile", false),
    ("terms", true),
    ("unique_count", false),
];

fn objects() -> Vec<Value> {
    assert!(FILE.ends_with('\n'));
    FILE.lines()
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} is no text in {value}"))
}

fn ids(objects: &[Value]) -> BTreeSet<(String, String)> {
    objects
        .iter()
        .map(|object| (text(object, "type").to_owned(), text(object, "id").to_owned()))
        .collect()
}

/// A query's fields: what stands before a colon, outside of quotes.
fn asked(query: &str) -> Vec<String> {
    let outside: String = query.split('"').step_by(2).collect::<Vec<_>>().join(" ");
    let words: Vec<&str> = outside.split(|c: char| c.is_whitespace() || "()".contains(c)).collect();
    words
        .iter()
        .filter_map(|word| word.split_once(':'))
        .map(|(field, _)| field.to_owned())
        .filter(|field| !field.is_empty())
        .collect()
}

fn columns(lens: &Value) -> Vec<(String, Map<String, Value>)> {
    let layers = lens["attributes"]["state"]["datasourceStates"]["formBased"]["layers"]
        .as_object()
        .expect("layers");
    let layer = layers.values().next().expect("a layer");
    let columns = layer["columns"].as_object().expect("columns");
    let order: BTreeSet<&str> = layer["columnOrder"]
        .as_array()
        .expect("an order")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(
        order,
        columns.keys().map(String::as_str).collect(),
        "every column has its place"
    );
    columns
        .iter()
        .map(|(id, column)| (id.clone(), column.as_object().expect("a column").clone()))
        .collect()
}

#[test]
fn every_line_is_a_saved_object_of_a_known_shape() {
    let objects = objects();
    assert_eq!(ids(&objects).len(), objects.len(), "no id comes twice");
    for object in &objects {
        let kind = text(object, "type");
        let (_, version, attributes) = SHAPES
            .iter()
            .find(|(name, _, _)| *name == kind)
            .unwrap_or_else(|| panic!("a {kind}"));
        assert_eq!(
            (text(object, "coreMigrationVersion"), text(object, "typeMigrationVersion")),
            ("8.8.0", *version)
        );
        for (name, shape) in *attributes {
            let value = &object["attributes"][*name];
            let fits = match shape {
                's' => value.is_string(),
                'b' => value.is_boolean(),
                'o' => value.is_object(),
                _ => value.as_str().is_some_and(|text| serde_json::from_str::<Value>(text).is_ok()),
            };
            assert!(fits, "{kind}.{name} = {value}");
        }
        let members: BTreeSet<&str> = object.as_object().expect("an object").keys().map(String::as_str).collect();
        let known = [
            "type",
            "id",
            "attributes",
            "references",
            "managed",
            "coreMigrationVersion",
            "typeMigrationVersion",
        ];
        assert_eq!(members, known.into(), "no member that an import refuses");
    }
    for kind in SHAPES.map(|(name, _, _)| name) {
        assert!(objects.iter().any(|object| object["type"] == kind), "there is a {kind}");
    }
}

#[test]
fn every_reference_resolves_and_every_panel_has_its_own() {
    let objects = objects();
    let there = ids(&objects);
    for object in &objects {
        let references = object["references"].as_array().expect("references");
        let names: BTreeSet<&str> = references.iter().map(|reference| text(reference, "name")).collect();
        assert_eq!(names.len(), references.len(), "no name comes twice");
        for reference in references {
            let target = (text(reference, "type").to_owned(), text(reference, "id").to_owned());
            assert!(there.contains(&target), "{target:?}");
        }
        if object["type"] == "lens" {
            let layers = object["attributes"]["state"]["datasourceStates"]["formBased"]["layers"]
                .as_object()
                .expect("layers");
            assert!(
                layers
                    .keys()
                    .all(|layer| names.contains(format!("indexpattern-datasource-layer-{layer}").as_str()))
            );
        }
    }
    let dashboard = objects
        .iter()
        .find(|object| object["type"] == "dashboard")
        .expect("a dashboard");
    let panels: Vec<Value> = serde_json::from_str(text(&dashboard["attributes"], "panelsJSON")).expect("panels");
    let references = dashboard["references"].as_array().expect("references");
    let mut cells = BTreeSet::new();
    for panel in &panels {
        let index = text(panel, "panelIndex");
        assert_eq!(text(&panel["gridData"], "i"), index);
        let name = format!("{index}:{}", text(panel, "panelRefName"));
        let own = references
            .iter()
            .find(|reference| reference["name"] == name.as_str())
            .expect("its reference");
        assert_eq!((text(own, "type"), text(panel, "type")), ("lens", "lens"));
        let at = |side: &str| panel["gridData"][side].as_u64().expect("a number");
        assert!(at("x") + at("w") <= 48, "the grid has 48 columns");
        for x in at("x")..at("x") + at("w") {
            for y in at("y")..at("y") + at("h") {
                assert!(cells.insert((x, y)), "panel {index} lies on another");
            }
        }
    }
    let lenses = objects.iter().filter(|object| object["type"] == "lens").count();
    assert_eq!(panels.len(), lenses, "every chart is on the dashboard");
}

#[test]
fn every_field_that_is_asked_for_is_shipped_and_of_its_type() {
    let mapped = mapped();
    let lens_type = |field: &str| {
        match mapped.get(field).map(String::as_str) {
            Some("keyword" | "constant_keyword") => "string",
            Some("long") => "number",
            Some(other) => other,
            None => panic!("{field} is not shipped"),
        }
        .to_owned()
    };
    for object in objects().iter().filter(|object| object["type"] == "lens") {
        let columns = columns(object);
        let known: BTreeMap<&str, &Map<String, Value>> = columns.iter().map(|(id, column)| (id.as_str(), column)).collect();
        let mut queries = vec![text(&object["attributes"]["state"]["query"], "query").to_owned()];
        for (id, column) in &columns {
            let operation = column["operationType"].as_str().expect("an operation");
            let (_, is_bucketed) = OPERATIONS
                .iter()
                .find(|(name, _)| *name == operation)
                .unwrap_or_else(|| panic!("{operation}"));
            assert_eq!(column["isBucketed"], *is_bucketed, "{id}");
            if let Some(filter) = column.get("filter") {
                queries.push(text(filter, "query").to_owned());
            }
            match column.get("sourceField").and_then(Value::as_str) {
                Some("___records___") => assert_eq!(operation, "count"),
                Some(field) if ["terms", "date_histogram", "max", "last_value"].contains(&operation) => {
                    assert_eq!(column["dataType"], lens_type(field), "{field}");
                }
                Some(field) => drop(lens_type(field)),
                None => {
                    let references = column["references"].as_array().expect("a formula's parts");
                    assert!(!references.is_empty());
                    assert!(
                        references
                            .iter()
                            .all(|part| known.contains_key(part.as_str().unwrap_or_default()))
                    );
                }
            }
            let ordered = column.get("params").and_then(|params| params.get("orderBy"));
            let ordered = ordered.and_then(|by| by["columnId"].as_str());
            assert!(
                ordered.is_none_or(|by| known.contains_key(by)),
                "{id} is ordered by a column that is there"
            );
        }
        for field in queries.iter().flat_map(|query| asked(query)) {
            lens_type(&field);
        }
        let drawn = object["attributes"]["state"]["visualization"].to_string();
        let is_drawn = columns.iter().filter(|(id, column)| {
            let is_part = id.rsplit_once('X').is_some_and(|(whole, _)| known.contains_key(whole));
            assert!(is_part || column.contains_key("label"));
            !is_part
        });
        for (id, _) in is_drawn {
            assert!(drawn.contains(id), "{id} of {} is drawn", object["id"]);
        }
    }
}

#[test]
fn a_query_s_fields_are_found() {
    let query = r#"event.action: "a:b" and (gait.end_reason: ("x" or "y") or not user.id: *)"#;
    assert_eq!(asked(query), ["event.action", "gait.end_reason", "user.id"]);
    assert!(asked("").is_empty());
}
