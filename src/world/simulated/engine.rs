//! The simulated engine: containers, images and networks, and what can be done to them.
//!
//! Every change is one *event*: a crash can fall between any two, and the users are looked after at each.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use super::container::{Container, Spec, Status};
use super::image::{Image, ImageKind, digest, full, is_id};
use super::network::Network;
use super::nginx::server::Master;
use super::state::State;

/// How a command ends when it does not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    Exit {
        code: i32,
        stdout: String,
        stderr: String,
    },
    /// zdt was killed in the middle of it.
    Crashed,
}

impl Failure {
    pub(super) fn daemon(text: impl AsRef<str>) -> Self {
        Self::exit(1, format!("Error response from daemon: {}\n", text.as_ref()))
    }

    pub(super) fn exit(code: i32, stderr: String) -> Self {
        let stdout = String::new();
        Self::Exit { code, stdout, stderr }
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct Engine {
    pub containers: Vec<Container>,
    /// By id.
    pub images: BTreeMap<String, Image>,
    /// Names to ids.
    pub tags: BTreeMap<String, String>,
    pub networks: Vec<Network>,
    pub volumes: Vec<String>,
    /// What a pull can bring, by reference.
    pub registry: BTreeMap<String, Image>,
    pub ids: u64,
    pub pids: u32,
}

impl Engine {
    pub(super) fn add_image(&mut self, image: Image) {
        self.tags.insert(image.reference.clone(), image.id.clone());
        self.images.entry(image.id.clone()).or_insert(image);
    }

    /// By name, id, or the beginning of an id.
    pub(super) fn image(&self, reference: &str) -> Option<&Image> {
        if let Some(id) = self.tags.get(&full(reference)) {
            return self.images.get(id);
        }
        let wanted = reference.strip_prefix("sha256:").unwrap_or(reference);
        let hex = wanted.len() >= 4 && wanted.bytes().all(|byte| byte.is_ascii_hexdigit());
        let mut found = self
            .images
            .values()
            .filter(|image| hex && image.id[7..].starts_with(wanted));
        found.next()
    }

    /// By name, id, or the beginning of an id.
    pub(super) fn find(&self, wanted: &str) -> Option<usize> {
        let name = wanted.strip_prefix('/').unwrap_or(wanted);
        let exact = |container: &Container| container.id == wanted || container.name == name;
        let begins = |container: &Container| wanted.len() >= 4 && container.id.starts_with(wanted);
        let all = &self.containers;
        all.iter().position(exact).or_else(|| all.iter().position(begins))
    }

    pub(super) fn new_id(&mut self) -> String {
        loop {
            self.ids += 1;
            let id = digest(&format!("container {}", self.ids));
            // A seeded world may come from another simulated one.
            if self.find(&id).is_none() {
                return id;
            }
        }
    }

    pub(super) fn new_pid(&mut self) -> u32 {
        self.pids += 1;
        // Above what the simulated machine runs itself.
        4000 + self.pids
    }

    pub(super) fn kind(&self, container: &Container) -> Option<&ImageKind> {
        Some(&self.images.get(&container.spec.image_id)?.kind)
    }

    pub(super) fn at_address(&self, address: Ipv4Addr) -> Option<usize> {
        self.containers
            .iter()
            .position(|container| container.has_address(address))
    }

    /// What the engine's own name server answers to a container: addresses of those it shares a network with.
    pub(super) fn resolve(&self, asker: &Container, name: &str) -> Vec<Ipv4Addr> {
        if let Ok(address) = name.parse() {
            return vec![address];
        }
        if name == "localhost" {
            return vec![Ipv4Addr::LOCALHOST];
        }
        let shared = |network: &str| asker.spec.endpoints.iter().any(|own| own.network == network);
        let mut found = Vec::new();
        for container in &self.containers {
            for (endpoint, address) in container.spec.endpoints.iter().zip(&container.addresses) {
                let named = container.name == name
                    || container.id.get(..12) == Some(name)
                    || endpoint.aliases.iter().any(|alias| alias == name);
                if let (Some(address), true) = (address, named && shared(&endpoint.network)) {
                    found.push(*address);
                }
            }
        }
        found
    }
}

impl State {
    /// One change of the engine: a crash may fall here, before it.
    pub(super) fn event(&mut self, what: impl FnOnce() -> String) -> Result<(), Failure> {
        match &mut self.budget {
            Some(0) => return Err(Failure::Crashed),
            Some(left) => *left -= 1,
            None => {}
        }
        if self.users.watching {
            self.cause = what();
        }
        Ok(())
    }

    pub(super) fn create(&mut self, name: &str, spec: Spec) -> Result<String, Failure> {
        if let Some(other) = self.engine.containers.iter().find(|other| other.name == name) {
            return Err(Failure::daemon(format!(
                "Conflict. The container name \"/{name}\" is already in use by container \"{}\". You have to remove (or rename) that container to be able to reuse that name.",
                other.id
            )));
        }
        self.event(|| format!("created `{name}`"))?;
        let id = self.engine.new_id();
        let container = Container::new(id.clone(), name.to_string(), spec, self.now);
        self.engine.containers.push(container);
        Ok(id)
    }

    pub(super) fn start(&mut self, index: usize) -> Result<(), Failure> {
        if !self.engine.containers[index].running() {
            self.start_at_once(index)?;
            self.spend(Duration::from_millis(250));
        }
        Ok(())
    }

    pub(super) fn start_at_once(&mut self, index: usize) -> Result<(), Failure> {
        let addresses = self.addresses(index)?;
        let host_ports = self.host_ports(index)?;
        self.event(String::new)?;
        self.tell(index, "started");
        let (now, pid) = (self.now, self.engine.new_pid());
        let container = &mut self.engine.containers[index];
        (container.addresses, container.host_ports) = (addresses, host_ports);
        container.status = Status::Running;
        container.started = Some(now);
        (container.exit_code, container.pid) = (0, pid);
        (container.stopped, container.restart_at) = (false, None);
        container.out_of_memory = false;
        if let Some(ImageKind::Nginx { version }) = self.engine.kind(&self.engine.containers[index]).cloned() {
            match Master::start(self, index, &version) {
                Ok(master) => self.engine.containers[index].master = Some(master),
                Err(emerg) => {
                    let container = &mut self.engine.containers[index];
                    container.log.push(format!("nginx: [emerg] {emerg}"));
                    self.exit(index, 1);
                }
            }
        }
        self.changed();
        Ok(())
    }

    /// The end of a container's main process, whoever ended it.
    pub(super) fn exit(&mut self, index: usize, code: i32) {
        let now = self.now;
        let container = &mut self.engine.containers[index];
        container.status = Status::Exited;
        container.finished = Some(now);
        container.exit_code = code;
        container.master = None;
        container.addresses.fill(None);
        container.host_ports.fill(None);
        let policy = container.spec.restart.split(':').next().unwrap_or_default();
        let again = match policy {
            "always" | "unless-stopped" => true,
            "on-failure" => code != 0,
            _ => false,
        };
        if again && !container.stopped {
            // The engine doubles its patience each time, from 100 ms to a minute.
            let wait = Duration::from_millis(100) * 2u32.pow(container.restarts.min(9));
            container.status = Status::Restarting;
            container.restart_at = Some(now + wait);
        }
    }

    /// SIGTERM, then the end. Requests that could still run on it are lost.
    pub(super) fn stop(&mut self, index: usize) -> Result<(), Failure> {
        let container = &self.engine.containers[index];
        if !matches!(container.status, Status::Running | Status::Restarting) {
            return Ok(());
        }
        self.event(String::new)?;
        self.tell(index, "stopped");
        self.look_for_cuts(index);
        let takes = match self.engine.kind(&self.engine.containers[index]) {
            Some(ImageKind::App(behaviour)) => behaviour.stops_in,
            Some(ImageKind::Nginx { .. } | ImageKind::Other) | None => Duration::from_millis(50),
        };
        let limit = self.engine.containers[index].spec.stop_timeout;
        self.engine.containers[index].stopped = true;
        self.engine.containers[index].restart_at = None;
        self.exit(index, if takes > limit { 137 } else { 0 });
        self.changed();
        self.spend(takes.min(limit) + Duration::from_millis(100));
        Ok(())
    }

    pub(super) fn remove(&mut self, index: usize) -> Result<(), Failure> {
        self.event(String::new)?;
        self.tell(index, "removed");
        self.engine.containers.remove(index);
        self.changed();
        Ok(())
    }

    pub(super) fn rename(&mut self, index: usize, name: &str) -> Result<(), Failure> {
        if self.engine.containers.iter().any(|other| other.name == name) {
            return Err(Failure::daemon(format!(
                "Error when allocating new name: Conflict. The container name \"/{name}\" is already in use"
            )));
        }
        self.event(|| format!("renamed to `{name}`"))?;
        self.engine.containers[index].name = name.to_string();
        Ok(())
    }

    pub(super) fn pull(&mut self, reference: &str) -> Result<(), Failure> {
        let name = full(reference);
        if is_id(&name) {
            return Err(Failure::daemon(format!(
                "pull access denied for {name}, repository does not exist or may require 'docker login'"
            )));
        }
        let image = match self.engine.registry.get(&name) {
            Some(image) => image.clone(),
            None if self.settings.imagine => match self.engine.image(&name) {
                Some(_) => return Ok(()),
                None => Image::imagined(reference),
            },
            None => {
                let (repository, _) = name.rsplit_once(':').unwrap_or((&name, ""));
                return Err(Failure::daemon(format!(
                    "manifest for {name} not found: manifest unknown: {repository}"
                )));
            }
        };
        self.event(|| format!("pulled `{name}`"))?;
        self.engine
            .images
            .entry(image.id.clone())
            .or_insert_with(|| image.clone());
        self.engine.tags.insert(name, image.id);
        self.spend(Duration::from_secs(2));
        Ok(())
    }

    /// The image, from the registry when it is not here.
    pub(super) fn need_image(&mut self, reference: &str, may_pull: bool) -> Result<Image, Failure> {
        if self.engine.image(reference).is_none() && (may_pull || self.settings.imagine) {
            self.pull(reference)?;
        }
        let found = self.engine.image(reference).cloned();
        found.ok_or_else(|| Failure::daemon(format!("No such image: {}", full(reference))))
    }

    /// Notes what happened to a container, as the cause of what the users see next.
    pub(super) fn tell(&mut self, index: usize, what: &str) {
        if self.users.watching {
            let name = &self.engine.containers[index].name;
            self.cause = format!("`{name}` {what}");
        }
    }
}
