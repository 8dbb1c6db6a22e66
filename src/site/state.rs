//! `.zdt/state.json` beside the compose file: what zdt chose and what should serve. Facts come from the engine; state
//! that disagrees is drift.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::file_failure;
use crate::drivers::Failure;
use crate::world::World;

/// The folder zdt keeps beside a compose file.
pub fn state_dir(dir: &Path) -> PathBuf {
    dir.join(".zdt")
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// Name of the private server.
    pub private: Option<String>,
    /// The subnet chosen at the first provision (`10.213.7.0/24`).
    pub subnet: Option<String>,
    /// Backend to the last number of its address.
    pub addresses: BTreeMap<String, u8>,
    /// How often a configuration was installed.
    pub generation: u64,
    /// The proxy's file that zdt writes.
    pub config_file: Option<PathBuf>,
    /// Hash of the configuration that is installed.
    pub config: Option<String>,
    /// Hash of one that is being installed: zdt may have died in between.
    pub config_next: Option<String>,
    /// nginx's version, by the image it was asked of.
    pub nginx: Option<(String, String)>,
    pub backends: BTreeMap<String, BackendState>,
    /// The last sets of images that served everywhere, newest last.
    pub good: Vec<Good>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackendState {
    pub image: String,
    pub image_id: String,
    pub enabled: bool,
}

/// A set of images with which a run ended well.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Good {
    pub run: String,
    /// Backend to (image name, image id).
    pub images: BTreeMap<String, (String, String)>,
}

impl State {
    /// What is written there; an empty state where nothing is.
    pub fn load(world: &dyn World, dir: &Path) -> Result<Self, Failure> {
        let path = state_dir(dir).join("state.json");
        match world.read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
                Failure::refused(format!("cannot understand `{}`: {error}", path.display()))
                    .help("restore it, or remove it: zdt then asks the engine what is there")
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(file_failure("read", &path, &error)),
        }
    }

    pub fn save(&self, world: &dyn World, dir: &Path) -> Result<(), Failure> {
        let folder = state_dir(dir);
        let path = folder.join("state.json");
        world
            .create_dir_all(&folder, 0o700)
            .map_err(|error| file_failure("create", &folder, &error))?;
        let text = serde_json::to_vec_pretty(self).map_err(|error| Failure::new(error.to_string()))?;
        world
            .write(&path, &text, 0o600)
            .map_err(|error| file_failure("write", &path, &error))
    }
}
