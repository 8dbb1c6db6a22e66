//! After an aborted change: one container a service again. Compose v2 leaves `<hex>_name` behind when it dies in the
//! middle of a recreate, v1 a renamed old one.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Site, compose_candidate, file_failure, state_dir};
use crate::drivers::Failure;
use crate::drivers::engine::Container;
use crate::drivers::nginx::{Generation, Proof, candidate};

/// An engine that starts brings its containers back within this.
const BACK: Duration = Duration::from_secs(30);

/// What becomes of containers that should serve and were stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    Start,
    /// The run itself stops backends.
    StartProxy,
    /// The run needs no proxy, so it may have been stopped before.
    Leave,
}

impl Site<'_> {
    /// Removes what an aborted recreate left of a backend, so that at most one container remains; says what it removed.
    /// The backend must be out of traffic.
    pub fn settle(&self, name: &str) -> Result<Vec<String>, Failure> {
        let service = &self.backend(name)?.service;
        let mut of: Vec<Container> = self
            .containers()?
            .into_iter()
            .filter(|container| container.service == *service)
            .collect();
        let odd = of.iter().any(|container| half_renamed(&container.name, None));
        let model = odd.then(|| self.model().ok()).flatten();
        let own = model.and_then(|model| model.services.get(service)?.container_name.clone());
        let half_renamed = |name: &str| half_renamed(name, own.as_deref());
        // The survivor: running before not running, its own name before a half-renamed one.
        of.sort_by_key(|container| (!container.running(), half_renamed(&container.name)));
        let keep_one = of.len().min(1);
        let mut removed = Vec::new();
        for container in of.drain(keep_one..) {
            self.engine.remove(&container.id)?;
            removed.push(container.name);
        }
        if let Some(container) = of.first().filter(|container| half_renamed(&container.name)) {
            self.engine.remove(&container.id)?;
            removed.push(container.name.clone());
        }
        Ok(removed)
    }

    /// Removes candidates and half-written files of a zdt that died. Whoever calls it holds the lock.
    pub fn sweep(&self) -> Result<(), Failure> {
        let dir = self.deployment.dir();
        let mut left = vec![compose_candidate(&self.deployment.compose.file)];
        let mut folders = vec![state_dir(&dir), state_dir(&dir).join("images"), dir];
        if let Some(proxy) = &self.deployment.proxy {
            left.push(candidate(&proxy.config));
            left.push(proxy.config.with_file_name(crate::drivers::nginx::MAIN_CANDIDATE));
            folders.extend(proxy.config.parent().map(Path::to_path_buf));
        }
        for folder in folders {
            // A folder that is not there has nothing in it.
            let names = self.world.list(&folder).unwrap_or_default();
            left.extend(
                names
                    .iter()
                    .filter(|name| half_written(name))
                    .map(|name| folder.join(name)),
            );
        }
        let remove = |path: PathBuf| {
            self.world
                .remove(&path)
                .map_err(|error| file_failure("remove", &path, &error))
        };
        left.into_iter().try_for_each(remove)
    }

    /// After the engine was down: starts what it left stopped, and waits until the proxy answers, at most [`BACK`]. A
    /// proxy that does not come is the next step's to tell of. `false`: an interrupt.
    pub fn bring_back(&self, stopped: Stopped, tell: &dyn Fn(String)) -> bool {
        let start = self.world.now();
        let Some(declared) = &self.deployment.proxy else {
            return true;
        };
        let mut tried = BTreeSet::new();
        while self.world.now().saturating_sub(start) < BACK {
            if let Ok(containers) = self.containers() {
                for container in self.left_stopped(&containers, stopped) {
                    if tried.insert(container.id.clone()) {
                        tell(self.start_again(container));
                    }
                }
                let away = |one: &Container| one.service == declared.service && exited(one);
                if containers.is_empty() || (stopped == Stopped::Leave && containers.iter().any(away)) {
                    return true;
                }
                let proxy = self
                    .containers()
                    .and_then(|containers| self.proxy_container(containers));
                // It answers, with zdt's configuration or without.
                let answers = |proxy: Container| self.nginx().is_ok_and(|nginx| nginx.live(&proxy).is_ok());
                if proxy.is_ok_and(answers) {
                    return true;
                }
            }
            if !self.world.pause(Duration::from_millis(200)) {
                return false;
            }
        }
        true
    }

    /// The containers that should serve and do not run: backends in traffic, then the proxy. An engine that was killed
    /// stops at its next start what still runs, and takes that for a stop by hand: with `restart: unless-stopped` it
    /// stays down (measured, 28.5). An engine that answers has started all that it will.
    fn left_stopped<'c>(&self, containers: &'c [Container], stopped: Stopped) -> Vec<&'c Container> {
        let Some(declared) = self.deployment.proxy.as_ref().filter(|_| stopped != Stopped::Leave) else {
            return Vec::new();
        };
        // The proxy may be down, so its file is asked, which is what it starts with.
        let installed = self.installed();
        let on = |name: &str| {
            installed
                .as_ref()
                .is_some_and(|one| one.traffic.get(name) == Some(&true))
        };
        let backends = self.deployment.backends.iter();
        let backends = backends.filter(|backend| stopped == Stopped::Start && on(&backend.name));
        let services = backends.map(|backend| &backend.service).chain([&declared.service]);
        services
            .filter_map(|service| only_exited(containers, service))
            .collect()
    }

    /// Starts a backend that has stopped; says so.
    pub fn start_stopped(&self, name: &str) -> Result<Option<String>, Failure> {
        let containers = self.containers()?;
        let stopped = only_exited(&containers, &self.backend(name)?.service);
        Ok(stopped.map(|container| self.start_again(container)))
    }

    fn start_again(&self, container: &Container) -> String {
        match self.engine.start(&container.id) {
            Ok(()) => format!("`{}` had been stopped: started it", container.service),
            Err(failure) => format!(
                "`{}` had been stopped, and does not start: {}",
                container.service,
                failure.notes.last().unwrap_or(&failure.message)
            ),
        }
    }

    /// Whether the file that nginx would read at its next start is another than the one that is live: zdt died between
    /// its write and the reload.
    pub fn installed_is_live(&self) -> Result<bool, Failure> {
        let Some(declared) = &self.deployment.proxy else {
            return Ok(true);
        };
        let proxy = self.proxy_now()?;
        let live = self.live(&proxy)?;
        let bytes = self.world.read(&declared.config);
        let bytes = bytes.map_err(|error| file_failure("read", &declared.config, &error))?;
        let installed = Generation::read(&String::from_utf8_lossy(&bytes));
        Ok(installed.is_some_and(|installed| installed.nonce == live.nonce))
    }

    /// Makes the installed file agree with what is live.
    pub fn install_live(&self) -> Result<(), Failure> {
        self.not_foreign()?;
        let containers = self.containers()?;
        let proxy = self.proxy_container(containers.clone())?;
        let live = self.live(&proxy)?;
        self.install(&proxy, &containers, live.traffic, Proof::Now).map(drop)
    }
}

