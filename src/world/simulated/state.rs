//! All of the simulated world behind its one lock, and how time passes in it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::container::Status;
use super::engine::Engine;
use super::faults::{Faults, Hit, Kind};
use super::files::Tree;
use super::image::ImageKind;
use super::nginx::model::Config;
use super::users::Users;
use crate::world::{Interrupt, Output};

#[derive(Debug, Clone, Default)]
pub(super) struct State {
    pub now: Duration,
    pub files: Tree,
    pub engine: Engine,
    pub users: Users,
    pub faults: Faults,
    pub settings: Settings,
    pub interrupts: Interrupts,
    /// Locks that others hold.
    pub held: BTreeSet<PathBuf>,
    /// What programs other than docker answer.
    pub programs: BTreeMap<String, Output>,
    /// The service hashes of the real compose, by the ones computed here.
    pub hashes: BTreeMap<String, String>,
    /// Changes that the call at hand may still make before zdt is killed.
    pub budget: Option<usize>,
    /// The last thing that happened.
    pub cause: String,
    pub projects: Vec<(String, Arc<Value>)>,
    pub configs: Vec<Arc<Config>>,
    /// Answers about containers, by question, until something changes: a long dry run asks the same thousands of times.
    pub told: BTreeMap<String, Arc<Value>>,
    /// How deep proxies ask each other at the moment.
    pub depth: u8,
    /// When something happens next by itself.
    next: Option<Duration>,
}

#[derive(Debug, Clone)]
pub(super) struct Settings {
    /// Unknown images spring into existence.
    pub imagine: bool,
    pub compose: String,
    pub client: String,
    pub engine: String,
    /// Container addresses answer from here, and processes of containers are ours to see.
    pub local: bool,
    /// How long the requests take that run on a worker when it is asked to leave.
    pub in_flight: Duration,
    pub free_space: u64,
    pub env: BTreeMap<String, String>,
    pub taken_ports: BTreeSet<u16>,
    /// Upstreams that are not for users.
    pub private: String,
    /// Programs that are not known succeed silently.
    pub play_anything: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            imagine: false,
            compose: "2.40.3".into(),
            client: "28.5.2".into(),
            engine: "28.5.2".into(),
            local: true,
            in_flight: Duration::from_millis(200),
            free_space: 100 << 30,
            env: BTreeMap::new(),
            taken_ports: BTreeSet::new(),
            private: "zdt".into(),
            play_anything: false,
        }
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct Interrupts {
    pub arrived: u32,
    pub acknowledged: u32,
    pub latest: Option<Interrupt>,
    pub planned: Vec<(Duration, Interrupt)>,
}

impl Interrupts {
    pub(super) fn arrive(&mut self, interrupt: Interrupt) {
        self.arrived += 1;
        self.latest = Some(interrupt);
    }

    pub(super) fn pending(&self) -> Option<Interrupt> {
        self.latest.filter(|_| self.arrived > self.acknowledged)
    }
}

impl State {
    pub(super) fn call(&mut self, kind: Kind, what: impl FnOnce() -> String, content: Option<&[u8]>) -> Hit {
        let hit = self.faults.next(kind, what, content, self.now);
        if hit == Hit::Interrupt {
            self.interrupts.arrive(Interrupt::Int);
        }
        hit
    }

    /// Lets time pass; what is due in it happens.
    pub(super) fn spend(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(next) = self.next.filter(|next| *next <= until) {
            self.now = self.now.max(next);
            self.happen();
            self.changed();
        }
        self.now = until;
    }

    /// After every change: when the next one comes by itself, and what the users see of this one.
    pub(super) fn changed(&mut self) {
        self.told.clear();
        self.next = self.transitions().filter(|at| *at > self.now).min();
        if self.users.watching {
            let cause = std::mem::take(&mut self.cause);
            let mut users = std::mem::take(&mut self.users);
            users.see(self.serving(), self.now, &cause);
            self.users = users;
            self.cause = cause;
        }
    }

