//! Runs programs: each in a process group of its own, with a deadline, its output read as it comes.
//!
//! Three threads a child (one a stream, one that waits for its end) send to one channel, which [`run`] reads. So the end
//! of the child is seen at once, a full pipe never blocks it, and a grandchild that keeps a pipe open costs a second,
//! not for ever: the thread that reads from it is left behind and ends with it.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use subprocess::{Exec, ExecExt, ExitStatus, Job, Redirection};

use super::Real;
use super::cgroup;
use super::signals::Interrupts;
use super::tail::Tail;
use crate::world::{Command, Output, ProcessError, Processes, Status};

/// Between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_secs(2);
/// How long a pipe may stay open after the child itself has ended (a grandchild holds it).
const PIPE_LINGER: Duration = Duration::from_secs(1);
/// How long the kernel may take to end a killed child (it may hang in a dead file system).
const KILL_LINGER: Duration = Duration::from_secs(5);
/// How often a wait looks for an interrupt, soon enough for a person. The end of the child does not wait for this.
const LOOK: Duration = Duration::from_millis(50);

enum Event {
    Bytes(Stream, Vec<u8>),
    End,
    Exited(io::Result<ExitStatus>),
}

#[derive(Clone, Copy)]
enum Stream {
    Out,
    Err,
}

/// Why a child is being stopped.
#[derive(Clone, Copy)]
enum Reason {
    Deadline,
    Interrupt,
}

impl Processes for Real {
    fn run(&self, command: &Command<'_>) -> Result<Output, ProcessError> {
        if called_off(&self.interrupts, command) {
            return Err(interrupted(command));
        }
        let job = start(command)?;
        self.moment.over();
        let output = Watch::new(&self.interrupts, command, job).and_then(Watch::finish);
        self.moment.over();
        output
    }

    fn env(&self, name: &str) -> Option<OsString> {
        std::env::var_os(name)
    }

    fn title(&self, pid: u32) -> Option<String> {
        let raw = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let title = String::from_utf8_lossy(&raw).replace('\0', " ");
        // A zombie has no command line left: it has ended.
        Some(title.trim().to_string()).filter(|title| !title.is_empty())
    }

    fn age(&self, pid: u32) -> Option<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name in the second field may hold anything, blanks and brackets too.
        let after_name = &stat[stat.rfind(')')? + 1..];
        let ticks: u64 = after_name.split_whitespace().nth(19)?.parse().ok()?;
        let second = rustix::param::clock_ticks_per_second();
        let started = Duration::from_millis(ticks * 1000 / second);
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        let now = Duration::new(now.tv_sec.try_into().ok()?, now.tv_nsec.try_into().ok()?);
        Some(now.saturating_sub(started))
    }

    fn members(&self, container: &str, first: u32) -> Option<Vec<u32>> {
        cgroup::members(container, first)
    }
}

fn start(command: &Command<'_>) -> Result<Job, ProcessError> {
    let io_error = |source| ProcessError::Io {
        program: command.program.clone(),
        source,
    };
    let lock = command.lock.and_then(|lock| lock.file.as_ref());
    let stdin = match (lock, &command.stdin) {
        (Some(_), Some(_)) => {
            let text = "a command that keeps the lock has no standard input of its own";
            return Err(io_error(io::Error::new(io::ErrorKind::InvalidInput, text)));
        }
        (Some(lock), None) => Redirection::File(lock.try_clone().map_err(io_error)?),
        (None, Some(_)) => Redirection::Pipe,
        (None, None) => Redirection::Null,
    };
    let mut exec = Exec::cmd(&command.program)
        .args(&command.args)
        .stdin(stdin)
        .stdout(Redirection::Pipe)
        .stderr(Redirection::Pipe)
        .setpgid()
        .detached();
    if !command.env.is_empty() {
        exec = exec.env_extend(command.env.iter().map(|(name, value)| (name, value)));
    }
    if let Some(cwd) = &command.cwd {
        exec = exec.cwd(cwd);
    }
    launch(exec, command)
}

