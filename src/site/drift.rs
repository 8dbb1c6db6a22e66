//! Where the world disagrees with what zdt wrote down. Reported, not believed.

use super::Site;
use crate::drivers::Failure;
use crate::drivers::nginx::workers::{leaving, workers};

impl Site<'_> {
    /// Writes down how the backends stand, where a crash kept a step from doing so.
    pub fn write_down(&self) -> Result<(), Failure> {
        let containers = self.containers()?;
        let traffic = match self.installed().is_some() && self.proxy_runs()? {
            true => self.traffic()?,
            false => Default::default(),
        };
        self.remember(|state| {
            for backend in &self.deployment.backends {
                let known = state.backends.entry(backend.name.clone()).or_default();
                known.enabled = traffic.get(&backend.name).copied().unwrap_or(known.enabled);
                if let Some(container) = containers.iter().find(|container| container.service == backend.service) {
                    known.image = container.image.clone();
                    known.image_id = container.image_id.clone();
                }
            }
        })
    }

    /// A foreign edit of the proxy's file, containers that a plain `up` would recreate.
    pub fn drift(&self) -> Vec<String> {
        let mut found = Vec::new();
        if self.deployment.proxy.is_some()
            && let Err(failure) = self.not_foreign()
        {
            found.push(failure.message);
        } else if self.installed_is_live().is_ok_and(|live| !live) {
            found.push("the installed proxy configuration is not the one that is live".to_string());
        } else if self.outdated().unwrap_or(false) {
            let line = "the proxy's file does not list the backends as they run now; `up` writes it anew";
            found.push(line.to_string());
        }
        let (Ok(hashes), Ok(containers)) = (self.compose.hashes(), self.containers()) else {
            return found;
        };
        for container in containers {
            let wanted = hashes.get(&container.service);
            if wanted.is_some() && container.config_hash.as_ref() != wanted {
                found.push(format!(
                    "`{}` differs from the compose file; a plain `up` would recreate it",
                    container.service
                ));
            }
        }
        found
    }

    /// A backend that was away when somebody else's step wrote the file may be back, and not in it.
    fn outdated(&self) -> Result<bool, Failure> {
        let containers = self.containers()?;
        let proxy = self.proxy_container(containers.clone())?;
        let servers = self.servers(&containers, self.nginx_version(&proxy)?)?;
        let installed = self.world.read(&self.proxy()?.config).unwrap_or_default();
        let live = self.live(&proxy)?;
        let own = self.own_directives(&proxy, &String::from_utf8_lossy(&installed), &live, &servers)?;
        Ok(self.unlisted(&own, &servers, &containers, &live.traffic).is_some())
    }

    /// Whether old workers of the proxy still finish requests.
    pub fn leaving_workers(&self) -> bool {
        let look = || {
            let proxy = self.proxy_now()?;
            workers(&self.engine, &proxy)
        };
        look().is_ok_and(|workers| workers.iter().any(leaving))
    }
}
