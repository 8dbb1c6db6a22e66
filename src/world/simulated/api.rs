//! The engine's HTTP API, as far as zdt asks it: the simulated engine's things in the engine's own shape.

use std::sync::Arc;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::container::Container;
use super::engine::Failure;
use super::faults::{Hit, Kind};
use super::state::State;
use super::{Simulated, inspect};
use crate::world::{Api, ProcessError, Question, Reply};

impl Api for Simulated {
    fn ask(&self, question: &Question<'_>) -> Result<Reply, ProcessError> {
        let mut state = self.lock();
        state.planned_interrupts();
        let hit = state.call(Kind::Ask, || question.display(), None);
        let interrupted = || ProcessError::Interrupted {
            command: question.display(),
        };
        match hit {
            Hit::Crash { .. } => {
                state.faults.die();
                drop(state);
                self.crash();
                Err(interrupted())
            }
            Hit::Error | Hit::ErrorAfter => Ok(reply(500, json!({ "message": "simulated fault" }))),
            Hit::Hang => {
                state.spend(question.deadline);
                Err(ProcessError::Silent {
                    question: question.display(),
                    limit: question.deadline,
                })
            }
            Hit::None | Hit::Interrupt => {
                state.spend(Duration::from_millis(2));
                Ok(answer(&mut state, question.path))
            }
        }
    }
}

impl Simulated {
    /// Somebody else asks the engine; it is neither counted nor recorded, and no fault strikes it.
    pub fn someone_asks(&self, path: &str) -> Value {
        Arc::unwrap_or_clone(answer(&mut self.lock(), path).body)
    }
}

fn reply(status: u16, body: impl Into<Arc<Value>>) -> Reply {
    let body = body.into();
    Reply { status, body }
}

/// An answer that stays the same until something changes.
fn kept(state: &mut State, question: &str, make: impl FnOnce(&State) -> Value) -> Arc<Value> {
    if let Some(told) = state.told.get(question) {
        return Arc::clone(told);
    }
    let value = Arc::new(make(state));
    // A health check changes with time alone.
    if value["State"]["Health"].is_null() {
        state.told.insert(question.to_string(), Arc::clone(&value));
    }
    value
}

fn no_such(what: &str) -> Reply {
    reply(404, json!({ "message": format!("No such {what}") }))
}

fn answer(state: &mut State, question: &str) -> Reply {
    let (path, query) = question.split_once('?').unwrap_or((question, ""));
    let decoded = percent_decode_str(path).decode_utf8_lossy();
    let words: Vec<&str> = decoded.trim_start_matches('/').split('/').collect();
    match words.as_slice() {
        ["version"] => reply(200, version(state)),
        ["containers", "json"] => reply(200, kept(state, question, |state| containers(state, query))),
        ["containers", id, "json"] => match state.engine.find(id) {
            Some(index) => reply(200, kept(state, question, |state| whole(state, index))),
            None => no_such(&format!("container: {id}")),
        },
        ["containers", id, "top"] => top(state, id, query),
        ["images", "json"] => reply(200, images(state, query)),
        ["images", name @ .., "json"] => match state.need_image(&name.join("/"), false) {
            Ok(image) => reply(200, inspect::image(&state.engine, &image)),
            Err(Failure::Exit { .. }) => no_such(&format!("image: {}", name.join("/"))),
            Err(Failure::Crashed) => reply(500, json!({ "message": "simulated fault" })),
        },
        ["networks"] => reply(200, networks(state, query)),
        _ => reply(
            400,
            json!({ "message": format!("simulated engine: cannot play `{path}`") }),
        ),
    }
}

fn version(state: &State) -> Value {
    let version = &state.settings.engine;
    json!({ "Version": version, "ApiVersion": "1.51", "MinAPIVersion": "1.24", "Os": "linux", "Arch": "amd64" })
}

/// One parameter of a query.
fn parameter(query: &str, name: &str) -> Option<String> {
    let value = query
        .split('&')
        .find_map(|part| part.strip_prefix(name)?.strip_prefix('='))?;
    Some(
        percent_decode_str(&value.replace('+', " "))
            .decode_utf8_lossy()
            .into_owned(),
    )
}

/// The values of one filter.
fn filter(query: &str, name: &str) -> Vec<String> {
    let filters: Value = parameter(query, "filters")
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default();
    let values = filters[name].as_array().into_iter().flatten();
    values.filter_map(|value| value.as_str().map(str::to_string)).collect()
}

fn labelled(own: &Value, wanted: &[String]) -> bool {
    wanted.iter().all(|label| match label.split_once('=') {
        Some((name, value)) => own[name] == value,
        None => !own[label.as_str()].is_null(),
    })
}

fn whole(state: &State, index: usize) -> Value {
    inspect::container(&state.engine, &state.engine.containers[index], state.now)
}

/// The newest first, the running ones only unless asked for all.
fn containers(state: &State, query: &str) -> Value {
    let all = parameter(query, "all").is_some_and(|all| all == "1");
    let labels = filter(query, "label");
    let shown =
        |container: &&Container| (all || container.running()) && labelled(&json!(container.spec.labels), &labels);
    let row = |container: &Container| {
        json!({
            "Id": container.id, "Names": [format!("/{}", container.name)], "Image": container.spec.image,
            "ImageID": container.spec.image_id, "Labels": container.spec.labels,
        })
    };
    state.engine.containers.iter().rev().filter(shown).map(row).collect()
}

fn top(state: &State, id: &str, query: &str) -> Reply {
    let columns = parameter(query, "ps_args");
    let Some(columns) = columns.as_deref().and_then(|args| args.strip_prefix("-eo pid,")) else {
        return reply(
            400,
            json!({ "message": format!("simulated engine: cannot play `top` with `{query}`") }),
        );
    };
    let Some(index) = state.engine.find(id) else {
        return no_such(&format!("container: {id}"));
    };
    let container = &state.engine.containers[index];
    if !container.running() {
        return reply(409, json!({ "message": format!("container {id} is not running") }));
    }
    let processes = container.processes(state.now);
    let row = |(pid, title, age): &(u32, String, Duration)| match columns {
        "etimes" => json!([pid.to_string(), age.as_secs().to_string()]),
        _ => json!([pid.to_string(), title]),
    };
    let rows: Vec<Value> = processes.iter().map(row).collect();
    reply(
        200,
        json!({ "Titles": ["PID", columns.to_uppercase()], "Processes": rows }),
    )
}

fn images(state: &State, query: &str) -> Value {
    let wanted = filter(query, "reference");
    let matches = |tag: &str| {
        let repository = tag.rsplit_once(':').map_or(tag, |(repository, _)| repository);
        wanted.is_empty() || wanted.iter().any(|wanted| wanted == tag || wanted == repository)
    };
    let images = state.engine.images.values();
    let shown = images.filter(|image| {
        state
            .engine
            .tags
            .iter()
            .any(|(tag, id)| *id == image.id && matches(tag))
    });
    shown.map(|image| inspect::image(&state.engine, image)).collect()
}

fn networks(state: &State, query: &str) -> Value {
    let labels = filter(query, "label");
    let all = state.engine.networks.iter();
    let all = all.map(|network| inspect::network(&state.engine, network));
    all.filter(|network| labelled(&network["Labels"], &labels)).collect()
}
