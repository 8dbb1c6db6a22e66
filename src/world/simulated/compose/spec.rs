//! What compose creates a container with.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::normal::text;
use super::project::Project;
use super::value::{bytes, duration};
use crate::world::simulated::container::{Endpoint, Mount, Port, Spec};
use crate::world::simulated::image::Image;
use crate::world::simulated::inspect;
use crate::world::simulated::state::State;

pub(super) fn spec(state: &State, project: &Project, name: &str, service: &Value, image: &Image, hash: &str) -> Spec {
    let files: Vec<String> = project.files.iter().map(|file| file.display().to_string()).collect();
    let mut labels: BTreeMap<String, String> = service["labels"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.clone(), text(value)))
        .collect();
    let own = [
        ("project", project.name.clone()),
        ("service", name.to_string()),
        ("config-hash", hash.to_string()),
        ("image", image.id.clone()),
        ("oneoff", "False".to_string()),
        ("container-number", "1".to_string()),
        ("project.working_dir", project.folder.display().to_string()),
        ("project.config_files", files.join(",")),
        ("version", state.settings.compose.clone()),
    ];
    labels.extend(own.map(|(key, value)| (format!("com.docker.compose.{key}"), value)));
    let words = |key: &str| {
        service[key]
            .as_array()
            .map(|list| list.iter().map(text).collect::<Vec<_>>())
    };
    let (command, exposed, _) = inspect::defaults(image);
    let mut env = inspect::environment(image);
    env.extend(
        service["environment"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, value)| format!("{name}={}", text(value))),
    );
    let endpoints = service["networks"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, value)| {
            let aliases = value["aliases"].as_array().into_iter().flatten().map(text);
            Endpoint {
                network: project.named("networks", key),
                fixed: value["ipv4_address"].as_str().and_then(|address| address.parse().ok()),
                aliases: std::iter::once(name.to_string()).chain(aliases).collect(),
            }
        });
    let mut ports: Vec<Port> = service["ports"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|port| Port {
            host_ip: text(&port["host_ip"]),
            host: text(&port["published"])
                .split('-')
                .next()
                .and_then(|port| port.parse().ok()),
            published: true,
            target: port["target"]
                .as_u64()
                .and_then(|port| u16::try_from(port).ok())
                .unwrap_or(0),
            protocol: text(&port["protocol"]),
        })
        .collect();
    for target in exposed {
        if !ports.iter().any(|port| port.target == target) {
            ports.push(Port {
                host_ip: String::new(),
                host: None,
                published: false,
                target,
                protocol: "tcp".into(),
            });
        }
    }
    let mounts = service["volumes"].as_array().into_iter().flatten().map(|volume| {
        let (kind, source) = (text(&volume["type"]), text(&volume["source"]));
        let name = if kind == "volume" {
            project.named("volumes", &source)
        } else {
            String::new()
        };
        Mount {
            source: if kind == "volume" {
                format!("/var/lib/docker/volumes/{name}/_data")
            } else {
                source
            },
            name,
            kind,
            target: text(&volume["target"]),
            writable: volume["read_only"] != true,
        }
    });
    let limits = &service["deploy"]["resources"]["limits"];
    let memory = [&service["mem_limit"], &limits["memory"]]
        .into_iter()
        .find_map(|value| bytes(&text(value)));
    let cpus = [&service["cpus"], &limits["cpus"]]
        .into_iter()
        .find_map(|value| text(value).parse::<f64>().ok());
    Spec {
        image: text(&service["image"]),
        image_id: image.id.clone(),
        labels,
        command: words("command").unwrap_or(command),
        entrypoint: words("entrypoint").unwrap_or_default(),
        env,
        endpoints: endpoints.collect(),
        ports,
        mounts: mounts.collect(),
        restart: text(&service["restart"]),
        stop_signal: service["stop_signal"].as_str().map(str::to_string),
        stop_timeout: duration(&text(&service["stop_grace_period"])).unwrap_or(Duration::from_secs(10)),
        healthcheck: healthcheck(&service["healthcheck"]),
        memory: memory.unwrap_or(0),
        nano_cpus: cpus.map_or(0, |cpus| (cpus * 1e9) as u64),
    }
}

pub(super) fn healthcheck(value: &Value) -> Value {
    if value["disable"] == true || value["test"].is_null() {
        return Value::Null;
    }
    let test = match &value["test"] {
        Value::String(text) => json!(["CMD-SHELL", text]),
        list => list.clone(),
    };
    let mut out = json!({ "Test": test });
    for (key, name) in [
        ("interval", "Interval"),
        ("timeout", "Timeout"),
        ("start_period", "StartPeriod"),
    ] {
        if let Some(time) = value[key].as_str().and_then(duration) {
            out[name] = (time.as_nanos() as u64).into();
        }
    }
    if let Some(retries) = value["retries"].as_u64() {
        out["Retries"] = retries.into();
    }
    out
}
