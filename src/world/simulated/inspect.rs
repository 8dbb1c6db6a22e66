//! The simulated engine's things as JSON in the engine's own shape, as its API and `docker inspect` give them.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::container::{Container, Status};
use super::engine::Engine;
use super::image::{Behaviour, Image, ImageKind, full};
use super::network::Network;

/// The engine's word for a time that never was.
const NEVER: &str = "0001-01-01T00:00:00Z";
/// When the simulated world began, in seconds of Unix time: 2026-01-01T00:00:00Z.
pub(super) const BEGAN: u64 = 1_767_225_600;

pub(super) fn container(engine: &Engine, container: &Container, now: Duration) -> Value {
    let running = container.running();
    let words: Vec<&String> = container
        .spec
        .entrypoint
        .iter()
        .chain(&container.spec.command)
        .collect();
    let (status, restarting) = match container.status {
        Status::Created => ("created", false),
        Status::Running => ("running", false),
        Status::Restarting => ("restarting", true),
        Status::Exited => ("exited", false),
    };
    let mut state = json!({
        "Status": status, "Running": running || restarting, "Paused": false, "Restarting": restarting,
        "OOMKilled": container.out_of_memory, "Dead": false, "Pid": if running { container.pid } else { 0 },
        "ExitCode": container.exit_code, "Error": "",
        "StartedAt": time(container.started), "FinishedAt": time(container.finished),
    });
    let behaviour = behaviour(engine, container);
    if let Some(health) = container.health(behaviour, now) {
        state["Health"] = json!({ "Status": health, "FailingStreak": u32::from(health == "unhealthy") * 3, "Log": [] });
    }
    let mut config = json!({
        "Hostname": &container.id[..12], "User": "", "Env": container.spec.env,
        "Cmd": list(&container.spec.command), "Image": container.spec.image, "WorkingDir": "",
        "Entrypoint": list(&container.spec.entrypoint), "Labels": container.spec.labels,
        "StopTimeout": container.spec.stop_timeout.as_secs(),
    });
    if container.spec.healthcheck.is_object() {
        config["Healthcheck"] = container.spec.healthcheck.clone();
    }
    if let Some(signal) = stop_signal(engine, container) {
        config["StopSignal"] = signal.into();
    }
    let mut bindings = Map::new();
    let mut ports = Map::new();
    for (port, host) in container.spec.ports.iter().zip(&container.host_ports) {
        let key = format!("{}/{}", port.target, port.protocol);
        if port.published {
            let text = port.host.map(|host| host.to_string()).unwrap_or_default();
            push(&mut bindings, &key, json!({ "HostIp": port.host_ip, "HostPort": text }));
        }
        match host {
            Some(host) => {
                let ip = if port.host_ip.is_empty() {
                    "0.0.0.0"
                } else {
                    &port.host_ip
                };
                push(&mut ports, &key, json!({ "HostIp": ip, "HostPort": host.to_string() }));
            }
            None if running => {
                ports.entry(key).or_insert(Value::Null);
            }
            None => {}
        }
    }
    let mut networks = Map::new();
    for (endpoint, address) in container.spec.endpoints.iter().zip(&container.addresses) {
        let network = engine.networks.iter().find(|network| network.name == endpoint.network);
        let fixed = endpoint.fixed.map(|address| json!({ "IPv4Address": address }));
        let text = |value: Option<String>| value.unwrap_or_default();
        networks.insert(
            endpoint.network.clone(),
            json!({
                "IPAMConfig": fixed, "Aliases": endpoint.aliases,
                "NetworkID": text(network.map(|network| network.id.clone())),
                "Gateway": text(address.and(network).map(|network| network.gateway().to_string())),
                "IPAddress": text(address.map(|address| address.to_string())),
                "IPPrefixLen": address.and(network).map_or(0, |network| network.subnet.bits),
            }),
        );
    }
    let mounts: Vec<Value> = container
        .spec
        .mounts
        .iter()
        .map(|mount| {
            let mut value = json!({
                "Type": mount.kind, "Source": mount.source, "Destination": mount.target,
                "Mode": if mount.writable { "rw" } else { "ro" }, "RW": mount.writable, "Propagation": "rprivate",
            });
            if mount.kind == "volume" {
                value["Name"] = mount.name.clone().into();
            }
            value
        })
        .collect();
    json!({
        "Id": container.id, "Created": time(Some(container.created)),
        "Path": words.first(), "Args": words.get(1..).unwrap_or_default(),
        "State": state, "Image": container.spec.image_id, "Name": format!("/{}", container.name),
        "RestartCount": container.restarts, "Driver": "overlay2", "Platform": "linux",
        "HostConfig": {
            "NetworkMode": container.spec.endpoints.first().map_or("none", |endpoint| endpoint.network.as_str()),
            "PortBindings": bindings,
            "RestartPolicy": restart_policy(&container.spec.restart),
            "AutoRemove": false, "Memory": container.spec.memory, "NanoCpus": container.spec.nano_cpus,
        },
        "Mounts": mounts, "Config": config,
        "NetworkSettings": { "Ports": ports, "Networks": networks },
    })
}

