//! The preflight's look at containers and the compose file.

use std::collections::BTreeMap;

use super::Findings;
use crate::diagnostic::Code;
use crate::drivers::Failure;
use crate::drivers::compose::Model;
use crate::site::Site;

pub fn check(site: &Site, model: &Model, resumed: bool, found: &mut Findings) -> Result<(), Failure> {
    restarts_proxy(site, model)?;
    let containers = site.containers()?;
    for backend in &site.deployment.backends {
        let count = containers
            .iter()
            .filter(|container| container.service == backend.service)
            .count();
        // What an aborted recreate left is settled when the run goes on.
        if count > 1 && !resumed {
            site.container(&backend.name)
                .map_err(|failure| failure.code(Code::NOT_ONE_CONTAINER))?;
        }
        for container in containers
            .iter()
            .filter(|container| container.service == backend.service)
        {
            if let Some(place) = container.ports.values().flatten().next() {
                found.warn(
                    Code::PUBLISHED_PORT,
                    format!(
                        "`{}` can be reached past the proxy at port {}",
                        backend.name, place.port
                    ),
                    "whoever uses that port is not protected by a drain",
                );
            }
        }
    }
    let without = containers.iter().filter(|container| {
        matches!(container.restart_policy.as_str(), "" | "no") && model.services.contains_key(&container.service)
    });
    let without: Vec<String> = without.map(|container| format!("`{}`", container.service)).collect();
    if !without.is_empty() {
        let message = format!(
            "no restart policy, so a reboot leaves them down: {}",
            without.join(", ")
        );
        found.warn(Code::NO_RESTART, message, "write `restart: always`");
    }
    Ok(())
}

/// The project has containers, or the folder has none of another project.
pub fn right_project(site: &Site) -> Result<(), Failure> {
    if !site.containers()?.is_empty() {
        return Ok(());
    }
    let folder = site.deployment.dir();
    let other = site
        .engine
        .of_folder(&folder)?
        .into_iter()
        .map(|container| container.project);
    match other.into_iter().find(|project| project != site.project()) {
        None => Ok(()),
        Some(other) => Err(Failure::refused(format!(
            "no container belongs to the project `{}`; those of `{}` belong to `{other}`",
            site.project(),
            folder.display()
        ))
        .code(Code::OTHER_FOLDER)
        .help(format!("write `compose … project={other}`"))),
    }
}

/// `depends_on: { app: { restart: true } }` stops the proxy whenever the app is recreated.
fn restarts_proxy(site: &Site, model: &Model) -> Result<(), Failure> {
    let Some(proxy) = &site.deployment.proxy else {
        return Ok(());
    };
    let with = model
        .services
        .get(&proxy.service)
        .and_then(|service| service.restarted_with.first());
    match with {
        None => Ok(()),
        Some(app) => Err(Failure::refused(format!(
            "`{}` depends on `{app}` with `restart: true`, so recreating `{app}` would stop the proxy",
            proxy.service
        ))
        .code(Code::RESTARTS_PROXY)
        .help("remove `restart: true` from its depends_on")),
    }
}

/// Containers that are no backends and would be replaced by a plain `up`.
pub fn check_hashes(site: &Site, hashes: &BTreeMap<String, String>, found: &mut Findings) -> Result<(), Failure> {
    for container in site.containers()? {
        let backend = site
            .deployment
            .backends
            .iter()
            .any(|backend| backend.service == container.service);
        let wanted = hashes.get(&container.service);
        let own = site.templates.compose.is_none();
        if backend && own && wanted.is_some() && container.config_hash.as_ref() != wanted {
            found.warn(
                Code::DEFINITION_CHANGED,
                format!(
                    "the definition of `{}` has changed since its container was made",
                    container.service
                ),
                "the next container gets the new one, and a rollback cannot bring the old one back",
            );
        }
        if !backend && wanted.is_some() && container.config_hash.as_ref() != wanted {
            found.warn(
                Code::WOULD_RECREATE,
                format!(
                    "a plain `compose up` would replace `{}`: its definition has changed",
                    container.service
                ),
                "choose a quiet moment and replace it yourself",
            );
        }
    }
    Ok(())
}
