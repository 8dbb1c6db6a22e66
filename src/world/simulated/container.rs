//! A simulated container: what it was created with, and what it does now.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::image::{Answers, Behaviour, Death};
use super::nginx::server::Master;

#[derive(Debug, Clone)]
pub(super) struct Container {
    pub spec: Spec,
    pub id: String,
    pub name: String,
    pub created: Duration,
    pub status: Status,
    pub started: Option<Duration>,
    pub finished: Option<Duration>,
    pub exit_code: i32,
    pub out_of_memory: bool,
    pub restarts: u32,
    /// When the engine starts it again.
    pub restart_at: Option<Duration>,
    /// It was stopped by a command: the restart policy rests.
    pub stopped: bool,
    pub pid: u32,
    /// In the order of `spec.endpoints`; `None` while it does not run.
    pub addresses: Vec<Option<Ipv4Addr>>,
    /// Host ports in the order of `spec.ports`, chosen at the start where the spec leaves them open.
    pub host_ports: Vec<Option<u16>>,
    pub log: Vec<String>,
    /// Files that differ from the image's.
    pub layer: BTreeMap<String, Arc<Vec<u8>>>,
    /// The nginx in it, while it runs.
    pub master: Option<Master>,
}

/// What a container is created with.
#[derive(Debug, Clone, Default)]
pub(super) struct Spec {
    pub image: String,
    pub image_id: String,
    pub labels: BTreeMap<String, String>,
    pub command: Vec<String>,
    pub entrypoint: Vec<String>,
    pub env: Vec<String>,
    pub endpoints: Vec<Endpoint>,
    pub ports: Vec<Port>,
    pub mounts: Vec<Mount>,
    pub restart: String,
    pub stop_signal: Option<String>,
    pub stop_timeout: Duration,
    pub healthcheck: Value,
    pub memory: u64,
    pub nano_cpus: u64,
}

#[derive(Debug, Clone)]
pub(super) struct Endpoint {
    pub network: String,
    pub fixed: Option<Ipv4Addr>,
    pub aliases: Vec<String>,
}

#[derive(Debug, Clone)]
pub(super) struct Port {
    pub host_ip: String,
    pub host: Option<u16>,
    /// False for a port that the image exposes only.
    pub published: bool,
    pub target: u16,
    pub protocol: String,
}

#[derive(Debug, Clone)]
pub(super) struct Mount {
    pub kind: String,
    pub name: String,
    pub source: String,
    pub target: String,
    pub writable: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Created,
    Running,
    Restarting,
    Exited,
}

impl Container {
    /// Its processes: pids, titles, and for how long they have been there.
    pub(super) fn processes(&self, now: Duration) -> Vec<(u32, String, Duration)> {
        let words = self.spec.entrypoint.iter().chain(&self.spec.command);
        let title = words.map(String::as_str).collect::<Vec<_>>().join(" ");
        let (title, workers) = match &self.master {
            Some(master) => (format!("nginx: master process {title}"), master.workers(now)),
            None => (title, Vec::new()),
        };
        let first = (self.pid, title, self.started.unwrap_or(now));
        let all = std::iter::once(first).chain(workers);
        all.map(|(pid, title, made)| (pid, title, now.saturating_sub(made)))
            .collect()
    }

    pub(super) fn new(id: String, name: String, spec: Spec, now: Duration) -> Self {
        Self {
            addresses: vec![None; spec.endpoints.len()],
            host_ports: vec![None; spec.ports.len()],
            spec,
            id,
            name,
            created: now,
            status: Status::Created,
            started: None,
            finished: None,
            exit_code: 0,
            out_of_memory: false,
            restarts: 0,
            restart_at: None,
            stopped: false,
            pid: 0,
            log: Vec::new(),
            layer: BTreeMap::new(),
            master: None,
        }
    }

    pub(super) fn running(&self) -> bool {
        self.status == Status::Running
    }

    pub(super) fn label(&self, name: &str) -> &str {
        self.spec.labels.get(name).map_or("", String::as_str)
    }

    /// The name that users of compose know it by.
    pub(super) fn service(&self) -> &str {
        match self.label("com.docker.compose.service") {
            "" => &self.name,
            service => service,
        }
    }

    pub(super) fn has_address(&self, address: Ipv4Addr) -> bool {
        self.addresses.contains(&Some(address))
    }

    /// Whether it listens by now, as an app of this behaviour.
    pub(super) fn booted(&self, behaviour: &Behaviour, now: Duration) -> bool {
        self.running() && self.started.is_some_and(|start| start + behaviour.boots_in <= now)
    }

    pub(super) fn sick(&self, behaviour: &Behaviour, now: Duration) -> bool {
        let since = self.started.zip(behaviour.sick_after);
        since.is_some_and(|(start, after)| start + after <= now)
    }

    /// How it ends by itself, if it does.
    pub(super) fn death<'b>(&self, behaviour: &'b Behaviour) -> Option<&'b Death> {
        let death = behaviour.dies.as_ref()?;
        (!death.once || self.restarts == 0).then_some(death)
    }

    /// Whether users get good answers from it.
    pub(super) fn healthy(&self, behaviour: &Behaviour, now: Duration) -> bool {
        self.booted(behaviour, now) && behaviour.answers == Answers::Well && !self.sick(behaviour, now)
    }

    /// What the container's healthcheck has found: `None` without one.
    pub(super) fn health(&self, behaviour: Option<&Behaviour>, now: Duration) -> Option<&'static str> {
        self.spec.healthcheck.get("Test")?;
        let interval = self.spec.healthcheck.get("Interval").and_then(Value::as_u64);
        let interval = Duration::from_nanos(interval.unwrap_or(30_000_000_000).max(1));
        let start = self.started?;
        let checks = (now.saturating_sub(start).as_nanos() / interval.as_nanos()) as u32;
        let last = start + interval * checks;
        let well = behaviour.is_none_or(|behaviour| self.healthy(behaviour, last));
        Some(match (self.running(), checks, well) {
            (false, ..) => "unhealthy",
            (true, 0, _) => "starting",
            (true, _, true) => "healthy",
            (true, 1..3, false) => "starting",
            (true, _, false) => "unhealthy",
        })
    }
}
