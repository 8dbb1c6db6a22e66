//! The world outside zdt, as a few small traits: files, processes, the engine's facts, net, clock, signals.
//!
//! Two worlds implement them: [`real`] and [`simulated`]. The simulated one plays the engine, compose and nginx
//! *below* the drivers (it answers command lines and questions to the engine and reads the installed nginx file),
//! so that the drivers' real code runs in a dry run, a check and a test.
//! Every call that can take long carries a deadline; `Processes::run` and `Clock::pause` end early on an interrupt
//! where the caller allows it.

pub mod real;
pub mod simulated;

use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Everything at once; what the drivers and the executor take.
pub trait World: Files + Processes + Api + Net + Clock + Signals + Send + Sync {}
impl<T: Files + Processes + Api + Net + Clock + Signals + Send + Sync> World for T {}

/// Files on this machine. Paths are absolute.
pub trait Files {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;
    /// Replaces or creates `path` in one step: a temporary file in the same folder, synced, renamed, folder synced.
    /// Never follows a symlink at `path`: the link itself is replaced. `mode` is the permission bits (0o644, 0o600).
    fn write(&self, path: &Path, content: &[u8], mode: u32) -> io::Result<()>;
    /// Appends and syncs (fdatasync); creates with 0600. Refuses a symlink.
    fn append(&self, path: &Path, content: &[u8]) -> io::Result<()>;
    fn create_dir_all(&self, path: &Path, mode: u32) -> io::Result<()>;
    /// Removes a file; a missing one is no error.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// What is at `path`; `None` when nothing is. Does not follow a final symlink.
    fn kind(&self, path: &Path) -> io::Result<Option<FileKind>>;
    /// Names in a folder, sorted. A missing folder is an error of kind `NotFound`.
    fn list(&self, path: &Path) -> io::Result<Vec<String>>;
    /// Takes the exclusive lock on `path` (created with 0600) without waiting. `Ok(None)` when another holds it.
    fn try_lock(&self, path: &Path) -> io::Result<Option<Lock>>;
    /// Bytes free for us on the file system of `path`.
    fn free_space(&self, path: &Path) -> io::Result<u64>;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    File { mode: u32, len: u64 },
    Folder,
    Symlink,
    Other,
}

/// An operating-system file lock. It lasts until this value and every child that inherited it are gone.
#[derive(Debug)]
pub struct Lock {
    /// `None` in the simulated world.
    pub file: Option<std::fs::File>,
}

/// Other programs.
pub trait Processes {
    /// Runs a program to its end.
    fn run(&self, command: &Command<'_>) -> Result<Output, ProcessError>;
    /// A variable of the environment that every program inherits.
    fn env(&self, name: &str) -> Option<OsString>;
    /// Command line of a process of this machine, if there is one with that pid and we may see it
    /// (`/proc/PID/cmdline`, NUL replaced by blanks, trimmed).
    fn title(&self, pid: u32) -> Option<String>;
    /// How long a process of this machine has been there, to a hundredth of a second (`/proc/PID/stat`, field 22).
    fn age(&self, pid: u32) -> Option<Duration>;
    /// The pids of a container's processes, given that of its first one, as this machine's kernel lists them; `None`
    /// where that process cannot be seen from here, or belongs to something else (an engine elsewhere).
    fn members(&self, container: &str, first: u32) -> Option<Vec<u32>>;
}

/// A command line, with all that is needed to run it safely.
#[derive(Clone)]
pub struct Command<'a> {
    pub program: String,
    pub args: Vec<String>,
    /// Added to the environment.
    pub env: Vec<(String, String)>,
    pub cwd: Option<PathBuf>,
    pub stdin: Option<Vec<u8>>,
    /// After this it is terminated, then killed, and `ProcessError::TimedOut` is returned.
    pub deadline: Duration,
    /// The first interrupt ends it (terminate, then kill). A command that changes containers is not interruptible:
    /// it is short, and half of it is worse than all of it. A second interrupt ends every wait.
    pub interruptible: bool,
    /// True when it may change the deployment: a dry run shows it.
    pub mutates: bool,
    /// The child keeps the deployment's lock while it lives: its standard input *is* the lock file.
    pub lock: Option<&'a Lock>,
    /// Called with each line of output (standard output and error) as it comes.
    pub on_line: Option<&'a (dyn Fn(&str) + Sync)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    pub status: Status,
    /// Lossy UTF-8; at most 4 MiB is kept (the end of it).
    pub stdout: String,
    pub stderr: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Exited(i32),
    Signalled(i32),
}

