//! How every backend stands, for the end of a run that went wrong.

use std::collections::BTreeMap;

use super::Standing;
use crate::drivers::engine::Container;
use crate::plan::Backend;
use crate::site::Site;

pub fn standing(site: &Site) -> Vec<Standing> {
    let proxied = site.deployment.proxy.is_some();
    let traffic = match proxied {
        // Where the file is somebody else's, nobody can be asked, though an old worker may still answer.
        true => site.installed().and_then(|_| site.traffic().ok()),
        false => Some(BTreeMap::new()),
    };
    let standing = |backend: &Backend| {
        let container = site.container(&backend.name).ok();
        let asked = container.is_some() && traffic.is_some();
        let enabled = traffic
            .as_ref()
            .map(|traffic| traffic.get(&backend.name) == Some(&true));
        Standing {
            backend: backend.name.clone(),
            enabled: enabled.or(container.is_none().then_some(false)),
            stopped: container.as_ref().is_some_and(Container::stopped),
            image: container.map(|container| container.image),
            healthy: asked.then(|| site.is_healthy(&backend.name)),
        }
    };
    site.deployment.backends.iter().map(standing).collect()
}
