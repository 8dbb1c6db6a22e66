//! Images: a name becomes an id once a run; what a run replaces gets a name of zdt's own so that no prune takes it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::keep::{Before, Ran, Resource};
use super::{Site, containers::absent_or};
use crate::drivers::{Failure, FailureKind};

impl Site<'_> {
    /// The id behind an image name, resolved once a run; a failure when the engine does not have it.
    pub fn image(&self, reference: &str) -> Result<String, Failure> {
        if let Some(id) = self.images.borrow().get(reference) {
            return Ok(id.clone());
        }
        let found = self.engine.image_id(reference)?;
        let id = found.ok_or_else(|| {
            Failure::refused(format!("the image `{reference}` is not on this engine"))
                .help(format!("put `pull {reference}` before this step, or load it"))
        })?;
        self.images.borrow_mut().insert(reference.to_string(), id.clone());
        Ok(id)
    }

    /// A name that was given to another image is resolved anew.
    pub fn forget_image(&self, reference: &str) {
        self.images.borrow_mut().remove(reference);
    }

    /// Brings an image: from its registry, or as it is here when no registry has it.
    pub fn pull(&self, reference: &str, limit: std::time::Duration) -> Result<String, Failure> {
        let here = self.engine.raw_image(reference)?;
        let before = here.as_ref().and_then(|image| image["Id"].as_str()).map(str::to_string);
        let tag = Resource::Tag(reference.to_string());
        if !self.keeper.has(&tag) {
            self.keeper.keep(tag, Before::Tag(before.clone()))?;
        }
        let pulled = self.engine.change(&["pull", "-q", reference], limit);
        self.images.borrow_mut().remove(reference);
        match (pulled, before) {
            (Err(failure), _) if failure.kind == FailureKind::Interrupted => Err(failure),
            (Ok(_), before) => {
                let id = self.image(reference)?;
                Ok(match before {
                    Some(before) if before == id => format!("up to date · {}", short_id(&id)),
                    _ => format!("pulled · {}", short_id(&id)),
                })
            }
            (Err(failure), Some(id)) => {
                let made_here = here.is_some_and(|image| made_here(&image));
                let why = not_pulled(reference, made_here, &failure);
                Ok(format!("{why}; the local one is used · {}", short_id(&id)))
            }
            (Err(failure), None) => Err(Failure {
                message: format!("the image `{reference}` cannot be pulled and is not on this engine"),
                ..failure.help("check its name and tag; `docker pull` must work for it")
            }),
        }
    }

    /// Keeps what a backend runs now, once a run, and makes sure that image can come back.
    pub fn keep_backend(&self, name: &str) -> Result<(), Failure> {
        let resource = Resource::Backend(name.to_string());
        if self.keeper.has(&resource) {
            return Ok(());
        }
        let container = absent_or(self.container(name), self, name)?;
        let before = match container {
            None => None,
            Some(container) => {
                let well = container.running() && !self.answers_badly(name);
                self.keep_image(&container.image_id).map_err(|failure| {
                    let gone = failure.notes.iter().any(|note| note.to_lowercase().contains("no such image"));
                    match gone {
                        false => failure,
                        true => Failure::refused(format!(
                            "the image `{name}` runs now ({}) is gone from this engine, so it could not be brought back",
                            short_id(&container.image_id)
                        ))
                        .help(format!("load or pull `{}` again first", container.image)),
                    }
                })?;
                Some(Ran {
                    image: container.image,
                    image_id: container.image_id,
                    well,
                    definition: container.config_hash,
                })
            }
        };
        self.keeper.keep(resource, Before::Backend(before))
    }

    /// Backends that this run made are something to go back to once all of them were found healthy and are in traffic.
    /// Until then the first touch of each has "there was none" for a before-image.
    pub(super) fn keep_found(&self) -> Result<(), Failure> {
        let new = self.keeper.only_new();
        let found = |name: &String| self.awaited.borrow().contains_key(name);
        if new.is_empty() || !self.watch.get() || !new.iter().all(found) {
            return Ok(());
        }
        let serve = match self.deployment.proxy {
            Some(_) => self
                .traffic()
                .is_ok_and(|traffic| new.iter().all(|name| traffic.get(name) == Some(&true))),
            None => true,
        };
        match serve {
            true => self.keeper.begin_anew(),
            false => Ok(()),
        }
    }

    /// Gives an image a name of zdt's own, one an image and project: an untagged image goes with the next prune.
    pub fn keep_image(&self, id: &str) -> Result<(), Failure> {
        let name = self.keep_name(id);
        match self.engine.image_id(&name)?.as_deref() == Some(id) {
            true => Ok(()),
            false => self.engine.tag(id, &name),
        }
    }

    /// Takes the kept names off all images but these. That one stays behind is no failure.
    pub fn keep_only(&self, ids: &BTreeSet<String>) {
        let kept: BTreeSet<String> = ids.iter().map(|id| self.keep_name(id)).collect();
        let repository = format!("zdt-keep/{}", self.project());
        let mut names = self.engine.tags(&repository).unwrap_or_default();
        names.retain(|name| !kept.contains(name));
        let _ = self.engine.untag(&names);
    }

    fn keep_name(&self, id: &str) -> String {
        format!("zdt-keep/{}:{}", self.project(), short_id(id))
    }
}

