//! Drain and enable. The proxy is one actor: look, check, render, validate, install, reload and proof are one critical
//! section, entered by one step at a time.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::keep::{Before, Resource};
use super::{Allow, Site, file_failure};
use crate::drivers::engine::Container;
use crate::drivers::nginx::workers::{Limits, Wait, wait_gone};
use crate::drivers::nginx::{Applied, Generation, Proof, dump};
use crate::drivers::{Failure, FailureKind};
use crate::plan::declared::DRAIN_LIMIT;
use crate::plan::types::show_duration;

/// What a drain does when its limit passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnTimeout {
    /// The backend serves again and the step failed: nothing changed.
    #[default]
    PutBack,
    /// Go on; requests still in flight will be cut.
    Cut,
}

/// A drain that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drained {
    pub generation: u64,
    pub took: Duration,
    /// Workers still busy when `on_timeout=cut` went on.
    pub cut: usize,
}

impl Site<'_> {
    /// What zdt's file says that lies there; `None` where it is not zdt's, or none.
    pub fn installed(&self) -> Option<Generation> {
        let config = &self.deployment.proxy.as_ref()?.config;
        let bytes = self.world.read(config).ok()?;
        Generation::read(&String::from_utf8_lossy(&bytes))
    }

    /// Who is in traffic: asked from the running nginx, which is the only one that knows.
    pub fn traffic(&self) -> Result<BTreeMap<String, bool>, Failure> {
        let proxy = self.proxy_now()?;
        Ok(self.live(&proxy)?.traffic)
    }

    /// The generation that is live. For about a tenth of a second after a reload old workers still take some of the new
    /// connections, so one that was proved just now is taken at its word, and an answer of another generation than the
    /// installed file's is asked for again before it counts.
    pub fn live(&self, proxy: &Container) -> Result<Generation, Failure> {
        let nginx = self.nginx()?;
        let installed = self.installed();
        let start = self.world.now();
        if let Some((at, proved)) = self.proved.borrow().as_ref()
            && start.saturating_sub(*at) < OLD_ANSWERS
            && installed.as_ref() == Some(proved)
        {
            return Ok(proved.clone());
        }
        let mut answer = nginx.live(proxy);
        while let (Ok(Some(live)), Some(installed)) = (&answer, &installed)
            && live.nonce != installed.nonce
            && self.world.now().saturating_sub(start) < OLD_ANSWERS
        {
            // An interrupt does not make an old answer a new one; whoever asks looks for interrupts himself.
            self.world.pause(Duration::from_millis(10));
            answer = nginx.live(proxy);
        }
        match answer {
            Ok(Some(live)) => Ok(live),
            Ok(None) => Err(Failure::refused("the running nginx does not have zdt's private server")
                .help("put `{{{private_server}}}` into the proxy's template; `zdt -f RECIPE -c 'up adopt=true'` installs it the first time")),
            Err(error) => Err(
                Failure::new(format!("the proxy does not answer zdt: {error}")).help(format!(
                    "port {} of `{}` must be reachable from here over plain http",
                    nginx.listen, proxy.name
                )),
            ),
        }
    }

    /// A reload was proved so short a time ago that old workers may still answer.
    pub(super) fn proved_just_now(&self) -> bool {
        let proved = self.proved.borrow();
        proved
            .as_ref()
            .is_some_and(|(at, _)| self.world.now().saturating_sub(*at) < OLD_ANSWERS)
    }

    /// Takes backends out of traffic and waits until the last request that could reach them is over.
    pub fn drain(
        &self,
        names: &[String],
        limit: Duration,
        on_timeout: OnTimeout,
        allow: Allow,
    ) -> Result<Drained, Failure> {
        for name in names {
            self.keep_backend(name)?;
        }
        let proxy = self.proxy_now()?;
        let before = self.live(&proxy)?.traffic;
        let limits = Limits {
            wait: limit,
            leaving: self.main_time(&proxy, "worker_shutdown_timeout")?,
        };
        let applied = self.change_traffic(names, false, allow)?;
        let others = || match allow {
            Allow::Nothing => self.others_serve(),
            Allow::Downtime => Ok(()),
        };
        let wait = wait_gone(self.world, &self.engine, &proxy, &applied, limits, &others)?;
        let over = |took, cut| {
            let generation = self.state.borrow().generation;
            Ok(Drained { generation, took, cut })
        };
        let failure = match wait {
            Wait::Gone { took, cut: 0 } => return over(applied.took + took, 0),
            Wait::TimedOut { left, .. } if on_timeout == OnTimeout::Cut => return over(limit, left),
            other => not_drained(other, limits),
        };
        if failure.kind == FailureKind::Interrupted {
            // What follows is what a first interrupt asks for.
            self.world.acknowledge();
        }
        let back: Vec<String> = names
            .iter()
            .filter(|name| before.get(*name) == Some(&true))
            .cloned()
            .collect();
        if back.is_empty() {
            return Err(failure);
        }
        Err(match self.change_traffic(&back, true, Allow::Nothing) {
            Ok(_) => failure.note(format!(
                "{} serves again{}; nothing else changed",
                back.join(", "),
                self.without()
            )),
            Err(second) => failure.note(format!("and could not be put back: {second}")),
        })
    }

    /// Whether there is a proxy that could send anything anywhere.
    pub fn proxy_runs(&self) -> Result<bool, Failure> {
        let Some(proxy) = &self.deployment.proxy else {
            return Ok(false);
        };
        let containers = self.containers()?;
        Ok(containers
            .iter()
            .any(|one| one.service == proxy.service && one.running()))
    }

    /// What is added to "serves" after an outage.
    pub fn without(&self) -> String {
        match self.outage() {
            Some(time) => format!(", after at least {} without any backend", show_duration(round(time))),
            None => String::new(),
        }
    }

    /// Out of traffic, and no old worker can send to it any more: what must hold before a container is replaced.
    pub fn keep_out(&self, name: &str) -> Result<(), Failure> {
        if !self.proxy_runs()? {
            return Ok(());
        }
        // Also where it is out already: an old worker is not yet called "leaving" for a tenth of a second after a
        // reload, so that only a reload of one's own tells which workers are the old ones.
        self.drain(&[name.to_string()], DRAIN_LIMIT, OnTimeout::PutBack, Allow::Nothing)
            .map(drop)
    }

    /// Puts backends into traffic: healthy now, the same container before and after.
    pub fn enable(&self, names: &[String]) -> Result<Applied, Failure> {
        let mut before = Vec::new();
        for name in names {
            before.push(self.fit_to_serve(name)?);
        }
        let applied = self.change_traffic(names, true, Allow::Nothing)?;
        self.keep_found()?;
        for (name, identity) in names.iter().zip(before) {
            if self.container(name)?.identity() != identity {
                return Err(Failure::new(format!(
                    "`{name}` was restarted or replaced while it was being enabled"
                )));
            }
        }
        Ok(applied)
    }

    /// Back into traffic without a look at its health: it was sick, and in traffic, before anything was touched.
    pub fn enable_as_it_was(&self, name: &str) -> Result<(), Failure> {
        self.change_traffic(&[name.to_string()], true, Allow::Nothing).map(drop)
    }

    /// One turn of the critical section.
    pub(super) fn change_traffic(&self, names: &[String], on: bool, allow: Allow) -> Result<Applied, Failure> {
        let containers = self.containers()?;
        let proxy = self.proxy_container(containers.clone())?;
        let live = self.live(&proxy)?;
        self.not_foreign()?;
        if !on {
            self.guard(&proxy, &live.traffic, names, allow)?;
        }
        self.all_declared(&live)?;
        if !on {
            self.drains_show(&proxy, &containers, &live)?;
        }
        let mut traffic = live.traffic.clone();
        for backend in &self.deployment.backends {
            traffic.entry(backend.name.clone()).or_insert(false);
        }
        for name in names {
            traffic.insert(name.clone(), on);
        }
        if !self.keeper.has(&Resource::Traffic) {
            self.keeper.keep(Resource::Traffic, Before::Traffic(live.traffic))?;
        }
        let proof = if on { Proof::Now } else { Proof::WithTheDrain };
        self.install(&proxy, &containers, traffic, proof)
    }

    /// Renders, validates, installs and proves the configuration for `traffic`.
    pub(super) fn install(
        &self,
        proxy: &Container,
        containers: &[Container],
        traffic: BTreeMap<String, bool>,
        proof: Proof,
    ) -> Result<Applied, Failure> {
        let nginx = self.nginx()?;
        let mut traffic = traffic;
        traffic.retain(|name, _| self.deployment.backend(name).is_some());
        let generation = Generation {
            nonce: (self.nonce)(),
            traffic,
        };
        let text = self.proxy_text(Some(proxy), containers, &generation)?;
        self.accept_config(proxy, containers, &text, &generation)?;
        self.keep_file(&nginx.config)?;
        // What is there now is zdt's own, perhaps from an install that was not finished; it must stay known as such.
        let ours = self.not_foreign().is_ok();
        let there = self.world.read(&nginx.config).ok().map(hash).filter(|_| ours);
        self.remember(|state| {
            state.config_file = Some(nginx.config.clone());
            state.config = there.or(state.config.take());
            state.config_next = Some(hash(&text));
        })?;
        let applied = nginx.apply(proxy, &text, MODE, &generation, proof);
        if let Err(failure) = &applied {
            // Whatever was put back is what zdt knows as its own.
            let now = self.world.read(&nginx.config).ok().map(hash).filter(|_| ours);
            self.remember(|state| state.config = now.or(state.config.take()))?;
            return Err(failure.clone());
        }
        *self.proved.borrow_mut() = Some((self.world.now(), generation.clone()));
        self.remember(|state| {
            state.generation += 1;
            state.config = Some(hash(&text));
            state.config_next = None;
            for (name, on) in &generation.traffic {
                state.backends.entry(name.clone()).or_default().enabled = *on;
            }
        })?;
        applied
    }

    /// A folder drives one file: two would take each other's traffic for their own.
    pub(super) fn one_config(&self, config: &Path) -> Result<(), Failure> {
        let known = self.state.borrow().config_file.clone();
        let other = known.filter(|known| known != config && matches!(self.world.kind(known), Ok(Some(_))));
        match other {
            None => Ok(()),
            Some(other) => Err(Failure::refused(format!(
                "zdt writes `{}` for this application, and this recipe says `config={}`",
                other.display(),
                config.display()
            ))
            .help("declare all backends in one recipe with one template; where the file has moved, remove the old one, then `up`")),
        }
    }

    /// The installed file must be the one zdt wrote, or be told so by a person.
    pub fn not_foreign(&self) -> Result<(), Failure> {
        let config = &self.proxy()?.config;
        self.one_config(config)?;
        let bytes = self
            .world
            .read(config)
            .map_err(|error| file_failure("read", config, &error))?;
        let now = hash(&bytes);
        let state = self.state.borrow();
        let known = [&state.config, &state.config_next];
        if known.iter().any(|known| known.as_deref() == Some(&now)) || known.iter().all(|known| known.is_none()) {
            return Ok(());
        }
        Err(Failure::refused(format!(
            "`{}` was changed by somebody else since zdt wrote it",
            config.display()
        ))
        .help("put the change into the template; then `zdt -f RECIPE -c 'up adopt=true'` (after `zdt abandon`, where a run is unfinished) writes the file anew, and keeps a copy of this one"))
    }

    /// A time limit of the running configuration, from the command line or the files, wherever it stands.
    pub fn main_time(&self, proxy: &Container, directive: &str) -> Result<Option<Duration>, Failure> {
        let args = crate::drivers::nginx::Nginx::master_args(proxy).join("; ");
        let of_command = dump::directives(std::path::Path::new("-g"), &format!("{args};"));
        let of_files = self.dump(proxy)?.plain();
        let mut values = of_command.iter().chain(&of_files).filter_map(|found| {
            let at = found.words.iter().position(|word| word == directive)?;
            found.words.get(at + 1)
        });
        let Some(value) = values.next() else { return Ok(None) };
        match dump::time(value) {
            // nginx takes it for no limit.
            Some(Duration::ZERO) => Ok(None),
            Some(time) => Ok(Some(time)),
            None => Err(
                Failure::refused(format!("`{directive} {value}` of nginx is no time that zdt can read"))
                    .help("say it in seconds: `90s`"),
            ),
        }
    }
}

