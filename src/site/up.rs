//! `up`: what is missing is created and started; what runs stays as it is.

use std::collections::BTreeMap;

use super::keep::{Before, Resource};
use super::render::Rendered;
use super::traffic::{MODE, hash};
use super::{Site, file_failure};
use crate::diagnostic::Code;
use crate::drivers::Failure;
use crate::drivers::compose::{Model, Up};
use crate::drivers::engine::Container;
use crate::drivers::nginx::Generation;
use crate::plan::Deployment;

/// A compose file that is not written yet.
struct Next {
    rendered: Option<Rendered>,
    model: Model,
}

impl Site<'_> {
    /// Brings the application up; `image` is for backends that have no container yet, `adopt` lets zdt put its own
    /// configuration in the place of one that somebody else has written. Gives one line for people.
    pub fn up(&self, services: &[String], image: Option<&str>, adopt: bool) -> Result<String, Failure> {
        self.same_folder()?;
        self.compose_file_there()?;
        self.may_take_over(adopt)?;
        let before = self.containers()?;
        let images = self.first_images(&before, image);
        images.values().try_for_each(|image| self.image(image).map(drop))?;
        let dir = self.deployment.dir();
        self.world
            .create_dir_all(&dir, 0o755)
            .map_err(|error| file_failure("create", &dir, &error))?;
        let names: Vec<&str> = services.iter().map(String::as_str).collect();
        let next = self.next_compose(&images)?;
        let missing = missing(&next.model, &before, &names);
        self.ports_free(&next.model, &missing)?;
        for name in images.keys() {
            let resource = Resource::Backend(name.clone());
            if !self.keeper.has(&resource) {
                self.keeper.keep(resource, Before::Backend(None))?;
            }
        }
        let changed = match next.rendered {
            Some(rendered) => self.write_compose(rendered, Some(next.model))?,
            None => false,
        };
        self.first_config(&before)?;
        if !missing.is_empty() {
            self.compose.up(&names, Up::KeepRunning)?;
        }
        let after = self.containers()?;
        self.remember_images(&after)?;
        let mut done = match (missing.len(), changed) {
            (0, false) => Vec::new(),
            (0, true) => vec!["compose file written; what runs stays as it is".to_string()],
            (number, _) => vec![format!("{} started", crate::count(number, "container"))],
        };
        // Single services may be started before there is a proxy.
        if services.is_empty() || self.proxy_runs()? {
            done.extend(self.refresh_config(&after, &missing, adopt)?.lines(missing.is_empty()));
        }
        Ok(match done.is_empty() {
            true => "all is there already".to_string(),
            false => done.join(" · "),
        })
    }

    /// The compose file as these images make it, and how compose reads it. Nothing is written yet.
    fn next_compose(&self, images: &BTreeMap<String, String>) -> Result<Next, Failure> {
        let rendered = self.compose_text(images)?;
        let accepted = match &rendered {
            Some(rendered) => self.accept(rendered)?,
            None => None,
        };
        let variable = |(name, image): (&String, &String)| Some((self.backend(name).ok()?.set.clone()?, image.clone()));
        let variables: Vec<_> = images.iter().filter_map(variable).collect();
        let own = self.templates.compose.is_none() && !variables.is_empty();
        let model = match accepted {
            Some(model) => model,
            None if own => self.compose.model_with(&self.deployment.compose.file, variables)?,
            None => self.model()?,
        };
        self.check_model(&model)?;
        Ok(Next { rendered, model })
    }

    /// A project is deployed from one folder.
    pub fn same_folder(&self) -> Result<(), Failure> {
        same_folder(self.deployment, self.containers()?)
    }

    /// A compose file of the user's own is there; one with a template is written.
    pub fn compose_file_there(&self) -> Result<(), Failure> {
        let file = &self.deployment.compose.file;
        match self.world.kind(file) {
            Ok(None) if self.templates.compose.is_none() => Err(Failure::refused(format!(
                "there is no `{}`, and no template to write it from",
                file.display()
            ))
            .help("write it, or give `compose` the `template=` that it is made from")),
            _ => Ok(()),
        }
    }

    /// Before a run: refuses an `up` when somebody listens where it would publish a port. What cannot be told yet,
    /// because earlier steps bring a file that compose needs, is left to the step.
    pub fn can_publish(&self, services: &[String], image: Option<&str>) -> Result<(), Failure> {
        match self.would_start(services, image) {
            Ok((model, starting)) => self.ports_free(&model, &starting),
            Err(_) => Ok(()),
        }
    }

    /// How compose would read the file after an `up`, and the services that would start.
    fn would_start(&self, services: &[String], image: Option<&str>) -> Result<(Model, Vec<String>), Failure> {
        let running = self.containers()?;
        let model = self.next_compose(&self.first_images(&running, image))?.model;
        let names: Vec<&str> = services.iter().map(String::as_str).collect();
        let starting = missing(&model, &running, &names);
        Ok((model, starting))
    }

    /// The image of each backend that has no container yet.
    fn first_images(&self, containers: &[Container], image: Option<&str>) -> BTreeMap<String, String> {
        let there = |service: &str| containers.iter().any(|container| container.service == service);
        let backends = self.deployment.backends.iter();
        backends
            .filter(|backend| !there(&backend.service))
            .filter_map(|backend| Some((backend.name.clone(), image?.to_string())))
            .collect()
    }

    /// Nobody else listens where services that are about to start publish their ports. Compose would find out after
    /// it had started the others. Another machine's ports cannot be looked at from here.
    fn ports_free(&self, model: &Model, starting: &[String]) -> Result<(), Failure> {
        let host = self.tools.docker_host.as_deref();
        if host.is_some_and(|host| !host.starts_with("unix://")) {
            return Ok(());
        }
        for service in starting {
            let published = model.services.get(service).map(|service| service.published.as_slice());
            for place in published.unwrap_or_default() {
                if !self.world.port_free(*place) {
                    let port = place.port();
                    return Err(Failure::refused(format!(
                        "`{service}` publishes port {port}, and something listens there already"
                    ))
                    .code(Code::PORT_TAKEN)
                    .help(format!(
                        "choose another port, or end what has it: `ss -ltnp sport = :{port}` names it"
                    )));
                }
            }
        }
        Ok(())
    }

    /// Before nginx ever ran: its file must be there, with every backend in traffic. One that runs gets it by a reload.
    fn first_config(&self, containers: &[Container]) -> Result<(), Failure> {
        let Some(proxy) = &self.deployment.proxy else {
            return Ok(());
        };
        let runs = |one: &Container| one.service == proxy.service && one.running();
        if self.world.read(&proxy.config).is_ok() || containers.iter().any(runs) {
            return Ok(());
        }
        let generation = Generation {
            nonce: (self.nonce)(),
            traffic: self
                .deployment
                .backends
                .iter()
                .map(|backend| (backend.name.clone(), true))
                .collect(),
        };
        // Every service of the file is about to be started, so every name will be there.
        let mut assumed = containers.to_vec();
        assumed.retain(Container::running);
        let text = self.proxy_text(None, &assumed, &generation)?;
        if let Some(folder) = proxy.config.parent() {
            self.world
                .create_dir_all(folder, 0o755)
                .map_err(|error| file_failure("create", folder, &error))?;
        }
        self.keep_file(&proxy.config)?;
        self.remember(|state| {
            state.config_file = Some(proxy.config.clone());
            state.config_next = Some(hash(&text));
        })?;
        self.write_file(&proxy.config, &text, MODE)?;
        self.remember(|state| {
            state.config = Some(hash(&text));
            state.config_next = None;
            state.generation += 1;
            for name in generation.traffic.keys() {
                state.backends.entry(name.clone()).or_default().enabled = true;
            }
        })
    }

    fn remember_images(&self, containers: &[Container]) -> Result<(), Failure> {
        self.remember(|state| {
            for backend in &self.deployment.backends {
                if let Some(container) = containers.iter().find(|container| container.service == backend.service) {
                    let known = state.backends.entry(backend.name.clone()).or_default();
                    known.image = container.image.clone();
                    known.image_id = container.image_id.clone();
                }
            }
        })
    }

    /// A proxy that was just started needs a moment until it listens.
    pub(super) fn wait_live(&self, proxy: &Container) -> Result<Generation, Failure> {
        let start = self.world.now();
        loop {
            match self.live(proxy) {
                Ok(live) => return Ok(live),
                Err(failure) if self.world.now().saturating_sub(start) > START => {
                    return Err(self.with_last_words(failure, proxy));
                }
                Err(_) => {}
            }
            let now = self.proxy_now();
            if let Err(failure) = now {
                return Err(self.with_last_words(failure, proxy));
            }
            if !self.world.pause(std::time::Duration::from_millis(20)) {
                return Err(Failure::interrupted());
            }
        }
    }
}

