//! The world inside a `timeout` block: no program may take longer than what is left of it.

use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use crate::world::{
    Api, Clock, Command, FileKind, Files, HttpAnswer, HttpRequest, Interrupt, Lock, Net, NetError, Output,
    ProcessError, Processes, Question, Reply, Signals, World,
};

/// What a step has begun it may put in order: each of its programs gets this long at least.
const LEAST: Duration = Duration::from_secs(5);

/// A world with an end that can be moved.
pub struct Bounded<'w> {
    world: &'w dyn World,
    /// On the world's clock.
    end: Mutex<Option<Duration>>,
}

impl<'w> Bounded<'w> {
    pub fn new(world: &'w dyn World) -> Self {
        Self {
            world,
            end: Mutex::default(),
        }
    }

    /// From here on `end` rules; gives the one before.
    pub fn set(&self, end: Option<Duration>) -> Option<Duration> {
        std::mem::replace(&mut *self.end(), end)
    }

    fn end(&self) -> MutexGuard<'_, Option<Duration>> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A deadline that ends with the block, in whole seconds for whoever reads of it.
    fn within(&self, own: Duration) -> Duration {
        let Some(end) = *self.end() else { return own };
        let left = end.saturating_sub(self.world.now());
        own.min(Duration::from_secs(left.as_millis().div_ceil(1000) as u64).max(LEAST))
    }
}

impl Processes for Bounded<'_> {
    fn run(&self, command: &Command<'_>) -> Result<Output, ProcessError> {
        let deadline = self.within(command.deadline);
        self.world.run(&Command {
            deadline,
            ..command.clone()
        })
    }

    fn env(&self, name: &str) -> Option<OsString> {
        self.world.env(name)
    }

    fn title(&self, pid: u32) -> Option<String> {
        self.world.title(pid)
    }

    fn age(&self, pid: u32) -> Option<Duration> {
        self.world.age(pid)
    }

    fn members(&self, container: &str, first: u32) -> Option<Vec<u32>> {
        self.world.members(container, first)
    }
}

impl Api for Bounded<'_> {
    fn ask(&self, question: &Question<'_>) -> Result<Reply, ProcessError> {
        let deadline = self.within(question.deadline);
        self.world.ask(&Question { deadline, ..*question })
    }
}

impl Files for Bounded<'_> {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.world.read(path)
    }

    fn write(&self, path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
        self.world.write(path, content, mode)
    }

    fn append(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        self.world.append(path, content)
    }

    fn create_dir_all(&self, path: &Path, mode: u32) -> io::Result<()> {
        self.world.create_dir_all(path, mode)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.world.remove(path)
    }

    fn kind(&self, path: &Path) -> io::Result<Option<FileKind>> {
        self.world.kind(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        self.world.list(path)
    }

    fn try_lock(&self, path: &Path) -> io::Result<Option<Lock>> {
        self.world.try_lock(path)
    }

    fn free_space(&self, path: &Path) -> io::Result<u64> {
        self.world.free_space(path)
    }
}

impl Net for Bounded<'_> {
    fn get(&self, request: &HttpRequest) -> Result<HttpAnswer, NetError> {
        self.world.get(request)
    }

    fn connect(&self, host: &str, port: u16, timeout: Duration) -> Result<(), NetError> {
        self.world.connect(host, port, timeout)
    }

    fn port_free(&self, address: SocketAddr) -> bool {
        self.world.port_free(address)
    }
}

impl Clock for Bounded<'_> {
    fn now(&self) -> Duration {
        self.world.now()
    }

    fn wall(&self) -> SystemTime {
        self.world.wall()
    }

    fn pause(&self, time: Duration) -> bool {
        self.world.pause(time)
    }
}

impl Signals for Bounded<'_> {
    fn pending(&self) -> Option<Interrupt> {
        self.world.pending()
    }

    fn acknowledge(&self) {
        self.world.acknowledge();
    }
}
