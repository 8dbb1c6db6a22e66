//! A container, as the engine tells it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

/// A container as the engine tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    pub id: String,
    /// Without the leading `/`.
    pub name: String,
    pub service: String,
    pub project: String,
    /// The folder it was deployed from, as compose labelled it.
    pub working_dir: Option<PathBuf>,
    /// The image as it was named.
    pub image: String,
    pub image_id: String,
    pub state: State,
    pub restart_count: u64,
    pub restart_policy: String,
    pub networks: BTreeMap<String, String>,
    /// Container port to the places where it is published.
    pub ports: BTreeMap<u16, Vec<Published>>,
    pub mounts: Vec<Mount>,
    /// Entry point and command together.
    pub command: Vec<String>,
    pub config_hash: Option<String>,
    /// The compose files it was made from.
    pub config_files: Vec<String>,
    pub network_mode: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// `created`, `running`, `restarting`, `exited`, `paused`, `dead`, `removing`.
    pub status: String,
    pub exit_code: i64,
    /// Its first process, on the engine's machine; 0 while it does not run.
    pub pid: u32,
    pub started_at: String,
    pub oom_killed: bool,
    /// What the image's own HEALTHCHECK says: `starting`, `healthy`, `unhealthy`.
    pub health: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    pub address: String,
    pub port: u16,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    pub source: PathBuf,
    pub destination: PathBuf,
    pub bind: bool,
}

/// What makes a container the same one: a restart or a replacement changes at least one of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub id: String,
    pub started_at: String,
    pub restart_count: u64,
    pub image_id: String,
}

impl Container {
    pub fn identity(&self) -> Identity {
        Identity {
            id: self.id.clone(),
            started_at: self.state.started_at.clone(),
            restart_count: self.restart_count,
            image_id: self.image_id.clone(),
        }
    }

    /// It does not run and is not about to: one that restarts over and over is no such container.
    pub fn stopped(&self) -> bool {
        ["created", "exited", "dead"].contains(&self.state.status.as_str())
    }

    pub fn running(&self) -> bool {
        self.state.status == "running"
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_string()
}

fn words(value: &Value) -> impl Iterator<Item = String> + '_ {
    value.as_array().into_iter().flatten().map(text)
}

/// Reads what the engine says of one; the flag tells whether it is a one-off of `compose run`.
pub(super) fn container(value: &Value) -> (Container, bool) {
    let config = &value["Config"];
    let labels = &config["Labels"];
    let state = &value["State"];
    let settings = &value["NetworkSettings"];
    let host = &value["HostConfig"];
    let one_off = text(&labels["com.docker.compose.oneoff"]).eq_ignore_ascii_case("true");
    let container = Container {
        id: text(&value["Id"]),
        name: text(&value["Name"]).trim_start_matches('/').to_string(),
        service: text(&labels["com.docker.compose.service"]),
        project: text(&labels["com.docker.compose.project"]),
        working_dir: labels["com.docker.compose.project.working_dir"]
            .as_str()
            .map(PathBuf::from),
        image: text(&config["Image"]),
        image_id: text(&value["Image"]),
        state: State {
            status: text(&state["Status"]),
            exit_code: state["ExitCode"].as_i64().unwrap_or(0),
            pid: state["Pid"].as_u64().and_then(|pid| pid.try_into().ok()).unwrap_or(0),
            started_at: text(&state["StartedAt"]),
            oom_killed: state["OOMKilled"].as_bool().unwrap_or(false),
            health: state["Health"]["Status"]
                .as_str()
                .filter(|status| *status != "none")
                .map(str::to_string),
        },
        restart_count: value["RestartCount"].as_u64().unwrap_or(0),
        restart_policy: text(&host["RestartPolicy"]["Name"]),
        networks: settings["Networks"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, network)| (name.clone(), text(&network["IPAddress"])))
            .collect(),
        ports: ports(&settings["Ports"]),
        mounts: value["Mounts"].as_array().into_iter().flatten().map(mount).collect(),
        command: words(&config["Entrypoint"]).chain(words(&config["Cmd"])).collect(),
        config_files: text(&labels["com.docker.compose.project.config_files"])
            .split(',')
            .filter(|file| !file.is_empty())
            .map(str::to_string)
            .collect(),
        config_hash: labels["com.docker.compose.config-hash"].as_str().map(str::to_string),
        network_mode: text(&host["NetworkMode"]),
    };
    (container, one_off)
}

fn mount(value: &Value) -> Mount {
    Mount {
        source: PathBuf::from(text(&value["Source"])),
        destination: PathBuf::from(text(&value["Destination"])),
        bind: text(&value["Type"]) == "bind",
    }
}

fn ports(value: &Value) -> BTreeMap<u16, Vec<Published>> {
    let mut ports = BTreeMap::new();
    for (key, bindings) in value.as_object().into_iter().flatten() {
        let Some(port) = key.strip_suffix("/tcp").and_then(|port| port.parse().ok()) else {
            continue;
        };
        let places = bindings
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|binding| {
                Some(Published {
                    address: text(&binding["HostIp"]),
                    port: text(&binding["HostPort"]).parse().ok()?,
                })
            })
            .collect();
        ports.insert(port, places);
    }
    ports
}
