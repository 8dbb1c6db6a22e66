//! A running nginx: its master and the generations of its workers.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use super::config::Emerg;
use super::inside::{Inside, MAIN_FILE};
use super::load::load;
use super::model::{Config, Peer, View};
use crate::world::simulated::container::Container;
use crate::world::simulated::state::State;

/// From the start of new workers until the old ones are asked to leave.
const OVERLAP: Duration = Duration::from_millis(100);

/// The master process and all workers that live.
#[derive(Debug, Clone)]
pub(crate) struct Master {
    /// The oldest first; the last is the one that takes new connections.
    generations: Vec<Generation>,
    pub file: String,
    pub globals: String,
    pub version: String,
    /// Which peer is next.
    pub turn: usize,
}

/// The workers of one configuration.
#[derive(Debug, Clone)]
pub(crate) struct Generation {
    pub config: Arc<Config>,
    /// For each upstream and peer what its name resolved to when the configuration was read.
    resolved: Vec<Vec<Vec<Ipv4Addr>>>,
    pub workers: [u32; 2],
    made: Duration,
    leaving: Option<Leaving>,
}

#[derive(Debug, Clone, Copy)]
struct Leaving {
    asked: Duration,
    gone: Duration,
}

impl Master {
    pub(crate) fn start(state: &mut State, index: usize, version: &str) -> Result<Self, Emerg> {
        let (file, globals) = arguments(state, index);
        let mut master = Self {
            generations: Vec::new(),
            file,
            globals,
            version: version.to_string(),
            turn: 0,
        };
        let generation = read(state, index, &master.file, &master.globals, version)?;
        master.generations.push(generation);
        Ok(master)
    }

    /// What SIGHUP does. An invalid configuration changes nothing but the log.
    pub(crate) fn reload(state: &mut State, index: usize) {
        let Some(master) = state.engine.containers[index].master.clone() else {
            return;
        };
        let now = state.now;
        let in_flight = state.settings.in_flight;
        let log = |state: &mut State, text: String| state.engine.containers[index].log.push(text);
        log(state, "[notice] 1#1: signal 1 (SIGHUP) received, reconfiguring".into());
        let generation = match read(state, index, &master.file, &master.globals, &master.version) {
            Ok(generation) => generation,
            Err(emerg) => return log(state, format!("[emerg] 1#1: {emerg}")),
        };
        let mut cut = false;
        if let Some(master) = &mut state.engine.containers[index].master {
            for old in master.generations.iter_mut().filter(|old| old.leaving.is_none()) {
                let limit = old.config.shutdown_timeout.unwrap_or(Duration::MAX);
                cut |= in_flight > limit;
                let asked = now + OVERLAP;
                let gone = asked + in_flight.min(limit);
                old.leaving = Some(Leaving { asked, gone });
            }
            master.generations.push(generation);
        }
        if cut {
            let name = state.engine.containers[index].name.clone();
            state
                .users
                .cut(now, &name, "workers will leave at `worker_shutdown_timeout`".into());
        }
        state.tell(index, "reloaded");
        state.changed();
    }

    pub(crate) fn current(&self) -> Option<&Generation> {
        self.generations.last()
    }

    pub(crate) fn living(&self) -> &[Generation] {
        &self.generations
    }

    pub(crate) fn next(&self, now: Duration) -> Option<Duration> {
        let leaving = self.generations.iter().filter_map(|generation| generation.leaving);
        leaving
            .flat_map(|leaving| [leaving.asked, leaving.gone])
            .filter(|at| *at > now)
            .min()
    }

    /// Old workers whose time has come are gone.
    pub(crate) fn leave(&mut self, now: Duration) {
        self.generations
            .retain(|generation| generation.leaving.is_none_or(|leaving| leaving.gone > now));
    }

    /// Its workers: pids, titles, and when they were made.
    pub(crate) fn workers(&self, now: Duration) -> Vec<(u32, String, Duration)> {
        let mut found = Vec::new();
        for generation in &self.generations {
            let asked = generation.leaving.is_some_and(|leaving| leaving.asked <= now);
            let title = if asked {
                "nginx: worker process is shutting down"
            } else {
                "nginx: worker process"
            };
            let worker = |pid: &u32| (*pid, title.to_string(), generation.made);
            found.extend(generation.workers.iter().map(worker));
        }
        found
    }
}