/// zdt reads one compose file, and would take away what another one adds.
pub fn one_file(deployment: &Deployment, containers: &[Container]) -> Result<(), Failure> {
    let services = deployment.backends.iter().map(|backend| &backend.service);
    let mut services = services.chain(deployment.proxy.iter().map(|proxy| &proxy.service));
    let several = |service: &String| {
        let of = containers.iter().find(|one| one.service == *service)?;
        (of.config_files.len() > 1).then_some(of)
    };
    let Some(container) = services.find_map(several) else {
        return Ok(());
    };
    let names = container
        .config_files
        .iter()
        .map(|file| file.rsplit('/').next().unwrap_or(file));
    Err(Failure::refused(format!(
        "`{}` was made from several compose files ({}), and zdt would make the next one from `{}` alone",
        container.service,
        names.collect::<Vec<_>>().join(", "),
        deployment
            .compose
            .file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
    ))
    .code(Code::SEVERAL_FILES)
    .help("put them into one: `docker compose config --no-interpolate` prints what they are together"))
}

/// The labels of a project's containers name the folder that deploys it.
pub fn same_folder(deployment: &Deployment, containers: Vec<Container>) -> Result<(), Failure> {
    let own = deployment.dir();
    let mut folders = containers.into_iter().filter_map(|container| container.working_dir);
    match folders.find(|folder| *folder != own) {
        None => Ok(()),
        Some(other) => Err(Failure::refused(format!(
            "the project `{}` is deployed from `{}`, not from `{}`",
            deployment.compose.project,
            other.display(),
            own.display()
        ))
        .help("go on from there, or choose another `project=`")),
    }
}

/// Services without a running container.
fn missing(model: &Model, containers: &[Container], wanted: &[&str]) -> Vec<String> {
    let runs = |service: &str| containers.iter().any(|c| c.service == service && c.running());
    let services = model.services.keys();
    services
        .filter(|service| wanted.is_empty() || wanted.contains(&service.as_str()))
        .filter(|service| !runs(service))
        .cloned()
        .collect()
}

/// nginx listens within milliseconds; a machine under load may need longer.
const START: std::time::Duration = std::time::Duration::from_secs(10);
