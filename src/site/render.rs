//! The compose file: rendered from its template with what each service runs now, or the user's own with `.env`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{Site, compose_candidate, file_failure, hash};
use crate::drivers::compose::Model;
use crate::drivers::engine::Container;
use crate::drivers::{Failure, FailureKind};

/// Puts the keys of `other` into `values`.
pub fn merge(values: &mut Value, other: Value) {
    if let (Value::Object(values), Value::Object(other)) = (values, other) {
        values.extend(other);
    }
}

/// A file as it should be.
pub(super) struct Rendered {
    pub path: PathBuf,
    pub text: String,
}

impl Site<'_> {
    /// What each backend's image should be called: `images` where given, else what runs now, else what ran last.
    fn image_names(&self, containers: &[Container], images: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let state = self.state.borrow();
        let name = |backend: &crate::plan::Backend| {
            let running = containers.iter().find(|container| container.service == backend.service);
            let known = state.backends.get(&backend.name).map(|known| known.image.clone());
            images
                .get(&backend.name)
                .cloned()
                .or(running.map(|container| container.image.clone()))
                .or(known.filter(|image| !image.is_empty()))
        };
        let backends = self.deployment.backends.iter();
        backends
            .filter_map(|backend| Some((backend.name.clone(), name(backend)?)))
            .collect()
    }

    /// The compose file's text (or `.env`'s) with these images.
    pub(super) fn compose_text(&self, images: &BTreeMap<String, String>) -> Result<Option<Rendered>, Failure> {
        let containers = self.containers()?;
        let names = self.image_names(&containers, images);
        match &self.templates.compose {
            Some(template) => {
                let values = self.compose_values(&names)?;
                let text = template.render(&values)?;
                let path = self.deployment.compose.file.clone();
                Ok(Some(Rendered { path, text }))
            }
            None => self.env_text(images),
        }
    }

    /// Values for the compose template. Documented in README "Templates".
    fn compose_values(&self, names: &BTreeMap<String, String>) -> Result<Value, Failure> {
        let subnet = self.subnet()?;
        let head = subnet.rsplit_once('.').map_or("", |(head, _)| head).to_string();
        let mut backends = Vec::new();
        let mut by_name = serde_json::Map::new();
        for backend in &self.deployment.backends {
            let Some(image) = names.get(&backend.name) else {
                return Err(
                    Failure::refused(format!("`{}` has never run, so its image is unknown", backend.name))
                        .help("say it: `up image=REPO:TAG`"),
                );
            };
            let entry = json!({
                "name": backend.name,
                "service": backend.service,
                "upstream": backend.upstream,
                "port": backend.port,
                "health": backend.health,
                "image": image,
                "address": self.address(&subnet, &backend.name)?,
            });
            by_name.insert(backend.name.clone(), entry.clone());
            backends.push(entry);
        }
        let mut all = Value::Object(self.deployment.values.clone());
        merge(
            &mut all,
            json!({
                "project": self.project(),
                "backends": backends,
                "backend": by_name,
                "network": { "subnet": subnet, "range": format!("{head}.128/25") },
            }),
        );
        Ok(all)
    }

    /// Renders both templates for what runs now, so that what is wrong with one is known before anything is touched.
    pub fn check_templates(&self, proxy: Option<&Container>) -> Result<(), Failure> {
        self.compose_text(&BTreeMap::new())?;
        if let Some(proxy) = proxy {
            let live = self.live(proxy)?;
            let containers = self.containers()?;
            let text = self.proxy_text(Some(proxy), &containers, &live)?;
            self.drains_show(proxy, &containers, &live)?;
            self.accept_config(proxy, &containers, &text, &live)?;
        }
        Ok(())
    }

    /// Writes a rendered compose file after compose itself accepted it. True when it changed.
    pub(super) fn install_compose(&self, rendered: Rendered) -> Result<bool, Failure> {
        let model = self.accept(&rendered)?;
        self.write_compose(rendered, model)
    }

    /// Has compose read a rendered compose file beside the installed one. `None` for `.env`, and where nothing changes.
    pub(super) fn accept(&self, rendered: &Rendered) -> Result<Option<Model>, Failure> {
        let Rendered { path, text } = rendered;
        if *path != self.deployment.compose.file || !self.differs(rendered) {
            return Ok(None);
        }
        let shape = self.compose_shape(text)?;
        let known = self
            .model
            .borrow()
            .clone()
            .filter(|_| self.accepted.borrow().contains(&shape));
        if let Some(model) = known {
            return Ok(Some(model));
        }
        let next = compose_candidate(path);
        self.write_file(&next, text, 0o600)?;
        let model = self.compose.model(&next);
        let removed = self.world.remove(&next);
        let model = model.map_err(|failure| Failure {
            kind: FailureKind::Refused,
            notes: failure.notes.iter().map(|note| note.replace(".zdt-next", "")).collect(),
            message: format!("compose refuses the new `{}`", path.display()),
            ..failure
        })?;
        removed.map_err(|error| file_failure("remove", &next, &error))?;
        self.check_model(&model)?;
        self.accepted.borrow_mut().insert(shape);
        Ok(Some(model))
    }

    /// A compose file without the names of the backends' images: one that differs only there was accepted before.
    pub(super) fn compose_shape(&self, text: &str) -> Result<String, Failure> {
        let names = self.images.borrow();
        let running = self.containers()?;
        let images = names.keys().chain(running.iter().map(|container| &container.image));
        let mut shape = text.to_string();
        for image in images {
            shape = shape.replace(&format!("image: {image}\n"), "image:\n");
        }
        Ok(format!("compose {}", hash(shape)))
    }

    /// Writes what was accepted. True when it changed anything.
    pub(super) fn write_compose(&self, rendered: Rendered, model: Option<Model>) -> Result<bool, Failure> {
        if !self.differs(&rendered) {
            return Ok(false);
        }
        self.keep_file(&rendered.path)?;
        self.write_file(&rendered.path, &rendered.text, 0o600)?;
        *self.model.borrow_mut() = model;
        Ok(true)
    }

    fn differs(&self, rendered: &Rendered) -> bool {
        let current = self.world.read(&rendered.path).ok();
        current.as_deref() != Some(rendered.text.as_bytes())
    }

    /// Every declared service is in the compose file.
    pub fn check_model(&self, model: &Model) -> Result<(), Failure> {
        let backends = self.deployment.backends.iter();
        let wanted = backends
            .map(|backend| (backend.service.as_str(), format!("backend {}", backend.name)))
            .chain(
                self.deployment
                    .proxy
                    .iter()
                    .map(|proxy| (proxy.service.as_str(), "proxy nginx".to_string())),
            );
        for (service, declared) in wanted {
            let Some(found) = model.services.get(service) else {
                // One that another backend is, is no slip for this one.
                let taken = |name: &&str| self.deployment.backends.iter().any(|one| one.service == *name);
                let known = model.services.keys().map(String::as_str).filter(|name| !taken(name));
                let failure = Failure::refused(format!("the compose file has no service `{service}` (`{declared}`)"));
                return Err(match crate::near(service, known.clone()) {
                    Some(near) => failure.help(format!("did you mean `{near}`? write `{declared} service={near}`")),
                    None if self.templates.compose.is_some() => {
                        failure.help("`up image=REPO:TAG` renders the file anew and leaves what runs as it is")
                    }
                    None => failure.help(format!("its services are: {}", known.collect::<Vec<_>>().join(", "))),
                });
            };
            if found.replicas > 1 {
                return Err(Failure::refused(format!(
                    "the service `{service}` has {} replicas, but a backend is exactly one container",
                    found.replicas
                ))
                .help("write one service a backend"));
            }
        }
        Ok(())
    }

    pub(super) fn write_file(&self, path: &Path, text: &str, mode: u32) -> Result<(), Failure> {
        self.world
            .write(path, text.as_bytes(), mode)
            .map_err(|error| file_failure("write", path, &error))
    }
}
