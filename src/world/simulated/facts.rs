//! What a real engine runs, as its own JSON, brought into the simulated one.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use super::compose::own_hashes;
use super::container::{Container, Endpoint, Mount, Port, Spec, Status};
use super::image::{Behaviour, Image, ImageKind, full};
use super::network::{Network, Range};
use super::nginx::server::Master;
use super::state::State;

/// Plain data about a machine.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// As `docker inspect ID…` prints them.
    pub containers: Vec<Value>,
    /// The array that `docker image inspect REF…` prints.
    pub images: Vec<Value>,
    /// The array that `docker network inspect NAME…` prints.
    pub networks: Vec<Value>,
    /// Path, content and permission bits.
    pub files: Vec<(PathBuf, Vec<u8>, u32)>,
    /// For each service the hash that the real `compose config --hash` prints now. With it a service that is up to date
    /// counts as up to date here too.
    pub hashes: BTreeMap<String, String>,
    /// Empty: the defaults.
    pub compose_version: String,
    pub engine_version: String,
    /// nginx's version where it is known, by image id; else the image's environment is asked.
    pub nginx_versions: BTreeMap<String, String>,
    pub env: BTreeMap<String, String>,
}

impl Facts {
    pub(super) fn plant(self, state: &mut State) {
        // What runs has run for an hour: it has booted.
        state.now = Duration::from_secs(3600);
        for (path, content, mode) in &self.files {
            state.files.plant(path, content, *mode);
        }
        if !self.compose_version.is_empty() {
            state.settings.compose = self.compose_version.clone();
        }
        if !self.engine_version.is_empty() {
            state.settings.engine = self.engine_version.clone();
            state.settings.client = self.engine_version.clone();
        }
        state.settings.env = self.env.clone();
        for image in &self.images {
            self.image(state, image);
        }
        for network in &self.networks {
            state.engine.networks.extend(read_network(network));
        }
        for raw in &self.containers {
            if let Some(container) = read_container(raw) {
                self.missing_image(state, &container);
                state.engine.containers.push(container);
            }
        }
        // All addresses are known by now, so the names in the proxy's configuration resolve.
        for index in 0..state.engine.containers.len() {
            let container = &state.engine.containers[index];
            let Some(ImageKind::Nginx { version }) = state.engine.kind(container).cloned() else {
                continue;
            };
            if container.running() {
                match Master::start(state, index, &version) {
                    Ok(master) => state.engine.containers[index].master = Some(master),
                    // It runs on what it read once; what is there now cannot be read, and the log says so.
                    Err(emerg) => state.engine.containers[index].log.push(format!("[emerg] 1#1: {emerg}")),
                }
            }
        }
        self.same_hashes(state);
        state.changed();
    }

    fn image(&self, state: &mut State, raw: &Value) {
        let Some(id) = raw["Id"].as_str() else { return };
        let tags: Vec<String> = strings(&raw["RepoTags"]);
        // A tag that keeps an image from being pruned says nothing about its version.
        let own = tags.iter().find(|tag| !tag.starts_with("zdt-keep")).or(tags.first());
        let reference = own.cloned().unwrap_or_default();
        let kind = self.kind(id, &reference, &raw["Config"]);
        let image = Image {
            reference,
            id: id.to_string(),
            kind,
        };
        for tag in tags {
            state.engine.tags.insert(full(&tag), id.to_string());
        }
        state.engine.images.insert(id.to_string(), image);
    }

    fn kind(&self, id: &str, reference: &str, config: &Value) -> ImageKind {
        let env = strings(&config["Env"]);
        let variable = env.iter().find_map(|pair| pair.strip_prefix("NGINX_VERSION="));
        let known = self.nginx_versions.get(id).map(String::as_str).or(variable);
        let words = [strings(&config["Entrypoint"]), strings(&config["Cmd"])].concat();
        let runs = words
            .first()
            .is_some_and(|program| program.rsplit('/').next() == Some("nginx"));
        match known {
            Some(version) => ImageKind::Nginx {
                version: version.to_string(),
            },
            None if runs || reference.contains("nginx") => ImageKind::Nginx {
                version: "1.30.0".into(),
            },
            None => ImageKind::App(Behaviour::default()),
        }
    }

    /// A container whose image nobody listed runs all the same.
    fn missing_image(&self, state: &mut State, container: &Container) {
        let id = &container.spec.image_id;
        if !state.engine.images.contains_key(id) {
            let reference = container.spec.image.clone();
            let config = serde_json::json!({ "Env": container.spec.env, "Cmd": container.spec.command });
            let kind = self.kind(id, &reference, &config);
            let image = Image {
                reference: full(&reference),
                id: id.clone(),
                kind,
            };
            state.engine.images.insert(id.clone(), image);
        }
    }

