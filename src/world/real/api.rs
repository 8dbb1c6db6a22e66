//! The engine's HTTP API over `docker system dial-stdio`, which joins its standard input and output with the engine,
//! wherever the client's settings say that is: a socket here, `DOCKER_HOST`, a context, ssh, TLS. The `docker` client
//! itself reaches engines by ssh this way. One such child serves a whole run; when it or the engine has gone away in
//! between, the next question starts another. It ends with us: its standard input does.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use subprocess::Job;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport};
use ureq::{Agent, Error};

use super::Real;
use super::processes::start_on;
use super::signals::Interrupts;
use crate::world::{Api, ProcessError, Question, Reply};

/// How often a wait looks for an interrupt and its deadline.
const LOOK: Duration = Duration::from_millis(10);
/// So long the last words of a program that has ended are waited for.
const LINGER: Duration = Duration::from_secs(1);
/// An interrupt does not take away an answer that comes this soon: what was begun can be put in order.
const PATIENCE: Duration = Duration::from_secs(1);
/// More of an answer is not read.
const LONGEST: u64 = 16 * 1024 * 1024;

/// The agent that keeps the connection, with the program it uses.
#[derive(Debug, Default)]
pub(super) struct Line(Mutex<Option<(String, Agent)>>);

impl Api for Real {
    fn ask(&self, question: &Question<'_>) -> Result<Reply, ProcessError> {
        let number = match self.moment.known(question.docker, question.path) {
            Ok(reply) => return Ok(reply),
            Err(number) => number,
        };
        let reply = self.ask_now(question).map_err(|error| {
            self.hang_up();
            explain(error, question)
        })?;
        // A complaint is no fact: the next try may fare better.
        if matches!(reply.status, 200 | 404) {
            self.moment.keep(question.docker, question.path, &reply, number);
        }
        Ok(reply)
    }
}

impl Real {
    fn ask_now(&self, question: &Question<'_>) -> Result<Reply, Error> {
        let until = Instant::now() + question.deadline;
        let (agent, kept) = self.agent(question.docker);
        match get(&agent, question, until) {
            // The engine may have closed a kept connection at this very moment; a question can be asked again.
            Err(error) if kept && lost(&error) => {
                self.hang_up();
                get(&self.agent(question.docker).0, question, until)
            }
            other => other,
        }
    }

    /// The agent, and whether it was there before.
    fn agent(&self, docker: &str) -> (Agent, bool) {
        let mut line = self.line.0.lock().unwrap_or_else(PoisonError::into_inner);
        match line.as_ref() {
            Some((program, agent)) if program == docker => (agent.clone(), true),
            _ => {
                let config = Agent::config_builder()
                    .http_status_as_error(false)
                    .proxy(None)
                    .max_redirects(0)
                    .max_redirects_will_error(false)
                    .build();
                let connector = Dial {
                    docker: docker.to_string(),
                    interrupts: Arc::clone(&self.interrupts),
                };
                let agent = Agent::with_parts(config, connector, Nowhere);
                *line = Some((docker.to_string(), agent.clone()));
                (agent, false)
            }
        }
    }