/// Starts a program whose standard input and output are one socket. Its messages come by a pipe (`Job::stderr`).
pub(super) fn start_on(program: &str, args: &[&str], socket: UnixStream) -> Result<Job, ProcessError> {
    let command = Command::new(program, args.iter().copied());
    let io_error = |source| ProcessError::Io {
        program: program.to_string(),
        source,
    };
    let input = OwnedFd::from(socket.try_clone().map_err(io_error)?);
    let exec = Exec::cmd(program)
        .args(args)
        .stdin(Redirection::File(input.into()))
        .stdout(Redirection::File(OwnedFd::from(socket).into()))
        .stderr(Redirection::Pipe)
        .setpgid()
        .detached();
    launch(exec, &command)
}

fn launch(exec: Exec, command: &Command<'_>) -> Result<Job, ProcessError> {
    exec.start().map_err(|source| match missing(command) {
        true => ProcessError::NotFound {
            program: command.program.clone(),
        },
        false => ProcessError::Io {
            program: command.program.clone(),
            source,
        },
    })
}

/// Whether a start failed because there is no such program: the error itself may come from the last folder on PATH
/// or from a missing working folder.
fn missing(command: &Command<'_>) -> bool {
    if command.cwd.as_ref().is_some_and(|cwd| !cwd.is_dir()) {
        return false;
    }
    if command.program.contains('/') {
        return !Path::new(&command.program).exists();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    !std::env::split_paths(&path).any(|folder| folder.join(&command.program).is_file())
}

/// Whether an interrupt ends the wait for this command.
fn called_off(interrupts: &Interrupts, command: &Command<'_>) -> bool {
    match command.interruptible {
        true => interrupts.pending().is_some(),
        false => interrupts.second(),
    }
}

fn interrupted(command: &Command<'_>) -> ProcessError {
    ProcessError::Interrupted {
        command: command.display(),
    }
}

/// A child that runs, and what came from it so far.
struct Watch<'a> {
    interrupts: &'a Interrupts,
    command: &'a Command<'a>,
    group: Option<Pid>,
    events: Receiver<Event>,
    out: Tail,
    err: Tail,
    open: usize,
    exited: Option<ExitStatus>,
}

impl<'a> Watch<'a> {
    fn new(interrupts: &'a Interrupts, command: &'a Command<'a>, mut job: Job) -> Result<Self, ProcessError> {
        let (sender, events) = sync_channel(32);
        let group = i32::try_from(job.pid()).ok().and_then(Pid::from_raw);
        let watch = Self {
            interrupts,
            command,
            group,
            events,
            out: Tail::default(),
            err: Tail::default(),
            open: 2,
            exited: None,
        };
        let started = threads(&mut job, command.stdin.clone(), &sender);
        started.map_err(|source| {
            watch.signal(Signal::KILL);
            watch.io_error(source)
        })?;
        Ok(watch)
    }

    fn finish(mut self) -> Result<Output, ProcessError> {
        let deadline = Instant::now() + self.command.deadline.min(Duration::from_secs(86_400 * 365));
        let reason = loop {
            if self.take(LOOK.min(until(deadline)))? {
                return self.output();
            }
            if self.exited.is_some() {
                self.drain(PIPE_LINGER)?;
                return self.output();
            }
            if called_off(self.interrupts, self.command) {
                if !self.command.interruptible {
                    // It goes on without us, and keeps the lock until it has ended.
                    return Err(interrupted(self.command));
                }
                break Reason::Interrupt;
            }
            if until(deadline).is_zero() {
                break Reason::Deadline;
            }
        };
        self.stop()?;
        Err(match reason {
            Reason::Interrupt => interrupted(self.command),
            Reason::Deadline => ProcessError::TimedOut {
                command: self.command.display(),
                limit: self.command.deadline,
            },
        })
    }