fn push(map: &mut Map<String, Value>, key: &str, value: Value) {
    match map.entry(key).or_insert_with(|| json!([])) {
        Value::Array(list) => list.push(value),
        other => *other = json!([value]),
    }
}

fn restart_policy(text: &str) -> Value {
    let (name, count) = text.split_once(':').unwrap_or((text, "0"));
    let name = if name.is_empty() { "no" } else { name };
    json!({ "Name": name, "MaximumRetryCount": count.parse().unwrap_or(0) })
}

fn list(words: &[String]) -> Value {
    if words.is_empty() { Value::Null } else { json!(words) }
}

pub(super) fn behaviour<'a>(engine: &'a Engine, container: &Container) -> Option<&'a Behaviour> {
    match engine.kind(container)? {
        ImageKind::App(behaviour) => Some(behaviour),
        ImageKind::Nginx { .. } | ImageKind::Other => None,
    }
}

fn stop_signal(engine: &Engine, container: &Container) -> Option<String> {
    let nginx = || matches!(engine.kind(container), Some(ImageKind::Nginx { .. })).then(|| "SIGQUIT".to_string());
    container.spec.stop_signal.clone().or_else(nginx)
}

pub(super) fn image(engine: &Engine, image: &Image) -> Value {
    let tags: Vec<&String> = engine
        .tags
        .iter()
        .filter(|(_, id)| **id == image.id)
        .map(|(tag, _)| tag)
        .collect();
    let (command, ports, signal) = defaults(image);
    let mut config = json!({
        "Env": environment(image), "Cmd": list(&command), "Image": "", "Entrypoint": null, "Labels": null,
        "ExposedPorts": ports.iter().map(|port| (format!("{port}/tcp"), json!({}))).collect::<Map<_, _>>(),
    });
    if let Some(signal) = signal {
        config["StopSignal"] = signal.into();
    }
    json!({
        "Id": image.id, "RepoTags": tags, "RepoDigests": [], "Parent": "", "Created": time(Some(Duration::ZERO)),
        "Config": config, "Architecture": "amd64", "Os": "linux", "Size": 1_483_112,
    })
}

/// Command, exposed ports and stop signal of an image.
pub(super) fn defaults(image: &Image) -> (Vec<String>, Vec<u16>, Option<&'static str>) {
    match &image.kind {
        ImageKind::App(behaviour) => (vec!["/app".into()], vec![behaviour.port.unwrap_or(3000)], None),
        ImageKind::Nginx { .. } => {
            let command = ["nginx", "-g", "daemon off;"].map(String::from);
            (command.to_vec(), vec![80], Some("SIGQUIT"))
        }
        ImageKind::Other => (vec!["/program".into()], Vec::new(), None),
    }
}

pub(super) fn environment(image: &Image) -> Vec<String> {
    let mut env = vec!["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_string()];
    match &image.kind {
        ImageKind::Nginx { version } => env.push(format!("NGINX_VERSION={version}")),
        ImageKind::App(_) => env.push(format!("APP_VERSION={}", image.tag())),
        ImageKind::Other => {}
    }
    env
}

pub(super) fn network(engine: &Engine, network: &Network) -> Value {
    let mut ipam = json!({ "Subnet": network.subnet.to_string() });
    if let Some(range) = network.range {
        ipam["IPRange"] = range.to_string().into();
    }
    if let Some(gateway) = network.gateway {
        ipam["Gateway"] = gateway.to_string().into();
    }
    let mut containers = Map::new();
    for container in &engine.containers {
        for (endpoint, address) in container.spec.endpoints.iter().zip(&container.addresses) {
            if let (Some(address), true) = (address, endpoint.network == network.name) {
                let address = format!("{address}/{}", network.subnet.bits);
                let value = json!({ "Name": container.name, "IPv4Address": address, "IPv6Address": "" });
                containers.insert(container.id.clone(), value);
            }
        }
    }
    json!({
        "Name": network.name, "Id": network.id, "Scope": "local", "Driver": "bridge",
        "IPAM": { "Driver": "default", "Options": null, "Config": [ipam] },
        "Containers": containers, "Options": {}, "Labels": network.labels,
    })
}

/// The tag-less message differs by what is asked for; the engine's words for an image that is not here.
pub(super) fn no_such_image(reference: &str) -> String {
    format!("No such image: {}", full(reference))
}

/// A virtual time in the engine's notation.
fn time(at: Option<Duration>) -> String {
    let Some(at) = at else { return NEVER.into() };
    let seconds = BEGAN + at.as_secs();
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:09}Z",
        at.subsec_nanos()
    )
}

/// The Gregorian date of a day counted from 1970-01-01.
fn date(mut days: u64) -> (u64, u64, u64) {
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let mut year = 1970;
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let february = 28 + u64::from(leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    (year, month, days + 1)
}
