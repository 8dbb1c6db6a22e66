//! The world of a rehearsal: files are read from this machine and written to memory, engine, compose and nginx are the
//! simulated ones, other programs are noted and not run.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use similar::TextDiff;

use super::Change;
use super::rehearsal::hidden;
use crate::world::simulated::Simulated;
use crate::world::{
    Api, Clock, Command, FileKind, Files, HttpAnswer, HttpRequest, Interrupt, Lock, Net, NetError, Output,
    ProcessError, Processes, Question, Reply, Signals, Status, World,
};

pub struct Overlay<'a> {
    real: &'a dyn World,
    simulated: &'a Simulated,
    changes: Mutex<Vec<Change>>,
    removed: Mutex<BTreeSet<PathBuf>>,
    /// Whether changed files are shown as differences; off where nobody reads them.
    differences: AtomicBool,
}

impl<'a> Overlay<'a> {
    pub fn new(real: &'a dyn World, simulated: &'a Simulated) -> Self {
        Self {
            real,
            simulated,
            changes: Mutex::default(),
            removed: Mutex::default(),
            differences: AtomicBool::new(false),
        }
    }

    pub fn differences(&self, on: bool) {
        self.differences.store(on, Ordering::Relaxed);
    }

    /// What happened since the last call.
    pub fn take_changes(&self) -> Vec<Change> {
        std::mem::take(&mut *self.changes.lock().unwrap_or_else(|poisoned| poisoned.into_inner()))
    }

    fn note(&self, change: Change) {
        self.changes
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .push(change);
    }

    fn is_removed(&self, path: &Path) -> bool {
        self.removed
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .contains(path)
    }

    fn set_removed(&self, path: &Path, removed: bool) {
        let mut all = self.removed.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if removed {
            all.insert(path.to_path_buf());
        } else {
            all.remove(path);
        }
    }
}

impl Files for Overlay<'_> {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        match self.simulated.read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && !self.is_removed(path) => self.real.read(path),
            other => other,
        }
    }

    fn write(&self, path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
        if self.differences.load(Ordering::Relaxed) && !hidden(path) {
            let old = self.read(path).unwrap_or_default();
            self.note(Change::File {
                path: path.display().to_string(),
                diff: difference(&old, content),
            });
        }
        self.set_removed(path, false);
        // The folder may be there on this machine only.
        if let Some(folder) = path.parent()
            && matches!(self.real.kind(folder), Ok(Some(FileKind::Folder)))
        {
            self.simulated.create_dir_all(folder, 0o755)?;
        }
        self.simulated.write(path, content, mode)
    }

    fn append(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        // Only journals are appended to, and a rehearsal keeps none.
        match hidden(path) {
            true => Ok(()),
            false => self.simulated.append(path, content),
        }
    }

    fn create_dir_all(&self, path: &Path, mode: u32) -> io::Result<()> {
        let there = self.kind(path)?.is_some();
        if !there && self.differences.load(Ordering::Relaxed) && !hidden(path) {
            self.note(Change::Command {
                line: format!("mkdir -p {}", crate::world::quote(&path.to_string_lossy())),
            });
        }
        self.simulated.create_dir_all(path, mode)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.set_removed(path, true);
        self.simulated.remove(path)
    }

    fn kind(&self, path: &Path) -> io::Result<Option<FileKind>> {
        match self.simulated.kind(path)? {
            None if !self.is_removed(path) => self.real.kind(path),
            found => Ok(found),
        }
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let (simulated, real) = (self.simulated.list(path), self.real.list(path));
        let mut names = match (simulated, real) {
            (Ok(a), Ok(b)) => a.into_iter().chain(b).collect::<Vec<_>>(),
            (Ok(names), Err(_)) | (Err(_), Ok(names)) => names,
            (Err(error), Err(_)) => return Err(error),
        };
        names.sort();
        names.dedup();
        names.retain(|name| !self.is_removed(&path.join(name)));
        Ok(names)
    }

    fn try_lock(&self, path: &Path) -> io::Result<Option<Lock>> {
        self.simulated.try_lock(path)
    }

    fn free_space(&self, path: &Path) -> io::Result<u64> {
        self.simulated.free_space(path)
    }
}

impl Processes for Overlay<'_> {
    fn run(&self, command: &Command<'_>) -> Result<Output, ProcessError> {
        let program = Path::new(&command.program)
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let driven = program == "docker" || program.starts_with("docker-compose");
        // Compose's `exec -T` runs something of the user's; nginx's reload is played.
        let has = |word: &str| command.args.iter().any(|arg| arg == word);
        let executes = command.mutates && has("exec") && has("-T");
        if command.mutates {
            self.note(Change::Command {
                line: command.display(),
            });
        }
        if !driven || executes {
            return Ok(Output {
                status: Status::Exited(0),
                stdout: String::new(),
                stderr: String::new(),
            });
        }
        self.simulated.run(&Command {
            program,
            ..command.clone()
        })
    }

    fn env(&self, name: &str) -> Option<OsString> {
        self.simulated.env(name)
    }

    fn title(&self, pid: u32) -> Option<String> {
        self.simulated.title(pid)
    }

    fn age(&self, pid: u32) -> Option<Duration> {
        self.simulated.age(pid)
    }

    fn members(&self, container: &str, first: u32) -> Option<Vec<u32>> {
        self.simulated.members(container, first)
    }
}

impl Api for Overlay<'_> {
    fn ask(&self, question: &Question<'_>) -> Result<Reply, ProcessError> {
        self.simulated.ask(question)
    }
}

impl Net for Overlay<'_> {
    fn get(&self, request: &HttpRequest) -> Result<HttpAnswer, NetError> {
        self.simulated.get(request)
    }

    fn connect(&self, _: &str, _: u16, _: Duration) -> Result<(), NetError> {
        Ok(())
    }

    fn port_free(&self, _: SocketAddr) -> bool {
        true
    }
}

impl Clock for Overlay<'_> {
    fn now(&self) -> Duration {
        self.simulated.now()
    }

    fn wall(&self) -> SystemTime {
        self.simulated.wall()
    }

    fn pause(&self, time: Duration) -> bool {
        self.simulated.pause(time)
    }
}

impl Signals for Overlay<'_> {
    fn pending(&self) -> Option<Interrupt> {
        self.real.pending().or_else(|| self.simulated.pending())
    }

    fn acknowledge(&self) {
        self.simulated.acknowledge();
    }
}

/// A unified difference without its head; binary content is only counted.
fn difference(old: &[u8], new: &[u8]) -> String {
    let (Ok(old), Ok(new)) = (std::str::from_utf8(old), std::str::from_utf8(new)) else {
        return format!(
            "binary, {} → {}",
            crate::count(old.len(), "byte"),
            crate::count(new.len(), "byte")
        );
    };
    let diff = TextDiff::from_lines(old, new);
    let mut text = String::new();
    for hunk in diff.unified_diff().context_radius(2).iter_hunks() {
        text.push_str(&hunk.to_string());
    }
    text
}