    /// Asks the group to end, then makes it.
    fn stop(&mut self) -> Result<(), ProcessError> {
        self.signal(Signal::TERM);
        if !self.drain(GRACE)? {
            self.signal(Signal::KILL);
            let linger = if self.exited.is_some() {
                PIPE_LINGER
            } else {
                KILL_LINGER
            };
            self.drain(linger)?;
        }
        Ok(())
    }

    /// Takes events until everything ended (`true`) or `time` has passed.
    fn drain(&mut self, time: Duration) -> Result<bool, ProcessError> {
        let limit = Instant::now() + time;
        loop {
            if self.take(until(limit))? {
                return Ok(true);
            }
            if until(limit).is_zero() {
                return Ok(false);
            }
        }
    }

    /// Waits for one event; `true` when there is none left to come.
    fn take(&mut self, time: Duration) -> Result<bool, ProcessError> {
        if self.ended() {
            return Ok(true);
        }
        match self.events.recv_timeout(time) {
            Ok(Event::Bytes(Stream::Out, bytes)) => self.out.push(&bytes, self.command.on_line),
            Ok(Event::Bytes(Stream::Err, bytes)) => self.err.push(&bytes, self.command.on_line),
            Ok(Event::End) => self.open = self.open.saturating_sub(1),
            Ok(Event::Exited(status)) => self.exited = Some(status.map_err(|source| self.io_error(source))?),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                return Err(self.io_error(io::Error::other("its end was not seen")));
            }
        }
        Ok(self.ended())
    }

    fn ended(&self) -> bool {
        self.open == 0 && self.exited.is_some()
    }

    fn output(self) -> Result<Output, ProcessError> {
        let status = self.exited.and_then(|exited| match (exited.code(), exited.signal()) {
            (Some(code), _) => Some(Status::Exited(code as i32)),
            (None, Some(signal)) => Some(Status::Signalled(signal)),
            (None, None) => None,
        });
        let Some(status) = status else {
            return Err(self.io_error(io::Error::other("its exit status is not known")));
        };
        Ok(Output {
            status,
            stdout: self.out.finish(self.command.on_line),
            stderr: self.err.finish(self.command.on_line),
        })
    }

    fn signal(&self, signal: Signal) {
        // The group may be gone already; then there is nothing to stop.
        if let Some(group) = self.group {
            let _ = kill_process_group(group, signal);
        }
    }

    fn io_error(&self, source: io::Error) -> ProcessError {
        ProcessError::Io {
            program: self.command.program.clone(),
            source,
        }
    }
}

fn until(limit: Instant) -> Duration {
    limit.saturating_duration_since(Instant::now())
}

/// Starts the threads around a child. They end when the child and its pipes do, whoever still listens.
fn threads(job: &mut Job, input: Option<Vec<u8>>, events: &SyncSender<Event>) -> io::Result<()> {
    if let Some(process) = job.processes.first().cloned() {
        let events = events.clone();
        spawn(move || {
            let _ = events.send(Event::Exited(process.wait()));
        })?;
    }
    for (pipe, stream) in [(job.stdout.take(), Stream::Out), (job.stderr.take(), Stream::Err)] {
        let events = events.clone();
        spawn(move || read(pipe, stream, &events))?;
    }
    if let (Some(mut pipe), Some(input)) = (job.stdin.take(), input) {
        // A child that does not read its input is no error.
        spawn(move || drop(pipe.write_all(&input)))?;
    }
    Ok(())
}

fn spawn(work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let builder = thread::Builder::new().name("child".into()).stack_size(128 * 1024);
    builder.spawn(work).map(drop)
}

fn read(pipe: Option<File>, stream: Stream, events: &SyncSender<Event>) {
    if let Some(mut pipe) = pipe {
        let mut buffer = vec![0; 32 * 1024];
        loop {
            match pipe.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) if events.send(Event::Bytes(stream, buffer[..n].to_vec())).is_err() => {
                    return;
                }
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
    }
    let _ = events.send(Event::End);
}
