//! Everything that can be told of a run, as one text without what differs from run to run.

use std::collections::BTreeMap;

use regex_lite::{Captures, Regex};
use serde_json::Value;

use crate::common::{Sandbox, normal};

/// One run, in either world.
pub struct Account {
    /// As `--log json` has them.
    pub events: Vec<Value>,
    /// See [`crate::deeds`].
    pub deeds: String,
    /// Service, name, image, image id and state of each container.
    pub containers: Vec<[String; 5]>,
    /// What users get, one answer a line; none twice.
    pub answers: Vec<String>,
    /// zdt's notes of what should serve.
    pub state: String,
    /// Its journal of this run.
    pub journal: String,
}

impl Account {
    pub fn text(&self, sandbox: &Sandbox) -> String {
        let events = self.events.iter().filter_map(told);
        let events: String = events.map(|event| format!("{event:#}\n")).collect();
        let containers: String = self.containers.iter().map(|one| one.join(" ") + "\n").collect();
        let answers: String = self.answers.iter().map(|answer| format!("{answer}\n")).collect();
        let journal: String = self.journal.lines().map(|line| recorded(line) + "\n").collect();
        let text = format!(
            "--- events\n{events}--- deeds\n{}--- containers\n{containers}--- answers\n{answers}--- state\n{}\n\
             --- journal\n{journal}",
            self.deeds,
            noted(&self.state)
        );
        stable(sandbox, &text)
    }
}

/// An event without what is a matter of time: what a step waits for meanwhile, and how often a container that restarts
/// over and over has said so. `started` is the command's own word, which no session says.
fn told(event: &Value) -> Option<Value> {
    let mut event = event.clone();
    let fields = event.as_object_mut()?;
    if matches!(fields.get("event")?.as_str()?, "progress" | "started") {
        return None;
    }
    fields.retain(|name, _| name != "time" && name != "took_ms");
    if let Some(notes) = event.pointer_mut("/failure/notes").and_then(Value::as_array_mut) {
        notes.dedup();
    }
    Some(event)
}

/// A record without who wrote it, when and with which compose, and without the recipe's and the templates' texts.
fn recorded(line: &str) -> String {
    let mut record: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    if let Some(fields) = record.as_object_mut() {
        fields.retain(|name, _| {
            ![
                "at",
                "pid",
                "user",
                "host",
                "sources",
                "templates",
                "compose_command",
                "env",
                "home",
            ]
            .contains(&name.as_str())
        });
    }
    if let Some(notes) = record.get_mut("notes").and_then(Value::as_array_mut) {
        notes.dedup();
    }
    format!("{record:#}")
}

/// zdt's notes without the version of nginx, which is the image's.
fn noted(state: &str) -> String {
    let mut state: Value = serde_json::from_str(state).unwrap_or_else(|error| panic!("{error}: {state}"));
    if let Some(version) = state.pointer_mut("/nginx/1") {
        *version = "VERSION".into();
    }
    format!("{state:#}")
}

/// The text with names for what is chosen anew each time.
pub fn stable(sandbox: &Sandbox, text: &str) -> String {
    // Ids first: a port's digits may stand in one.
    let mut text = normal(sandbox, &numbered(text));
    for (pattern, with) in [
        (r"\S*/docker-compose ", "docker-compose "),
        (r"\b\d{10}\.\d{9}-[0-9a-f]{6}\b|\brehearsal\b", "RUN"),
        (r"\b10\.213\.\d+\.", "NET."),
        (r"\b(compose|engine|nginx) \d[-0-9a-z+.~]*", "$1 VERSION"),
        // What a machine's network says about a registry.
        (r#"Error response from daemon: (\\"|[^"])*"#, "WHAT THE ENGINE SAYS"),
    ] {
        let pattern = Regex::new(pattern).expect("it is a pattern");
        text = pattern.replace_all(&text, with).into_owned();
    }
    text
}

/// Ids, nonces and hashes by numbers, in the order in which they appear: the same one must still stand in the same
/// places. A dry run counts its nonces, and shows ids by their first twelve digits.
fn numbered(text: &str) -> String {
    let mut known = BTreeMap::new();
    let id = Regex::new(r"\b(sha256:)?([0-9a-f]{12,64}|nonce\d+)\b").expect("it is a pattern");
    let number = |found: &Captures<'_>| {
        let digits: String = found[2].chars().take(12).collect();
        let next = known.len() + 1;
        format!("#{}", known.entry(digits).or_insert(next))
    };
    id.replace_all(text, number).into_owned()
}

/// The lines in which two texts differ; `None` when they are the same.
pub fn difference(name: &str, one: &str, other: &str) -> Option<String> {
    let diff = similar::TextDiff::from_lines(one, other);
    (one != other).then(|| format!("=== {name}\n{}", diff.unified_diff().context_radius(4)))
}
