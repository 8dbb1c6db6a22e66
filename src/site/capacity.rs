//! The capacity guard: no step takes a backend out of traffic if fewer healthy ones would be left than `min_serving`.
//! Only steps that reduce serving are refused; a site that is down can receive its fix.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Site;
use crate::diagnostic::Code;
use crate::drivers::Failure;
use crate::drivers::engine::Container;
use crate::plan::Backend;

/// What a step may do that is otherwise refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Allow {
    #[default]
    Nothing,
    /// `allow=downtime`.
    Downtime,
}

/// A healthy backend answers its health endpoint well within this.
const ANSWER: Duration = Duration::from_secs(3);

/// The engine starts a container again within a tenth of a second, the first times that it ends (its restart policy; and
/// `docker restart`, once the old one has stopped).
const RESTART: Duration = Duration::from_secs(1);
/// Two looks further apart than this may have seen two restarts.
const OLD_LOOK: Duration = Duration::from_secs(4);

impl Site<'_> {
    /// Refuses when taking `out` away from `traffic` would leave an upstream with too few healthy backends.
    pub(super) fn guard(
        &self,
        proxy: &Container,
        traffic: &BTreeMap<String, bool>,
        out: &[String],
        allow: Allow,
    ) -> Result<(), Failure> {
        if allow == Allow::Downtime || self.allow_downtime.get() {
            return Ok(());
        }
        for upstream in self.upstreams() {
            self.guard_upstream(proxy, traffic, out, upstream)?;
        }
        Ok(())
    }

    fn guard_upstream(
        &self,
        proxy: &Container,
        traffic: &BTreeMap<String, bool>,
        out: &[String],
        upstream: &str,
    ) -> Result<(), Failure> {
        let of: Vec<&Backend> = self
            .deployment
            .backends
            .iter()
            .filter(|b| b.upstream == upstream)
            .collect();
        let least = self.deployment.min_serving.of(of.len());
        let on = |backend: &&&Backend| traffic.get(&backend.name).copied().unwrap_or(false);
        let leaving: Vec<&&Backend> = of.iter().filter(on).filter(|b| out.contains(&b.name)).collect();
        if leaving.is_empty() {
            return Ok(());
        }
        let staying: Vec<&&Backend> = of.iter().filter(on).filter(|b| !out.contains(&b.name)).collect();
        let mut sick = Vec::new();
        for backend in &staying {
            let well = self
                .answers(proxy, backend)
                .and_then(|()| self.still_awaited(&backend.name));
            if let Err(why) = well {
                sick.push(format!("{}: {why}", backend.name));
            }
        }
        let left = staying.len() - sick.len();
        if left >= least || leaving.iter().all(|backend| self.answers(proxy, backend).is_err()) {
            return Ok(());
        }
        let names: Vec<&str> = leaving.iter().map(|backend| backend.name.as_str()).collect();
        let mut failure = Failure::refused(format!(
            "without {} {} would serve `{upstream}`, and min_serving is {least}",
            names.join(" and "),
            match left {
                0 => "no healthy backend".to_string(),
                left => format!("only {}", crate::count(left, "healthy backend")),
            },
        ))
        .code(Code::UNSAFE)
        .help("bring another backend up first, or say `allow=downtime` on this step, `--allow downtime` for all");
        failure.notes = sick;
        Err(failure)
    }

    /// A container that was restarted since this run found it healthy is not the one that was found.
    pub fn still_awaited(&self, name: &str) -> Result<(), String> {
        let awaited = self.awaited.borrow().get(name).map(|(identity, _)| identity.clone());
        let Some(awaited) = awaited else {
            return Ok(());
        };
        match self.container(name) {
            Ok(container) if container.identity() == awaited => Ok(()),
            Ok(_) => Err("it was restarted or replaced since it was found healthy".to_string()),
            Err(failure) => Err(failure.message),
        }
    }

    /// Fails when all that are in traffic have stopped by themselves: whoever can serve must get back, at once.
    /// Off in a rollback, which is the way back.
    pub(super) fn others_serve(&self) -> Result<(), Failure> {
        if !self.watch.get() || self.allow_downtime.get() || self.deployment.proxy.is_none() {
            return Ok(());
        }
        let containers = self.containers()?;
        let proxy = self.proxy_container(containers.clone());
        self.proxy_stays(proxy.as_ref().err())?;
        // Without a proxy that answers there is no traffic to know of; the step itself will say so.
        let Ok(live) = proxy.and_then(|proxy| self.live(&proxy)) else {
            return Ok(());
        };
        let on = |backend: &&Backend| live.traffic.get(&backend.name) == Some(&true);
        for upstream in self.upstreams() {
            let of = self.deployment.backends.iter().filter(|b| b.upstream == upstream);
            let serving: Vec<&Backend> = of.filter(on).collect();
            let runs = |backend: &&Backend| containers.iter().any(|c| c.service == backend.service && c.running());
            if serving.is_empty() || serving.iter().any(runs) {
                continue;
            }
            if self.lost.get().is_none() {
                self.lost.set(Some(self.world.now()));
            }
            let names: Vec<String> = serving.iter().map(|b| format!("`{}`", b.name)).collect();
            return Err(Failure::refused(format!(
                "{} stopped by itself, and nobody else serves `{upstream}`",
                names.join(" and ")
            )));
        }
        Ok(())
    }

    /// A proxy that ran in this run, and stays down for longer than a restart takes, serves nobody, whatever step runs.
    fn proxy_stays(&self, down: Option<&Failure>) -> Result<(), Failure> {
        let now = self.world.now();
        let Some(failure) = down.filter(|_| self.proxy_ran.get()) else {
            self.proxy_down.set(None);
            return Ok(());
        };
        let known = self
            .proxy_down
            .get()
            .filter(|(_, looked)| now.saturating_sub(*looked) < OLD_LOOK);
        let since = known.map_or(now, |(since, _)| since);
        self.proxy_down.set(Some((since, now)));
        if now.saturating_sub(since) < RESTART {
            return Ok(());
        }
        self.lost.set(self.lost.get().or(Some(since)));
        Err(failure.clone())
    }

    /// How long nobody served, as far as zdt has seen it; asked once it is over.
    pub fn outage(&self) -> Option<std::time::Duration> {
        let since = self.lost.take()?;
        Some(self.world.now().saturating_sub(since))
    }

    fn upstreams(&self) -> Vec<&str> {
        let mut upstreams: Vec<&str> = self.deployment.backends.iter().map(|b| b.upstream.as_str()).collect();
        upstreams.sort_unstable();
        upstreams.dedup();
        upstreams
    }

    /// One look at a backend's health endpoint from where the proxy stands.
    pub(super) fn answers(&self, proxy: &Container, backend: &Backend) -> Result<(), String> {
        let path = format!("/{}{}", backend.name, backend.health);
        match self
            .nginx()
            .map_err(|failure| failure.message)?
            .ask(proxy, &path, ANSWER)
        {
            Ok(answer) if (200..300).contains(&answer.status) => Ok(()),
            Ok(answer) => Err(format!("GET {} answers {}", backend.health, answer.status)),
            Err(error) => Err(format!("GET {}: {error}", backend.health)),
        }
    }
}
