//! `docker …` command lines, played on the simulated engine.

mod args;
mod change;

use std::time::Duration;

use args::{Args, word};
use change::{copy, kill, remove, tag, untag, update};

use crate::world::simulated::engine::Failure;
use crate::world::simulated::image::full;
use crate::world::simulated::nginx::cli;
use crate::world::simulated::nginx::inside::Inside;
use crate::world::simulated::nginx::model::View;
use crate::world::simulated::state::State;

/// What a command printed when it succeeded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::world::simulated) struct Said {
    pub stdout: String,
    pub stderr: String,
}

pub(in crate::world::simulated) type Played = Result<Said, Failure>;

impl Said {
    pub(in crate::world::simulated) fn out(stdout: impl Into<String>) -> Self {
        Self {
            stdout: stdout.into(),
            stderr: String::new(),
        }
    }

    pub(in crate::world::simulated) fn err(stderr: impl Into<String>) -> Self {
        Self {
            stdout: String::new(),
            stderr: stderr.into(),
        }
    }
}

/// A gap in the play is an error of its own, so that it is noticed.
pub(in crate::world::simulated) fn cannot_play(what: &str) -> Failure {
    Failure::exit(125, format!("simulated docker: cannot play `{what}`\n"))
}

/// Whether a docker command line changes something.
pub(in crate::world::simulated) fn changes(args: &[String]) -> bool {
    let word = |at: usize| args.get(at).map_or("", String::as_str);
    match word(0) {
        "pull" | "tag" | "rmi" | "cp" | "kill" | "stop" | "start" | "restart" | "rm" | "update" | "rename" => true,
        "exec" => args.iter().any(|arg| arg == "-s"),
        "image" | "container" => changes(&args[1..]),
        "network" | "volume" => matches!(word(1), "create" | "rm"),
        _ => false,
    }
}

/// Plays one command line.
pub(in crate::world::simulated) fn run(state: &mut State, args: &[String]) -> Played {
    let command = args.first().map_or("", String::as_str);
    state.spend(Duration::from_millis(if command == "exec" { 70 } else { 10 }));
    let (command, rest) = match (command, args.get(1).map_or("", String::as_str)) {
        ("image", "rm") => ("rmi", &args[1..]),
        ("image", sub @ ("pull" | "tag")) => (sub, &args[1..]),
        ("container", sub) => (sub, &args[1..]),
        (command, _) => (command, args),
    };
    let stop_at = if command == "exec" { 2 } else { usize::MAX };
    // The command's own name stays in front, so that `-f` is understood.
    let mut parsed = Args::parse(rest, stop_at)?;
    if parsed.words.is_empty() {
        return Err(cannot_play("nothing"));
    }
    parsed.words.remove(0);
    let args = &parsed;
    match command {
        "pull" => {
            let reference = word(args, 0);
            state.pull(reference)?;
            let name = full(reference);
            Ok(Said::out(match args.has(&["-q", "--quiet"]) {
                true => format!("{name}\n"),
                false => format!("Status: Downloaded newer image for {name}\n{name}\n"),
            }))
        }
        "tag" => tag(state, word(args, 0), word(args, 1)),
        "rmi" => untag(state, args),
        "exec" => exec(state, word(args, 0), &rest[rest.len() - (args.words.len() - 1)..]),
        "cp" => copy(state, word(args, 0), word(args, 1)),
        "logs" => logs(state, args),
        "kill" => each(state, args, |state, index| {
            kill(state, index, args.get(&["-s", "--signal"]).unwrap_or("KILL"))
        }),
        "stop" => each(state, args, State::stop),
        "start" => each(state, args, |state, index| {
            state.engine.containers[index].restarts = 0;
            state.start(index)
        }),
        "restart" => each(state, args, |state, index| {
            state.stop(index)?;
            state.start(index)
        }),
        "rm" => remove(state, args),
        "rename" => {
            let index = find(state, word(args, 0))?;
            state.rename(index, word(args, 1))?;
            Ok(Said::default())
        }
        "update" => each(state, args, |state, index| update(state, index, args)),
        "volume" if word(args, 0) == "ls" => Ok(Said::out(
            state
                .engine
                .volumes
                .iter()
                .map(|name| format!("{name}\n"))
                .collect::<String>(),
        )),
        other => Err(cannot_play(other)),
    }
}

pub(in crate::world::simulated) fn find(state: &State, wanted: &str) -> Result<usize, Failure> {
    let found = state.engine.find(wanted);
    found.ok_or_else(|| Failure::daemon(format!("No such container: {wanted}")))
}

/// Does it to each, prints its name, and goes on after a failure as docker does.
fn each(state: &mut State, args: &Args<'_>, work: impl Fn(&mut State, usize) -> Result<(), Failure>) -> Played {
    let mut said = Said::default();
    let mut failed = false;
    for name in &args.words {
        match find(state, name).and_then(|index| work(state, index)) {
            Ok(()) => said.stdout.push_str(&format!("{name}\n")),
            Err(Failure::Exit { stderr, .. }) => {
                failed = true;
                said.stderr.push_str(&stderr);
            }
            Err(Failure::Crashed) => return Err(Failure::Crashed),
        }
    }
    match failed {
        true => Err(Failure::Exit {
            code: 1,
            stdout: said.stdout,
            stderr: said.stderr,
        }),
        false => Ok(said),
    }
}

fn running(state: &State, wanted: &str) -> Result<usize, Failure> {
    let index = find(state, wanted)?;
    let container = &state.engine.containers[index];
    match container.running() {
        true => Ok(index),
        false => Err(Failure::daemon(format!("Container {} is not running", container.id))),
    }
}

pub(in crate::world::simulated) fn exec(state: &mut State, wanted: &str, argv: &[String]) -> Played {
    let index = running(state, wanted)?;
    let words: Vec<&str> = argv.iter().map(String::as_str).collect();
    match words.as_slice() {
        [program, ..] if program.rsplit('/').next() == Some("nginx") => cli::run(state, index, &argv[1..]),
        ["cat", files @ ..] => {
            let inside = Inside::new(&state.files, &state.engine, index);
            let mut said = Said::default();
            for file in files {
                match inside.read(file) {
                    Some(content) => said.stdout.push_str(&String::from_utf8_lossy(&content)),
                    None => {
                        return Err(Failure::exit(
                            1,
                            format!("cat: can't open '{file}': No such file or directory\n"),
                        ));
                    }
                }
            }
            Ok(said)
        }
        ["true" | ":"] => Ok(Said::default()),
        ["false"] => Err(Failure::exit(1, String::new())),
        _ if state.settings.play_anything => Ok(Said::default()),
        _ => Err(cannot_play(&format!("exec {}", words.join(" ")))),
    }
}

/// An app's last words and nginx's error log are both on standard error.
fn logs(state: &State, args: &Args<'_>) -> Played {
    let log = &state.engine.containers[find(state, word(args, 0))?].log;
    let tail = args
        .get(&["--tail", "-n"])
        .and_then(|count| count.parse().ok())
        .unwrap_or(usize::MAX);
    let lines = &log[log.len().saturating_sub(tail)..];
    Ok(Said::err(
        lines.iter().map(|line| format!("{line}\n")).collect::<String>(),
    ))
}