#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    #[error("`{program}` is not installed or not on PATH")]
    NotFound { program: String },
    #[error("`{command}` did not end within {limit:?} and was stopped")]
    TimedOut { command: String, limit: Duration },
    #[error("interrupted while `{command}` was running")]
    Interrupted { command: String },
    #[error("cannot run `{program}`: {source}")]
    Io { program: String, source: io::Error },
    #[error("`{command}` ended without an answer")]
    NoAnswer { command: String, said: String },
    #[error("the engine did not answer `{question}` within {limit:?}")]
    Silent { question: String, limit: Duration },
}

/// The container engine's HTTP API, for facts only: an answer takes a millisecond or two, a `docker` program thirty.
/// What changes something is a command line all the same, so that plan, journal and dry run can show it.
pub trait Api {
    /// GETs from the engine that `docker` on this machine talks to, the way `docker` reaches it. Asked the same twice with
    /// nothing done or waited for in between, it may give the first answer again.
    fn ask(&self, question: &Question<'_>) -> Result<Reply, ProcessError>;
}

#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The `docker` program.
    pub docker: &'a str,
    /// Path and query, percent-encoded, without an API version (`/containers/json?all=1`).
    pub path: &'a str,
    /// After this `ProcessError::Silent` is returned. Once the engine has kept silent for a second, the first interrupt
    /// ends it, too; an answer that comes at once is always given.
    pub deadline: Duration,
}

impl Question<'_> {
    pub fn display(&self) -> String {
        format!("GET {}", self.path)
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// HTTP's: 200, 404, 409, 500.
    pub status: u16,
    pub body: Arc<serde_json::Value>,
}

/// Plain HTTP and TCP, always on a fresh connection, never through a proxy from the environment.
pub trait Net {
    fn get(&self, request: &HttpRequest) -> Result<HttpAnswer, NetError>;
    /// Opens and closes a TCP connection. `host` may be a name or an address.
    fn connect(&self, host: &str, port: u16, timeout: Duration) -> Result<(), NetError>;
    /// True when nothing listens on this port of this machine.
    fn port_free(&self, address: SocketAddr) -> bool;
}

#[derive(Debug, Clone)]
pub struct HttpRequest {
    /// `http://host[:port]/path`
    pub url: String,
    /// Sent as `Host` instead of the one in `url`.
    pub host: Option<String>,
    /// For everything: name, connect, answer, body.
    pub timeout: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpAnswer {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// Lossy UTF-8, at most 64 KiB.
    pub body: String,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetError {
    #[error("connection refused")]
    Refused,
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    #[error("connection closed before an answer")]
    Closed,
    #[error("`{0}` does not resolve")]
    NoSuchHost(String),
    #[error("{0}")]
    Other(String),
}

/// Time.
pub trait Clock {
    /// Monotonic, from an arbitrary start.
    fn now(&self) -> Duration;
    fn wall(&self) -> SystemTime;
    /// Waits; returns early with `false` when an interrupt arrives (`true`: the whole time passed). One that is pending
    /// already leaves [`PENDING`] at the most. After [`Signals::acknowledge`] only a second interrupt ends it.
    fn pause(&self, time: Duration) -> bool;
}

/// So long a pause may last that begins while an interrupt is pending: whoever goes on all the same, because a reload that
/// was signalled must be known to be live or not, looks at its own pace and does not spin.
pub const PENDING: Duration = Duration::from_millis(25);

/// Ctrl-C and SIGTERM. SIGHUP and SIGPIPE never stop a run.
pub trait Signals {
    /// The interrupt that arrived, unless it is the first and was acknowledged.
    fn pending(&self) -> Option<Interrupt>;
    /// From here on the failure policy runs: only a second interrupt counts, whether the first has come by now or not.
    fn acknowledge(&self);
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interrupt {
    /// SIGINT: exit code 130.
    Int,
    /// SIGTERM: exit code 143.
    Term,
}

impl Output {
    pub fn success(&self) -> bool {
        self.status == Status::Exited(0)
    }
}

impl<'a> Command<'a> {
    /// Reads facts: one minute at most, interruptible, changes nothing.
    pub fn new(program: impl Into<String>, args: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            program: program.into(),
            args: args.into_iter().map(Into::into).collect(),
            env: Vec::new(),
            cwd: None,
            stdin: None,
            deadline: Duration::from_secs(60),
            interruptible: true,
            mutates: false,
            lock: None,
            on_line: None,
        }
    }

    /// As a person would type it, quoted where a shell would need it.
    pub fn display(&self) -> String {
        std::iter::once(&self.program)
            .chain(&self.args)
            .map(|word| quote(word))
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// Quotes a word for a POSIX shell, only where needed.
pub fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,+%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_string()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}
