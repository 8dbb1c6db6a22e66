//! Hostile values in the shipped templates: they are refused, or the file means the same with them as with a harmless one.

use std::path::Path;

use serde_json::{Value, json};
use zdt::drivers::nginx::dump::{Directive, directives};
use zdt::template::{Kind, Template};
use zdt_fuzz::{fuzz, mutate};

const HARMLESS: &str = "harmless";

const PIECES: &[&str] = &[
    ";",
    "{",
    "}",
    "\"",
    "'",
    "$",
    "#",
    " #",
    "\\",
    ": ",
    ":",
    "-",
    "- ",
    "\n",
    "\r",
    "\t",
    " ",
    "*",
    "&a",
    "!",
    "|",
    ">",
    "%",
    "@",
    "`",
    ",",
    "[",
    "]",
    "?",
    "~",
    "null",
    "true",
    "1.10",
    "0x1f",
    "\u{85}",
    "\u{2028}",
    "\u{2029}",
    "\u{feff}",
    "\u{a0}",
    "é",
    "---",
    "...",
    "<<",
    "${HOME}",
    "server 10.0.0.1;",
    "image: evil",
    "..",
    "/",
];

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docker");
    let read = |path: &str| std::fs::read_to_string(root.join(path)).expect("the shipped template is there");
    let nginx = Template::new("default.conf", &read("nginx/default.conf.hbs"), Kind::Nginx).expect("it compiles");
    let yaml = Template::new("docker-compose.yml", &read("docker-compose.yml.hbs"), Kind::Yaml).expect("it compiles");
    let corpus: Vec<Vec<u8>> = [
        "a",
        "zdt/sample-app:0.0.1",
        "8080",
        "backend",
        "registry:5000/x@sha256:00",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec();
    let conf = nginx.render(&nginx_values(HARMLESS)).expect("a harmless value");
    let compose: Value = serde_saphyr::from_str(&yaml.render(&yaml_values(HARMLESS)).expect("a harmless value"))
        .expect("the shipped template is YAML");
    fuzz("template_values", |random| {
        let bytes = mutate(random, &corpus, PIECES);
        let value = String::from_utf8_lossy(&bytes).into_owned();
        if value.is_empty() {
            return Ok(());
        }
        if let Ok(text) = nginx.render(&nginx_values(&value)) {
            let place = Path::new("default.conf");
            let wanted = words(&directives(place, &conf));
            let wanted = wanted.iter().map(|word| word.replace(HARMLESS, &value));
            if !words(&directives(place, &text)).into_iter().eq(wanted) {
                return Err(format!("nginx reads something else with {value:?}"));
            }
        }
        if let Ok(text) = yaml.render(&yaml_values(&value)) {
            let read: Value =
                serde_saphyr::from_str(&text).map_err(|error| format!("no YAML with {value:?}: {error}"))?;
            same(&compose, &read, &value).map_err(|why| format!("YAML with {value:?}: {why}"))?;
        }
        Ok(())
    });
}

/// What nginx reads: each directive's place and words, and what stands before each brace around it.
fn words(directives: &[Directive]) -> Vec<String> {
    let of = |one: &Directive| {
        let around = one.around.iter().flat_map(|block| block.words.clone());
        let line = format!("{}:", one.line);
        [line]
            .into_iter()
            .chain(around)
            .chain(one.words.clone())
            .collect::<Vec<_>>()
    };
    directives.iter().flat_map(of).collect()
}

fn nginx_values(value: &str) -> Value {
    json!({
        "upstreams": [{ "name": value, "resolve": true, "servers": [{ "name": "app_1", "server": "10.0.0.11:3000" }] }],
        "private_server": "server { listen 80; server_name zdt; }",
        "nginx": { "version": "1.30.0", "keepalive_min_timeout": true },
    })
}

fn yaml_values(value: &str) -> Value {
    json!({
        "proxy_image": value, "db_image": value, "http_port": value,
        "network": { "subnet": "10.213.0.0/24", "range": "10.213.0.128/25" },
        "backends": [{ "service": "app_1", "image": value, "name": value, "address": "10.213.0.11" }],
    })
}

/// The same keys and lists; a text that held the harmless value holds this one. A plain scalar may read as a number.
fn same(wanted: &Value, found: &Value, value: &str) -> Result<(), String> {
    match (wanted, found) {
        (Value::Object(wanted), Value::Object(found)) => {
            if !wanted.keys().eq(found.keys()) {
                return Err("other keys".to_string());
            }
            wanted
                .iter()
                .zip(found)
                .try_for_each(|((_, wanted), (_, found))| same(wanted, found, value))
        }
        (Value::Array(wanted), Value::Array(found)) if wanted.len() == found.len() => wanted
            .iter()
            .zip(found)
            .try_for_each(|(wanted, found)| same(wanted, found, value)),
        (Value::String(text), Value::String(found)) if text.replace(HARMLESS, value) == *found => Ok(()),
        (Value::String(text), Value::Number(_) | Value::Bool(_) | Value::Null) if text == HARMLESS => Ok(()),
        (wanted, found) if wanted == found => Ok(()),
        (wanted, found) => Err(format!("{found} instead of {wanted}")),
    }
}
