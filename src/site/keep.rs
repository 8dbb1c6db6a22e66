//! Before-images: what a resource was before a run first touched it. The journal keeps them; a rollback goes back to them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::traffic::MODE;
use super::{Site, file_failure};
use crate::drivers::Failure;
use crate::world::FileKind;

/// Something a run can change and bring back.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resource {
    /// Who is in traffic.
    Traffic,
    Backend(String),
    File(PathBuf),
    /// A local image name (a pull moves it).
    Tag(String),
}

/// How it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Before {
    /// Backend to "in traffic".
    Traffic(BTreeMap<String, bool>),
    /// The image a backend ran; `None`: it had no container.
    Backend(Option<Ran>),
    /// The file's content, by the name it is stored under in `.zdt/images`; `None`: there was no file.
    File { stored: Option<String>, mode: u32 },
    /// The image id behind a name; `None`: unknown here.
    Tag(Option<String>),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ran {
    pub image: String,
    /// It has a name of zdt's own, too, so that no prune takes it.
    pub image_id: String,
    /// Its health endpoint did not answer badly.
    #[serde(default = "yes")]
    pub well: bool,
    /// Compose's hash of the definition that its container was made from.
    #[serde(default)]
    pub definition: Option<String>,
}

fn yes() -> bool {
    true
}

/// Where before-images go. The first one of a resource counts; later ones are ignored, until a run begins anew.
pub trait Keeper {
    fn has(&self, resource: &Resource) -> bool;
    /// What a backend ran before its first touch, if it was touched and ran.
    fn ran(&self, backend: &str) -> Option<Ran>;
    /// Stores a content under its hash, readable by its owner only, and gives the hash.
    fn store(&self, content: &[u8]) -> Result<String, Failure>;
    /// Kept and synced when this returns.
    fn keep(&self, resource: Resource, before: Before) -> Result<(), Failure>;
    /// The hash of a file that a step has written whole, apart from lines that are written singly.
    fn written(&self, path: &Path) -> Option<String>;
    fn wrote(&self, path: &Path, hash: &str) -> Result<(), Failure>;
    /// Backends that the run has brought into being, if those are all it has touched.
    fn only_new(&self) -> Vec<String>;
    /// What the run has made so far is, from here on, what it goes back to.
    fn begin_anew(&self) -> Result<(), Failure>;
}

/// For looking only, and for operations that are themselves a rollback.
pub struct NothingKept;

impl Keeper for NothingKept {
    fn has(&self, _: &Resource) -> bool {
        true
    }

    fn ran(&self, _: &str) -> Option<Ran> {
        None
    }

    fn store(&self, content: &[u8]) -> Result<String, Failure> {
        Ok(super::hash(content))
    }

    fn keep(&self, _: Resource, _: Before) -> Result<(), Failure> {
        Ok(())
    }

    fn written(&self, _: &Path) -> Option<String> {
        None
    }

    fn wrote(&self, _: &Path, _: &str) -> Result<(), Failure> {
        Ok(())
    }

    fn only_new(&self) -> Vec<String> {
        Vec::new()
    }

    fn begin_anew(&self) -> Result<(), Failure> {
        Ok(())
    }
}

impl Site<'_> {
    pub fn keep_file(&self, path: &Path) -> Result<(), Failure> {
        let resource = Resource::File(path.to_path_buf());
        if self.keeper.has(&resource) {
            return Ok(());
        }
        let before = match self.world.read(path) {
            Ok(content) => Before::File {
                stored: Some(self.keeper.store(&content)?),
                mode: self.mode_of(path),
            },
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Before::File {
                stored: None,
                mode: MODE,
            },
            Err(error) => return Err(file_failure("read", path, &error)),
        };
        self.keeper.keep(resource, before)
    }

    fn mode_of(&self, path: &Path) -> u32 {
        match self.world.kind(path) {
            Ok(Some(FileKind::File { mode, .. })) => mode & 0o777,
            _ => MODE,
        }
    }
}
