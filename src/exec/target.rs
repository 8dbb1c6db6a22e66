//! What a rollback goes back to: the before-images of what a run has touched.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::site::{Before, Ran, Resource};

/// A file's path, the name its content is stored under, and its mode.
pub type Kept = (PathBuf, Option<String>, u32);

/// What there is to go back to.
#[derive(Debug, Default)]
pub struct Target {
    /// Last touched first.
    pub backends: Vec<(String, Ran)>,
    /// Backends that did not exist before.
    pub new: Vec<String>,
    pub traffic: Option<BTreeMap<String, bool>>,
    /// Content names by path.
    pub files: Vec<Kept>,
    pub tags: Vec<(String, String)>,
}

impl Target {
    pub fn of(touched: Vec<(Resource, Before)>) -> Self {
        let mut target = Self::default();
        for (resource, before) in touched {
            match (resource, before) {
                (Resource::Backend(name), Before::Backend(Some(ran))) => target.backends.push((name, ran)),
                (Resource::Backend(name), Before::Backend(None)) => target.new.push(name),
                (Resource::Traffic, Before::Traffic(traffic)) => target.traffic = Some(traffic),
                (Resource::File(path), Before::File { stored, mode }) => target.files.push((path, stored, mode)),
                (Resource::Tag(name), Before::Tag(Some(id))) => target.tags.push((name, id)),
                // A kind of resource with another kind of image: nothing zdt ever wrote.
                (Resource::Backend(_) | Resource::Traffic | Resource::File(_) | Resource::Tag(_), _) => {}
            }
        }
        target
    }

    /// Whether a backend was in traffic before the run.
    pub fn wants(&self, name: &str) -> bool {
        self.traffic
            .as_ref()
            .is_none_or(|traffic| traffic.get(name).copied().unwrap_or(false))
    }
}
