//! A compose file's text to plain values: YAML with merges, then `$name` replaced in every string.

use serde_json::{Map, Value};

/// Looks a variable up.
pub(super) type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Parses a file and replaces its variables.
pub(super) fn load(text: &str, lookup: Lookup<'_>) -> Result<Value, String> {
    let value: Value = serde_saphyr::from_str(text).map_err(|error| format!("yaml: {error}"))?;
    interpolate(merged(value), lookup)
}

/// `a: { <<: *b }` for a parser that leaves the merge to us.
fn merged(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut own = Map::new();
            let mut from = Vec::new();
            for (key, value) in map {
                match (key.as_str(), merged(value)) {
                    ("<<", Value::Array(list)) => from.extend(list),
                    ("<<", value) => from.push(value),
                    (_, value) => {
                        own.insert(key, value);
                    }
                }
            }
            for base in from {
                if let Value::Object(base) = base {
                    for (key, value) in base {
                        own.entry(key).or_insert(value);
                    }
                }
            }
            Value::Object(own)
        }
        Value::Array(list) => list.into_iter().map(merged).collect(),
        other => other,
    }
}

fn interpolate(value: Value, lookup: Lookup<'_>) -> Result<Value, String> {
    Ok(match value {
        Value::String(text) if text.contains('$') => Value::String(substitute(&text, lookup)?),
        Value::Array(list) => list
            .into_iter()
            .map(|item| interpolate(item, lookup))
            .collect::<Result<_, _>>()?,
        Value::Object(map) => {
            let pairs = map
                .into_iter()
                .map(|(key, value)| Ok((key, interpolate(value, lookup)?)));
            pairs.collect::<Result<_, String>>()?
        }
        other => other,
    })
}

/// `$A`, `${A}`, `${A:-x}`, `${A-x}`, `${A:?x}`, `${A?x}`, `${A:+x}`, `${A+x}`, `$$`
fn substitute(text: &str, lookup: Lookup<'_>) -> Result<String, String> {
    let invalid = || format!("invalid interpolation format: \"{text}\"");
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        if let Some(tail) = after.strip_prefix('$') {
            out.push('$');
            rest = tail;
        } else if let Some(inner) = after.strip_prefix('{') {
            let close = closing(inner).ok_or_else(invalid)?;
            out.push_str(&braced(&inner[..close], lookup)?.ok_or_else(invalid)?);
            rest = &inner[close + 1..];
        } else {
            let end = after
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .unwrap_or(after.len());
            if end == 0 {
                return Err(invalid());
            }
            out.push_str(&lookup(&after[..end]).unwrap_or_default());
            rest = &after[end..];
        }
    }
    out.push_str(rest);
    Ok(out)
}

fn closing(text: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => return Some(at),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn braced(inner: &str, lookup: Lookup<'_>) -> Result<Option<String>, String> {
    let end = inner
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .unwrap_or(inner.len());
    let (name, rest) = inner.split_at(end);
    if name.is_empty() {
        return Ok(None);
    }
    let value = lookup(name);
    let filled = value.clone().filter(|value| !value.is_empty());
    let (value, operator) = match rest.strip_prefix(':') {
        Some(operator) => (filled, operator),
        None => (value, rest),
    };
    Ok(match (operator.chars().next(), value) {
        (None, value) if rest.is_empty() => Some(value.unwrap_or_default()),
        (Some('-' | '?'), Some(value)) => Some(value),
        (Some('-'), None) => Some(substitute(&operator[1..], lookup)?),
        (Some('?'), None) => {
            return Err(format!(
                "required variable {name} is missing a value: {}",
                &operator[1..]
            ));
        }
        (Some('+'), Some(_)) => Some(substitute(&operator[1..], lookup)?),
        (Some('+'), None) => Some(String::new()),
        _ => None,
    })
}
