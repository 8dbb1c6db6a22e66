//! A run that was refused leaves nothing that was not there before: its folder, lock and journal go again where it was
//! the first to make any.

use std::path::{Path, PathBuf};

use super::journal;
use crate::site::state_dir;
use crate::world::{Command, World};

/// Folders that are not there yet.
pub struct Missing(Vec<PathBuf>);

impl Missing {
    /// Asked before the lock makes them.
    pub fn of(world: &dyn World, dir: &Path) -> Self {
        let state = state_dir(dir);
        let folders = state.ancestors();
        let missing = folders.take_while(|folder| matches!(world.kind(folder), Ok(None)));
        Self(missing.map(Path::to_path_buf).collect())
    }

    /// What a run has made of its own, asked once it holds the lock; `None` where another run has been before.
    pub fn made(self, world: &dyn World, dir: &Path) -> Option<Made> {
        let state = state_dir(dir);
        let found = world.list(&state).ok()?;
        let first = found.iter().all(|name| matches!(name.as_str(), "lock" | "holder"));
        (first && self.0.contains(&state)).then(|| Made {
            dir: dir.to_path_buf(),
            folders: self.0,
        })
    }
}

/// What the first run of a deployment has made before its first step.
pub struct Made {
    dir: PathBuf,
    /// The innermost first.
    folders: Vec<PathBuf>,
}

impl Made {
    /// Takes it away, the lock last of all files; folders only if nothing else is in them. That something stays behind
    /// is no failure.
    pub fn remove(&self, world: &dyn World, run: &str) {
        let journals = journal::folder(&self.dir);
        let own = ["state.json", "holder", "lock"].map(|name| state_dir(&self.dir).join(name));
        let files = [journals.join(format!("{run}.jsonl"))].into_iter().chain(own);
        if files.into_iter().any(|file| world.remove(&file).is_err()) {
            return;
        }
        let folders = [&journals].into_iter().chain(&self.folders);
        let folders = folders.map(|folder| folder.to_string_lossy().into_owned());
        // It removes empty folders only.
        let _ = world.run(&Command::new("rmdir", folders));
    }
}