/// Whether an image was built or loaded here: one that came from a registry has a digest.
fn made_here(image: &Value) -> bool {
    image["RepoDigests"].as_array().is_none_or(Vec::is_empty)
}

/// Why an image that is here could not be pulled. One that was made here, with no registry in its name, is meant to be
/// used as it is, be it that nobody has it or that this machine has no network. What came from a registry may be newer
/// there, and an expired login looks like a missing image: then docker's own word is told.
fn not_pulled(reference: &str, made_here: bool, failure: &Failure) -> String {
    let said = failure.notes.last().unwrap_or(&failure.message).trim();
    match made_here && !names_registry(reference) {
        true => "no registry has it".to_string(),
        false => format!(
            "could not be pulled: {}",
            said.trim_start_matches("Error response from daemon: ")
        ),
    }
}

/// `registry.example.com/app`, `localhost/app` and `somewhere:5000/app` name one.
fn names_registry(reference: &str) -> bool {
    let host = reference.split_once('/').map_or("", |(host, _)| host);
    host == "localhost" || host.contains(['.', ':'])
}

/// `sha256:0123456789ab…` as `0123456789ab`.
pub fn short_id(id: &str) -> &str {
    let id = id.strip_prefix("sha256:").unwrap_or(id);
    &id[..id.len().min(12)]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn why_it_was_not_pulled() {
        let built = made_here(&json!({ "RepoDigests": [] }));
        let brought = made_here(&json!({ "RepoDigests": ["shop/app@sha256:12"] }));
        let failure = Failure::new("`docker pull` failed (exit code 1)")
            .note("Error response from daemon: Get \"https://registry-1.docker.io/v2/\": no such host");
        let told = "could not be pulled: Get \"https://registry-1.docker.io/v2/\": no such host";
        for (reference, built, wanted) in [
            ("shop/app:1", built, "no registry has it"),
            ("app", built, "no registry has it"),
            ("shop/app:1", brought, told),
            ("app:1.30", brought, told),
            ("registry.example.com/app:1", built, told),
            ("somewhere:5000/app:1", built, told),
            ("localhost/app:1", built, told),
        ] {
            assert_eq!(not_pulled(reference, built, &failure), wanted, "{reference}");
        }
        let late = Failure::new("`docker pull` did not end within 10m");
        let wanted = "could not be pulled: `docker pull` did not end within 10m";
        assert_eq!(not_pulled("shop/app:1", brought, &late), wanted);
    }
}