/// The one container of a service, if it has ended. Of two, one is what an aborted recreate left: that is settled first.
fn only_exited<'c>(containers: &'c [Container], service: &str) -> Option<&'c Container> {
    let mut of = containers.iter().filter(|container| container.service == service);
    of.next().filter(|container| of.next().is_none() && exited(container))
}

fn exited(container: &Container) -> bool {
    container.state.status == "exited"
}

/// As `Files::write` names what it has not put in place yet.
fn half_written(name: &str) -> bool {
    name.starts_with(".zdt-") && name.ends_with(".tmp")
}

/// `0a1b2c3d4e5f_shop-app_1-1`: twelve hexadecimal digits in front, as both generations of compose write them; unless
/// that is the container's own name.
fn half_renamed(name: &str, own: Option<&str>) -> bool {
    let digits = |head: &str| head.len() == 12 && head.chars().all(|c| c.is_ascii_hexdigit());
    own != Some(name) && name.split_once('_').is_some_and(|(head, _)| digits(head))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_the_users_own_is_no_half_renamed_one() {
        for (name, own, half) in [
            ("0a1b2c3d4e5f_shop-app_1-1", None, true),
            ("0a1b2c3d4e5f_shop", Some("shop"), true),
            ("0a1b2c3d4e5f_shop", Some("0a1b2c3d4e5f_shop"), false),
            ("0a1b2c3d4e_shop", None, false),
            ("shop-app_1-1", None, false),
        ] {
            assert_eq!(half_renamed(name, own), half, "{name} {own:?}");
        }
    }
}