    fn transitions(&self) -> impl Iterator<Item = Duration> {
        self.engine.containers.iter().flat_map(|container| {
            let mut times = [None; 5];
            times[0] = container.restart_at;
            if let (true, Some(start)) = (container.running(), container.started) {
                if let Some(ImageKind::App(behaviour)) = self.engine.kind(container) {
                    times[1] = Some(start + behaviour.boots_in);
                    times[2] = behaviour.sick_after.map(|after| start + after);
                    times[3] = container.death(behaviour).map(|death| start + death.after);
                }
                times[4] = container.master.as_ref().and_then(|master| master.next(self.now));
            }
            times.into_iter().flatten()
        })
    }

    /// Does what is due now.
    pub(super) fn happen(&mut self) {
        let now = self.now;
        for index in 0..self.engine.containers.len() {
            let container = &self.engine.containers[index];
            if container.restart_at.is_some_and(|at| at <= now) && container.status == Status::Restarting {
                let container = &mut self.engine.containers[index];
                container.restart_at = None;
                container.restarts += 1;
                let budget = self.budget.take();
                if self.start_at_once(index).is_err() {
                    self.engine.containers[index].status = Status::Exited;
                }
                self.budget = budget;
                continue;
            }
            if !container.running() {
                continue;
            }
            let death = match self.engine.kind(container) {
                Some(ImageKind::App(behaviour)) => container.death(behaviour).cloned(),
                Some(ImageKind::Nginx { .. } | ImageKind::Other) | None => None,
            };
            let due = |after| container.started.is_some_and(|start| start + after <= now);
            if let Some(death) = death.filter(|death| due(death.after)) {
                self.tell(index, "died");
                let container = &mut self.engine.containers[index];
                container.log.extend(death.log.lines().map(str::to_string));
                container.out_of_memory = death.out_of_memory;
                self.exit(index, death.code);
            } else if let Some(master) = &mut self.engine.containers[index].master {
                master.leave(now);
            }
        }
    }

    /// For each upstream of users how many healthy backends are enabled in what the proxy runs; `None` without a proxy.
    pub(super) fn serving(&self) -> Option<Vec<(&str, usize)>> {
        let proxy = self
            .engine
            .containers
            .iter()
            .find(|container| container.running() && container.master.is_some())?;
        let generation = proxy.master.as_ref()?.current()?;
        let upstreams = generation.config.upstreams.iter().enumerate();
        let public = upstreams.filter(|(_, upstream)| !upstream.name.starts_with(&self.settings.private));
        Some(
            public
                .map(|(at, upstream)| {
                    let peers = upstream.peers.iter().enumerate();
                    let serving = peers.filter(|(peer_at, peer)| {
                        let addresses = generation.addresses(self, proxy, at, *peer_at);
                        !peer.down && addresses.iter().any(|address| self.well(*address, peer.port))
                    });
                    (upstream.name.as_str(), serving.count())
                })
                .collect(),
        )
    }

    /// Whether an app behind this address gives good answers.
    fn well(&self, address: std::net::Ipv4Addr, port: u16) -> bool {
        let Some(index) = self.engine.at_address(address) else {
            return false;
        };
        let container = &self.engine.containers[index];
        match self.engine.kind(container) {
            Some(ImageKind::App(behaviour)) => {
                behaviour.port.is_none_or(|own| own == port) && container.healthy(behaviour, self.now)
            }
            Some(ImageKind::Nginx { .. } | ImageKind::Other) | None => container.running(),
        }
    }

    /// A container is about to end: whoever could still send to it, or runs on it, loses requests.
    pub(super) fn look_for_cuts(&mut self, index: usize) {
        let container = &self.engine.containers[index];
        if !self.users.watching || !container.running() {
            return;
        }
        if let Some(ImageKind::App(behaviour)) = self.engine.kind(container)
            && !container.booted(behaviour, self.now)
        {
            return;
        }
        let mut causes = Vec::new();
        for proxy in &self.engine.containers {
            let Some(master) = &proxy.master else {
                continue;
            };
            for generation in master.living() {
                let names = generation.upstreams_with(self, proxy, container);
                if let Some(name) = names.first() {
                    let whose = if generation.leaving() {
                        "an old worker"
                    } else {
                        "a worker"
                    };
                    causes.push(format!(
                        "stopped while {whose} of `{}` may send to it (upstream `{name}`)",
                        proxy.name
                    ));
                }
            }
        }
        let name = container.name.clone();
        for cause in causes {
            self.users.cut(self.now, &name, cause);
        }
    }
}
