//! The one form of a compose file: what `config --format json` prints, with short notations written out.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::value::words;
use super::yaml;

pub(super) fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

pub(super) fn resolve(
    texts: &[String],
    lookup: yaml::Lookup<'_>,
    folder: &Path,
    named: Option<String>,
) -> Result<Value, String> {
    let mut all = json!({});
    for text in texts {
        overlay(&mut all, yaml::load(text, lookup)?);
    }
    let own_name = all["name"].as_str().map(str::to_string);
    let from_folder = || folder.file_name().map(|name| name.to_string_lossy().to_lowercase());
    let name = named.or(own_name).or_else(from_folder).unwrap_or_default();
    let mut services = Map::new();
    let Some(Value::Object(raw)) = all.get("services") else {
        return Err("empty compose file".into());
    };
    for (service, raw) in raw {
        services.insert(service.clone(), normalised(service, raw, folder)?);
    }
    services.sort_keys();
    let mut model = json!({ "name": name, "services": services });
    let mut networks = all
        .get("networks")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    let uses = |network: &str| {
        model["services"]
            .as_object()
            .into_iter()
            .flatten()
            .any(|(_, service)| service["networks"].get(network).is_some())
    };
    if uses("default") {
        networks.entry("default").or_insert(Value::Null);
    }
    model["networks"] = top_level(networks, &name);
    let volumes = all
        .get("volumes")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    model["volumes"] = top_level(volumes, &name);
    Ok(model)
}

fn top_level(entries: Map<String, Value>, project: &str) -> Value {
    let named = entries.into_iter().map(|(key, mut value)| {
        if !value.is_object() {
            value = json!({});
        }
        if value.get("name").is_none() {
            let external = value.get("external") == Some(&Value::Bool(true));
            value["name"] = if external {
                key.clone()
            } else {
                format!("{project}_{key}")
            }
            .into();
        }
        (key, value)
    });
    Value::Object(named.collect())
}

fn overlay(base: &mut Value, over: Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (key, value) in over {
                overlay(base.entry(key).or_insert(Value::Null), value);
            }
        }
        (base, over) => *base = over,
    }
}

fn normalised(name: &str, raw: &Value, folder: &Path) -> Result<Value, String> {
    let Value::Object(raw) = raw else {
        return Err(format!("services.{name} must be a mapping"));
    };
    if !raw.contains_key("image") && !raw.contains_key("build") {
        return Err(format!(
            "service \"{name}\" has neither an image nor a build context specified: invalid compose project"
        ));
    }
    let mut out = Map::new();
    for key in ["command", "entrypoint"] {
        let value = raw.get(key).cloned().unwrap_or_default();
        let split = |text: &str| words(text).into_iter().map(Value::String).collect();
        out.insert(key.into(), value.as_str().map(split).unwrap_or(value));
    }
    for (key, value) in raw {
        let value = match key.as_str() {
            "command" | "entrypoint" => continue,
            "environment" | "labels" | "extra_hosts" | "sysctls" => pairs(value),
            "ports" => each(value, port)?,
            "volumes" => each(value, |value| volume(value, folder))?,
            "networks" | "depends_on" => named(key, value),
            "env_file" => continue,
            _ => value.clone(),
        };
        out.insert(key.clone(), value);
    }
    if !out.contains_key("networks") && !out.contains_key("network_mode") {
        out.insert("networks".into(), json!({ "default": null }));
    }
    out.sort_keys();
    Ok(Value::Object(out))
}

/// A list of `A=b` or a mapping, to a mapping of strings.
fn pairs(value: &Value) -> Value {
    let mut out = Map::new();
    match value {
        Value::Array(list) => {
            for text in list.iter().filter_map(Value::as_str) {
                let (name, value) = text.split_once('=').unwrap_or((text, ""));
                out.insert(name.into(), value.into());
            }
        }
        Value::Object(map) => {
            for (name, value) in map {
                out.insert(name.clone(), text(value).into());
            }
        }
        _ => {}
    }
    out.sort_keys();
    Value::Object(out)
}

pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn named(key: &str, value: &Value) -> Value {
    match value {
        Value::Array(list) => {
            let default = |_: &str| match key {
                "depends_on" => json!({ "condition": "service_started", "required": true }),
                _ => Value::Null,
            };
            let entries = list
                .iter()
                .filter_map(Value::as_str)
                .map(|name| (name.to_string(), default(name)));
            Value::Object(entries.collect())
        }
        other => other.clone(),
    }
}

fn each(value: &Value, expand: impl Fn(&Value) -> Result<Value, String>) -> Result<Value, String> {
    value.as_array().into_iter().flatten().map(expand).collect()
}

/// `[[IP:]HOST:]CONTAINER[/PROTOCOL]`
fn port(value: &Value) -> Result<Value, String> {
    if value.is_object() {
        let mut value = value.clone();
        let defaults = [("mode", "ingress"), ("protocol", "tcp")];
        for (key, default) in defaults
            .into_iter()
            .filter(|(key, _)| value.get(key).is_none())
            .collect::<Vec<_>>()
        {
            value[key] = default.into();
        }
        if let Some(published) = value.get("published") {
            value["published"] = text(published).into();
        }
        return Ok(value);
    }
    let text = text(value);
    let (rest, protocol) = text.split_once('/').unwrap_or((&text, "tcp"));
    let (before, target) = rest
        .rsplit_once(':')
        .map_or((None, rest), |(before, target)| (Some(before), target));
    let target: u16 = target.parse().map_err(|_| format!("invalid containerPort: {target}"))?;
    let mut out = json!({ "mode": "ingress" });
    let (ip, published) = match before.map(|before| before.rsplit_once(':').unwrap_or(("", before))) {
        Some((ip, published)) => (ip, published),
        None => ("", ""),
    };
    if !ip.is_empty() {
        out["host_ip"] = ip.into();
    }
    out["target"] = target.into();
    if !published.is_empty() {
        out["published"] = published.into();
    }
    out["protocol"] = protocol.into();
    Ok(out)
}

/// `SOURCE:TARGET[:ro]`; a source that begins like a path is one of the machine's.
fn volume(value: &Value, folder: &Path) -> Result<Value, String> {
    let place = |source: &str| match source.strip_prefix('~') {
        Some(rest) => format!("/root{rest}"),
        None => normal(&folder.join(source)).display().to_string(),
    };
    if let Value::Object(map) = value {
        let mut map = map.clone();
        if let (Some("bind"), Some(source)) = (
            map.get("type").and_then(Value::as_str),
            map.get("source").and_then(Value::as_str),
        ) {
            let source = place(source);
            map.insert("source".into(), source.into());
        }
        return Ok(Value::Object(map));
    }
    let text = text(value);
    let parts: Vec<&str> = text.split(':').collect();
    let (source, target, mode) = match parts.as_slice() {
        [target] => ("", *target, ""),
        [source, target] => (*source, *target, ""),
        [source, target, mode] => (*source, *target, *mode),
        _ => return Err(format!("invalid volume specification: {text}")),
    };
    let bind = source.starts_with(['.', '/', '~']);
    let mut out = json!({ "type": if bind { "bind" } else { "volume" } });
    if !source.is_empty() {
        out["source"] = if bind { place(source) } else { source.to_string() }.into();
    }
    out["target"] = target.into();
    if mode.split(',').any(|word| word == "ro") {
        out["read_only"] = true.into();
    }
    match bind {
        true => out["bind"] = json!({ "create_host_path": true }),
        false => out["volume"] = json!({}),
    }
    Ok(out)
}