/// Why a wait for old workers is no drain.
fn not_drained(wait: Wait, limits: Limits) -> Failure {
    let after = |limit| show_duration(limit);
    match wait {
        Wait::Gone { .. } => Failure::new(format!(
            "nginx cut its last requests after {} (worker_shutdown_timeout); they were lost",
            after(limits.leaving.unwrap_or_default())
        )),
        Wait::TimedOut { of_others: true, .. } => Failure::new(format!(
            "not drained after {}: somebody else keeps reloading nginx, and each reload leaves old workers with requests",
            after(limits.wait)
        ))
        .help("find out what reloads it (a cron job, a certificate renewal), and run again when it is quiet"),
        Wait::TimedOut { left, .. } => Failure::new(format!(
            "not drained after {}: {} of nginx still {} requests",
            after(limits.wait),
            crate::count(left, "old worker"),
            if left == 1 { "has" } else { "have" },
        ))
        .help("a longer `timeout=`, or `on_timeout=cut` to cut what is left"),
        Wait::Interrupted => Failure::interrupted(),
        Wait::CalledOff(failure) => Failure {
            kind: FailureKind::Failed,
            ..failure
        },
    }
}

/// Up to whole tenths of a second.
fn round(time: Duration) -> Duration {
    Duration::from_millis((time.as_millis() as u64).div_ceil(100) * 100)
}

/// Old workers are told to leave a tenth of a second after the new ones start; twice that and more.
const OLD_ANSWERS: Duration = Duration::from_millis(300);

/// The configuration names the private server, so only its owner (and root in the container) reads it.
pub(super) const MODE: u32 = 0o600;

/// Names a text: the same bytes, the same hash.
pub fn hash(bytes: impl AsRef<[u8]>) -> String {
    Sha256::digest(bytes.as_ref())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
