//! Containers of backends: recreate with another image, stop, start, restart.

use std::collections::BTreeMap;

use super::images::short_id;
use super::{Allow, Site, file_failure};
use crate::diagnostic::Code;
use crate::drivers::compose::Up;
use crate::drivers::engine::Container;
use crate::drivers::{Failure, FailureKind};

/// One backend that got a new container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recreated {
    pub backend: String,
    pub before: Option<String>,
    pub after: String,
}

/// `Ok(None)` when a backend has no container at all; other failures stay.
pub(super) fn absent_or(
    found: Result<Container, Failure>,
    site: &Site,
    name: &str,
) -> Result<Option<Container>, Failure> {
    match found {
        Ok(container) => Ok(Some(container)),
        Err(failure) => {
            let service = &site.backend(name)?.service;
            let any = site.containers()?.iter().any(|container| container.service == *service);
            if any { Err(failure) } else { Ok(None) }
        }
    }
}

impl Site<'_> {
    /// Gives backends new containers, side by side, with `image` or the one they have.
    pub fn recreate(&self, names: &[String], image: Option<&str>, allow: Allow) -> Result<Vec<Recreated>, Failure> {
        self.refuse_serving(names, "recreate", allow)?;
        if allow == Allow::Nothing {
            self.others_serve()?;
        }
        let mut images = BTreeMap::new();
        let mut before = BTreeMap::new();
        for name in names {
            self.keep_backend(name)?;
            let current = absent_or(self.container(name), self, name)?;
            if let Some(image) = image {
                images.insert(name.clone(), image.to_string());
            }
            before.insert(name.clone(), current.map(|container| container.image));
        }
        if let Some(image) = image {
            self.still_the_same(image)?;
        }
        self.bring_up(names, &images)?;
        let mut done = Vec::new();
        for name in names {
            // Something was tried, whatever is found now.
            let tried = |failure: Failure| Failure {
                kind: FailureKind::Failed,
                ..failure
            };
            let container = self.container(name).map_err(tried)?;
            self.right_image(name, images.get(name), &container)?;
            self.awaited.borrow_mut().remove(name);
            self.remember(|state| {
                let known = state.backends.entry(name.clone()).or_default();
                known.image = container.image.clone();
                known.image_id = container.image_id.clone();
            })?;
            done.push(Recreated {
                backend: name.clone(),
                before: before.remove(name).flatten(),
                after: container.image,
            });
        }
        Ok(done)
    }

    /// Renders the compose file for these images and has compose replace the backends' containers.
    fn bring_up(&self, names: &[String], images: &BTreeMap<String, String>) -> Result<(), Failure> {
        let rendered = match self.compose_text(images)? {
            None => self.env_as_it_runs(names)?,
            rendered => rendered,
        };
        if let Some(rendered) = rendered {
            self.install_compose(rendered)?;
        }
        let services = self.services(names)?;
        self.compose.up(&services, Up::Recreate)
    }

    /// A new container from the compose file as it is on disk; used by a rollback after it put the old file back.
    pub fn recreate_as_written(&self, name: &str, image_id: &str) -> Result<(), Failure> {
        *self.model.borrow_mut() = None;
        self.awaited.borrow_mut().remove(name);
        self.compose.up(&[&self.backend(name)?.service], Up::Recreate)?;
        let container = self.container(name)?;
        if container.image_id != image_id {
            return Err(Failure::new(format!(
                "`{name}` runs {} instead of {}",
                short_id(&container.image_id),
                short_id(image_id)
            )));
        }
        self.remember(|state| {
            let known = state.backends.entry(name.to_string()).or_default();
            known.image = container.image.clone();
            known.image_id = container.image_id.clone();
        })
    }

    pub(super) fn services(&self, names: &[String]) -> Result<Vec<&str>, Failure> {
        names
            .iter()
            .map(|name| Ok(self.backend(name)?.service.as_str()))
            .collect()
    }

    /// The container runs the image that was asked for, and the very one its name stood for when this run first looked.
    fn right_image(&self, name: &str, asked: Option<&String>, container: &Container) -> Result<(), Failure> {
        if let Some(asked) = asked
            && self.image(asked)? != container.image_id
            && container.image != *asked
        {
            return Err(Failure::new(format!(
                "`{name}` runs {} although {asked} was asked for: nothing in the compose file makes that its image",
                container.image
            )));
        }
        let expected = self.images.borrow().get(&container.image).cloned();
        match expected {
            Some(expected) if expected != container.image_id => Err(Failure::new(format!(
                "`{name}` runs {}, but `{}` was {} when this run began",
                short_id(&container.image_id),
                container.image,
                short_id(&expected)
            ))),
            _ => Ok(()),
        }
    }

    /// A run that goes on after a crash gives a backend the image that the others got: a tag may have moved meanwhile.
    fn still_the_same(&self, image: &str) -> Result<(), Failure> {
        let id = self.image(image)?;
        if !self.goes_on.get() {
            return Ok(());
        }
        let containers = self.containers()?;
        for backend in &self.deployment.backends {
            let Some(before) = self.keeper.ran(&backend.name) else {
                continue;
            };
            let moved = containers.iter().find(|one| {
                one.service == backend.service
                    && one.image == image
                    && one.image_id != id
                    && one.image_id != before.image_id
            });
            if let Some(one) = moved {
                return Err(Failure::refused(format!(
                    "`{image}` was {} when `{}` got it in this run, and is {} now",
                    short_id(&one.image_id),
                    backend.name,
                    short_id(&id)
                ))
                .help(format!(
                    "`zdt rollback`, or give the name back: `docker tag {} {image}`",
                    short_id(&one.image_id)
                )));
            }
        }
        Ok(())
    }

    /// A backend in traffic is not touched.
    pub fn refuse_serving(&self, names: &[String], verb: &str, allow: Allow) -> Result<(), Failure> {
        if allow == Allow::Downtime || self.allow_downtime.get() || self.deployment.proxy.is_none() {
            return Ok(());
        }
        let containers = self.containers()?;
        let service = &self.proxy()?.service;
        // Without a running proxy nobody is served: the site can receive its fix.
        if !containers
            .iter()
            .any(|container| container.service == *service && container.running())
        {
            return Ok(());
        }
        let traffic = self.traffic()?;
        match names.iter().find(|name| traffic.get(*name) == Some(&true)) {
            None => Ok(()),
            Some(name) => Err(Failure::refused(format!("`{name}` is in traffic"))
                .code(Code::UNSAFE)
                .help(format!(
                    "put `drain {name}` before `{verb} {name}`, or say `allow=downtime`"
                ))),
        }
    }

    pub fn stop(&self, names: &[String], allow: Allow) -> Result<(), Failure> {
        self.refuse_serving(names, "stop", allow)?;
        names.iter().try_for_each(|name| self.keep_backend(name))?;
        self.forget_awaited(names);
        self.compose.stop(&self.services(names)?)
    }

    pub fn start(&self, names: &[String]) -> Result<(), Failure> {
        self.forget_awaited(names);
        self.compose.start(&self.services(names)?)
    }

    pub fn restart(&self, names: &[String], allow: Allow) -> Result<(), Failure> {
        self.refuse_serving(names, "restart", allow)?;
        names.iter().try_for_each(|name| self.keep_backend(name))?;
        self.forget_awaited(names);
        self.compose.restart(&self.services(names)?)
    }

    /// What was found healthy is about to be another thing.
    fn forget_awaited(&self, names: &[String]) {
        self.awaited.borrow_mut().retain(|name, _| !names.contains(name));
    }

    /// Removes the whole project. Users lose it, so it must be allowed where anything serves.
    pub fn down(&self, volumes: bool, allow: Allow) -> Result<usize, Failure> {
        let containers = self.containers()?;
        let serving = containers.iter().any(Container::running);
        if serving && allow == Allow::Nothing && !self.allow_downtime.get() {
            return Err(
                Failure::refused("`down` ends an application that is running").help("say `down allow=downtime`")
            );
        }
        let file = &self.deployment.compose.file;
        let kind = self.world.kind(file);
        if containers.is_empty() && kind.map_err(|error| file_failure("look at", file, &error))?.is_none() {
            // Never provisioned here: compose would only say that it has no file.
            return Ok(0);
        }
        self.awaited.borrow_mut().clear();
        self.compose.down(volumes)?;
        self.remember(|state| {
            state.config = None;
            state.config_next = None;
            state.backends.clear();
            state.good.clear();
        })?;
        Ok(containers.len())
    }
}