impl Generation {
    pub(crate) fn leaving(&self) -> bool {
        self.leaving.is_some()
    }

    /// Where a peer is: as it was when the configuration was read, or as it is now where nginx keeps asking.
    pub(crate) fn addresses(&self, state: &State, proxy: &Container, upstream: usize, peer: usize) -> Vec<Ipv4Addr> {
        match self.config.upstreams[upstream].peers[peer].resolve {
            true => state
                .engine
                .resolve(proxy, &self.config.upstreams[upstream].peers[peer].host),
            false => self.resolved[upstream][peer].clone(),
        }
    }

    /// The upstreams in which a container is enabled.
    pub(crate) fn upstreams_with(&self, state: &State, proxy: &Container, container: &Container) -> Vec<&str> {
        let public = |name: &str| !name.starts_with(&state.settings.private);
        let upstreams = self.config.upstreams.iter().enumerate();
        let with = upstreams.filter(|(at, upstream)| {
            let mut peers = upstream.peers.iter().enumerate();
            public(&upstream.name)
                && peers.any(|(peer_at, peer)| {
                    let addresses = self.addresses(state, proxy, *at, peer_at);
                    !peer.down && addresses.iter().any(|address| container.has_address(*address))
                })
        });
        with.map(|(_, upstream)| upstream.name.as_str()).collect()
    }
}

/// The file and the `-g` text that a container's own command line gives its nginx.
fn arguments(state: &State, index: usize) -> (String, String) {
    let command = &state.engine.containers[index].spec.command;
    let after = |flag: &str| {
        command
            .iter()
            .position(|word| word == flag)
            .and_then(|at| command.get(at + 1))
            .cloned()
    };
    (
        after("-c").unwrap_or_else(|| MAIN_FILE.into()),
        after("-g").unwrap_or_default(),
    )
}

/// Reads, checks and resolves: what a start and a reload do, without the processes.
pub(crate) fn test(
    state: &mut State,
    index: usize,
    file: &str,
    globals: &str,
    version: &str,
) -> Result<Arc<Config>, Emerg> {
    let view = Inside::new(&state.files, &state.engine, index);
    let key = format!("{version} {globals}");
    let same = |config: &Arc<Config>| {
        config.key == key
            && config.files.first().is_some_and(|(name, _)| **name == *file)
            && config
                .files
                .iter()
                .all(|(name, content)| view.read(name).as_ref() == Some(content))
            && config
                .folders
                .iter()
                .all(|(folder, names)| view.names(folder) == *names)
    };
    let config = match state.configs.iter().find(|config| same(config)) {
        Some(config) => Arc::clone(config),
        None => {
            let mut config = load(&view, file, globals, version)?;
            config.key = key;
            let config = Arc::new(config);
            state.configs.truncate(15);
            state.configs.insert(0, Arc::clone(&config));
            config
        }
    };
    let container = &state.engine.containers[index];
    let unknown = |peer: &&Peer| !peer.resolve && state.engine.resolve(container, &peer.host).is_empty();
    if let Some(peer) = config.peers().find(unknown) {
        return Err(format!(
            "host not found in upstream \"{}\" in {}",
            peer.text, peer.place
        ));
    }
    Ok(config)
}

fn read(state: &mut State, index: usize, file: &str, globals: &str, version: &str) -> Result<Generation, Emerg> {
    let config = test(state, index, file, globals, version)?;
    let container = &state.engine.containers[index];
    let resolve = |peer: &Peer| state.engine.resolve(container, &peer.host);
    let upstreams = config.upstreams.iter();
    let resolved = upstreams
        .map(|upstream| upstream.peers.iter().map(resolve).collect())
        .collect();
    let workers = [state.engine.new_pid(), state.engine.new_pid()];
    Ok(Generation {
        config,
        resolved,
        workers,
        made: state.now,
        leaving: None,
    })
}