    fn hang_up(&self) {
        *self.line.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

fn get(agent: &Agent, question: &Question<'_>, until: Instant) -> Result<Reply, Error> {
    let left = until.saturating_duration_since(Instant::now()).max(LOOK);
    // The host is only a word here: the connection is the child.
    let request = agent.get(format!("http://engine{}", question.path));
    let mut answer = request.config().timeout_global(Some(left)).build().call()?;
    let text = answer.body_mut().with_config().limit(LONGEST).read_to_string()?;
    let body = serde_json::from_str(&text).map_err(|error| Error::Other(Box::new(error)))?;
    Ok(Reply {
        status: answer.status().as_u16(),
        body: Arc::new(body),
    })
}

fn lost(error: &Error) -> bool {
    !matches!(error, Error::Timeout(_)) && !is_interrupt(error)
}

fn is_interrupt(error: &Error) -> bool {
    matches!(error, Error::Io(error) if error.kind() == ErrorKind::Interrupted)
}

fn interrupted(question: &Question<'_>) -> ProcessError {
    ProcessError::Interrupted {
        command: question.display(),
    }
}

fn explain(error: Error, question: &Question<'_>) -> ProcessError {
    match error {
        error if is_interrupt(&error) => interrupted(question),
        Error::Timeout(_) => ProcessError::Silent {
            question: question.display(),
            limit: question.deadline,
        },
        Error::Other(error) => match error.downcast::<ProcessError>() {
            Ok(error) => *error,
            Err(error) => no_answer(question, error.to_string()),
        },
        error => no_answer(question, error.to_string()),
    }
}

fn no_answer(question: &Question<'_>, said: String) -> ProcessError {
    let command = question.display();
    ProcessError::NoAnswer { command, said }
}

/// Opens connections: each is a child.
#[derive(Debug)]
struct Dial {
    docker: String,
    interrupts: Arc<Interrupts>,
}

impl Connector for Dial {
    type Out = Dialled;

    fn connect(&self, details: &ConnectionDetails, _: Option<()>) -> Result<Option<Dialled>, Error> {
        let (ours, theirs) = UnixStream::pair()?;
        ours.set_read_timeout(Some(LOOK))?;
        ours.set_write_timeout(Some(LOOK))?;
        let started = start_on(&self.docker, &["system", "dial-stdio"], theirs);
        let child = started.map_err(|error| Error::Other(Box::new(error)))?;
        let (input, output) = (details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Some(Dialled {
            socket: ours,
            child,
            buffers: LazyBuffers::new(input, output),
            docker: self.docker.clone(),
            interrupts: Arc::clone(&self.interrupts),
        }))
    }
}

/// A connection to the engine through a child.
struct Dialled {
    socket: UnixStream,
    child: Job,
    buffers: LazyBuffers,
    docker: String,
    interrupts: Arc<Interrupts>,
}

impl Dialled {
    /// Tries `io` until it moved some bytes, the time is over, or an interrupt came.
    fn attempt(
        &mut self,
        timeout: NextTimeout,
        mut io: impl FnMut(&mut Self) -> io::Result<usize>,
    ) -> Result<usize, Error> {
        let start = Instant::now();
        let until = start.checked_add(*timeout.after);
        loop {
            match io(self) {
                Ok(0) => return Err(self.ended()),
                Ok(count) => return Ok(count),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                // Broken, or reset: it ended before it read our question.
                Err(_) => return Err(self.ended()),
            }
            if self.interrupts.pending().is_some() && start.elapsed() >= PATIENCE {
                return Err(io::Error::from(ErrorKind::Interrupted).into());
            }
            if until.is_some_and(|until| Instant::now() >= until) {
                return Err(Error::Timeout(timeout.reason));
            }
        }
    }

    /// The child has ended: what it said about that.
    fn ended(&mut self) -> Error {
        let said = self.child.stderr.take().map(last_words).unwrap_or_default();
        Error::Other(Box::new(ProcessError::NoAnswer {
            command: format!("{} system dial-stdio", self.docker),
            said,
        }))
    }
}

/// What a program that has ended left in its pipe. One that it has started (an ssh that stays for the next connection)
/// can hold the pipe open for ever, so this ends a moment later at most.
fn last_words(mut stderr: File) -> String {
    let (sender, receiver) = mpsc::channel();
    let read = move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = stderr.read(&mut buffer) {
            if sender.send(buffer[..count].to_vec()).is_err() {
                break;
            }
        }
    };
    if thread::Builder::new().spawn(read).is_err() {
        return String::new();
    }
    let until = Instant::now() + LINGER;
    let mut said = Vec::new();
    while let Ok(bytes) = receiver.recv_timeout(until.saturating_duration_since(Instant::now())) {
        said.extend(bytes);
    }
    String::from_utf8_lossy(&said).into_owned()
}

impl Transport for Dialled {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let mut sent = 0;
        while sent < amount {
            sent += self.attempt(timeout, |line| line.socket.write(&line.buffers.output()[sent..amount]))?;
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let count = self.attempt(timeout, |line| {
            let buffer = line.buffers.input_append_buf();
            line.socket.read(buffer)
        })?;
        self.buffers.input_appended(count);
        Ok(true)
    }

    fn is_open(&mut self) -> bool {
        // Between answers the engine says nothing: what can be read is the end.
        let still = self.socket.set_nonblocking(true).is_ok()
            && matches!(self.socket.read(&mut [0]), Err(error) if error.kind() == ErrorKind::WouldBlock);
        still && self.socket.set_nonblocking(false).is_ok()
    }
}

impl Drop for Dialled {
    fn drop(&mut self) {
        let _ = self.socket.shutdown(std::net::Shutdown::Both);
        let group = i32::try_from(self.child.pid()).ok().and_then(Pid::from_raw);
        if let Some(group) = group {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

impl std::fmt::Debug for Dialled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dialled")
            .field("docker", &self.docker)
            .finish_non_exhaustive()
    }
}

/// There is no address to look up.
#[derive(Debug)]
struct Nowhere;

impl Resolver for Nowhere {
    fn resolve(&self, _: &Uri, _: &ureq::config::Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let mut addresses = self.empty();
        addresses.push(([0, 0, 0, 0], 0).into());
        Ok(addresses)
    }
}