    fn same_hashes(&self, state: &mut State) {
        let places: Vec<(PathBuf, String)> = state
            .engine
            .containers
            .iter()
            .map(|container| {
                let files = container.label("com.docker.compose.project.config_files");
                let file = files.split(',').next().unwrap_or_default();
                (
                    PathBuf::from(file),
                    container.label("com.docker.compose.project").to_string(),
                )
            })
            .collect();
        for (file, project) in places {
            for (service, own) in own_hashes(state, &file, &project) {
                if let Some(real) = self.hashes.get(&service).filter(|real| **real != own) {
                    state.hashes.insert(own, real.clone());
                }
            }
        }
    }
}

fn read_network(raw: &Value) -> Option<Network> {
    let config = &raw["IPAM"]["Config"][0];
    let range = |key: &str| config[key].as_str().and_then(Range::parse);
    Some(Network {
        name: raw["Name"].as_str()?.to_string(),
        id: raw["Id"].as_str().unwrap_or_default().to_string(),
        subnet: range("Subnet")?,
        range: range("IPRange"),
        gateway: config["Gateway"].as_str().and_then(|text| text.parse().ok()),
        labels: map(&raw["Labels"]),
    })
}

fn read_container(raw: &Value) -> Option<Container> {
    let (config, host) = (&raw["Config"], &raw["HostConfig"]);
    let (mut endpoints, mut addresses) = (Vec::new(), Vec::new());
    for (network, endpoint) in raw["NetworkSettings"]["Networks"].as_object().into_iter().flatten() {
        endpoints.push(Endpoint {
            network: network.clone(),
            fixed: endpoint["IPAMConfig"]["IPv4Address"]
                .as_str()
                .and_then(|text| text.parse().ok()),
            aliases: strings(&endpoint["Aliases"]),
        });
        addresses.push(endpoint["IPAddress"].as_str().and_then(|text| text.parse().ok()));
    }
    let (mut ports, mut host_ports) = (Vec::new(), Vec::new());
    for (key, bindings) in host["PortBindings"].as_object().into_iter().flatten() {
        let (target, protocol) = key.split_once('/').unwrap_or((key, "tcp"));
        for (at, binding) in bindings.as_array().into_iter().flatten().enumerate() {
            let number = |value: &Value| value["HostPort"].as_str().and_then(|text| text.parse().ok());
            ports.push(Port {
                host_ip: binding["HostIp"].as_str().unwrap_or_default().to_string(),
                host: number(binding),
                published: true,
                target: target.parse().unwrap_or(0),
                protocol: protocol.to_string(),
            });
            host_ports.push(number(&raw["NetworkSettings"]["Ports"][key][at]));
        }
    }
    let mounts = raw["Mounts"].as_array().into_iter().flatten().map(|mount| {
        let text = |key: &str| mount[key].as_str().unwrap_or_default().to_string();
        Mount {
            kind: text("Type"),
            name: text("Name"),
            source: text("Source"),
            target: text("Destination"),
            writable: mount["RW"] == true,
        }
    });
    let policy = &host["RestartPolicy"];
    let spec = Spec {
        image: config["Image"].as_str().unwrap_or_default().to_string(),
        image_id: raw["Image"].as_str()?.to_string(),
        labels: map(&config["Labels"]),
        command: strings(&config["Cmd"]),
        entrypoint: strings(&config["Entrypoint"]),
        env: strings(&config["Env"]),
        endpoints,
        ports,
        mounts: mounts.collect(),
        restart: policy["Name"].as_str().unwrap_or_default().to_string(),
        stop_signal: config["StopSignal"].as_str().map(str::to_string),
        stop_timeout: Duration::from_secs(config["StopTimeout"].as_u64().unwrap_or(10)),
        healthcheck: config["Healthcheck"].clone(),
        memory: host["Memory"].as_u64().unwrap_or(0),
        nano_cpus: host["NanoCpus"].as_u64().unwrap_or(0),
    };
    let id = raw["Id"]
        .as_str()
        .filter(|id| id.len() >= 12 && id.is_ascii())?
        .to_string();
    let name = raw["Name"].as_str()?.trim_start_matches('/').to_string();
    let mut container = Container::new(id, name, spec, Duration::ZERO);
    (container.addresses, container.host_ports) = (addresses, host_ports);
    container.status = match raw["State"]["Status"].as_str() {
        Some("running" | "paused") => Status::Running,
        Some("restarting") => Status::Restarting,
        Some("created") => Status::Created,
        _ => Status::Exited,
    };
    container.started = Some(Duration::ZERO);
    container.exit_code = raw["State"]["ExitCode"]
        .as_i64()
        .and_then(|code| i32::try_from(code).ok())
        .unwrap_or(0);
    container.restarts = raw["RestartCount"]
        .as_u64()
        .and_then(|count| u32::try_from(count).ok())
        .unwrap_or(0);
    container.pid = raw["State"]["Pid"]
        .as_u64()
        .and_then(|pid| u32::try_from(pid).ok())
        .unwrap_or(0);
    Some(container)
}

fn strings(value: &Value) -> Vec<String> {
    let list = value.as_array().into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_string).collect()
}

fn map(value: &Value) -> BTreeMap<String, String> {
    let pairs = value.as_object().into_iter().flatten();
    pairs
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_string())))
        .collect()
}
