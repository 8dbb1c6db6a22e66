//! Programs of the simulated machine: docker, compose, and those that somebody described.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use super::docker::{self, Played};
use super::engine::Failure;
use super::faults::{Hit, Kind};
use super::state::State;
use super::{Simulated, compose};
use crate::world::{Command, Output, ProcessError, Processes, Status};

/// Which of the played programs a command line is for.
enum Program<'a> {
    Docker(&'a [String]),
    Compose(&'a [String]),
    Other,
}

fn program<'a>(command: &'a Command<'_>) -> Program<'a> {
    let name = Path::new(&command.program).file_name().unwrap_or_default();
    match (name.to_str(), command.args.as_slice()) {
        (Some("docker"), [first, rest @ ..]) if first == "compose" => Program::Compose(rest),
        (Some("docker"), args) => Program::Docker(args),
        (Some(name), args) if name.starts_with("docker-compose") => Program::Compose(args),
        _ => Program::Other,
    }
}

impl Processes for Simulated {
    fn run(&self, command: &Command<'_>) -> Result<Output, ProcessError> {
        let mutates = command.mutates
            || match program(command) {
                Program::Docker(args) => docker::changes(args),
                Program::Compose(args) => compose::changes(args),
                Program::Other => false,
            };
        let mut state = self.lock();
        state.planned_interrupts();
        let hit = state.call(Kind::Run { mutates }, || command.display(), None);
        let called_off = match command.interruptible {
            true => state.interrupts.pending().is_some(),
            false => state.interrupts.arrived >= 2,
        };
        let interrupted = || ProcessError::Interrupted {
            command: command.display(),
        };
        let result = match hit {
            Hit::Crash { events, .. } => {
                state.budget = Some(events);
                if events > 0 {
                    let _ = play(&mut state, command);
                }
                state.budget = None;
                state.faults.die();
                drop(state);
                self.crash();
                return Err(interrupted());
            }
            _ if called_off => return Err(interrupted()),
            Hit::Error => Ok(simulated_fault()),
            Hit::Hang => {
                state.spend(command.deadline);
                Err(ProcessError::TimedOut {
                    command: command.display(),
                    limit: command.deadline,
                })
            }
            Hit::ErrorAfter => {
                play(&mut state, command)?;
                Ok(simulated_fault())
            }
            Hit::None | Hit::Interrupt => play(&mut state, command),
        };
        // Whoever listens may ask the world something.
        drop(state);
        if let (Ok(output), Some(on_line)) = (&result, command.on_line) {
            output.stderr.lines().chain(output.stdout.lines()).for_each(on_line);
        }
        result
    }

    fn env(&self, name: &str) -> Option<OsString> {
        self.lock().settings.env.get(name).map(OsString::from)
    }

    fn title(&self, pid: u32) -> Option<String> {
        Some(self.process(pid)?.1)
    }

    fn age(&self, pid: u32) -> Option<Duration> {
        Some(self.process(pid)?.2)
    }

    fn members(&self, container: &str, first: u32) -> Option<Vec<u32>> {
        let state = self.lock();
        let found = &state.engine.containers[state.engine.find(container)?];
        let here = state.settings.local && found.running() && found.pid == first;
        here.then(|| found.processes(state.now).into_iter().map(|(pid, ..)| pid).collect())
    }
}

impl Simulated {
    /// A process of this machine.
    fn process(&self, pid: u32) -> Option<(u32, String, Duration)> {
        let state = self.lock();
        let containers = state.engine.containers.iter().filter(|container| container.running());
        let mut processes = containers.flat_map(|container| container.processes(state.now));
        processes.find(|(own, ..)| *own == pid && state.settings.local)
    }
}

fn simulated_fault() -> Output {
    Output {
        status: Status::Exited(1),
        stdout: String::new(),
        stderr: "simulated fault\n".into(),
    }
}

fn play(state: &mut State, command: &Command<'_>) -> Result<Output, ProcessError> {
    state.told.clear();
    let played = match program(command) {
        Program::Docker(args) => docker::run(state, args),
        Program::Compose(args) => compose::run(state, args, command.cwd.clone(), &command.env),
        Program::Other => return other(state, command),
    };
    Ok(output(played))
}

fn output(played: Played) -> Output {
    let (status, stdout, stderr) = match played {
        Ok(said) => (0, said.stdout, said.stderr),
        Err(Failure::Exit { code, stdout, stderr }) => (code, stdout, stderr),
        Err(Failure::Crashed) => (137, String::new(), String::new()),
    };
    Output {
        status: Status::Exited(status),
        stdout,
        stderr,
    }
}

fn other(state: &State, command: &Command<'_>) -> Result<Output, ProcessError> {
    let described = state
        .programs
        .get(&command.display())
        .or_else(|| state.programs.get(&command.program));
    match described {
        Some(output) => Ok(output.clone()),
        None if state.settings.play_anything => Ok(Output {
            status: Status::Exited(0),
            stdout: String::new(),
            stderr: String::new(),
        }),
        None => Ok(Output {
            status: Status::Exited(125),
            stdout: String::new(),
            stderr: format!("simulated world: cannot play `{}`\n", command.display()),
        }),
    }
}

/// A command of somebody else.
pub(super) fn someone(state: &mut State, command: &Command<'_>) -> Output {
    play(state, command).unwrap_or_else(|_| simulated_fault())
}
