//! A run of the real binary on a real engine, with all it did.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::account::Account;
use crate::common::{Action, Run, Running, Sandbox, Shim, get};
use crate::deeds::{Deeds, Files, is_own};

/// A run behind a shim: what it told and what it did.
pub struct Seen {
    pub events: Vec<Value>,
    pub deeds: String,
}

/// Runs zdt, which must end with this exit code.
#[track_caller]
pub fn run(sandbox: &Sandbox, args: &[&str], code: i32) -> Seen {
    let before = files(&sandbox.dir, &sandbox.dir);
    let shim = Shim::new(sandbox).keeping(&sandbox.dir);
    let run = start(sandbox, &shim, args).wait().exits(code);
    seen(sandbox, before, &shim, &run)
}

/// Runs zdt, which is killed just before the first call that matches a pattern of the shim's.
#[track_caller]
pub fn killed(sandbox: &Sandbox, args: &[&str], pattern: &str) -> Seen {
    let before = files(&sandbox.dir, &sandbox.dir);
    let shim = Shim::new(sandbox).keeping(&sandbox.dir);
    let shim = shim.on(pattern, 1, Action::kill_zdt_before());
    let run = start(sandbox, &shim, args).wait();
    assert_eq!(run.code, None, "it was not killed: {run:?}");
    seen(sandbox, before, &shim, &run)
}

fn start(sandbox: &Sandbox, shim: &Shim, args: &[&str]) -> Running {
    sandbox.start_behind(shim, &[args, &["--log", "json"]].concat())
}

fn seen(sandbox: &Sandbox, before: Files, shim: &Shim, run: &Run) -> Seen {
    let mut deeds = Deeds::from(before);
    for (at, line) in shim.calls().iter().enumerate() {
        if !only_looks(line) {
            deeds.command(line, files(&shim.found(at + 1), &sandbox.dir));
        }
    }
    let event = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    Seen {
        events: run.stdout.lines().map(event).collect(),
        deeds: deeds.end(files(&sandbox.dir, &sandbox.dir)),
    }
}

/// Calls that change nothing. One that is missing here shows up as a difference.
pub fn only_looks(line: &str) -> bool {
    let words: Vec<&str> = line.split(' ').collect();
    match words.as_slice() {
        ["docker", "logs", ..] | ["docker", "system", "dial-stdio"] => true,
        // A copy of the main file for a check of nginx; not a file that anybody reads later.
        ["docker", "cp", _, to] => to.ends_with(".zdt-next"),
        ["docker", "exec", _, "nginx", "-v" | "-t" | "-T", ..] => true,
        ["docker-compose", rest @ ..] => rest.contains(&"config") || rest.contains(&"version"),
        _ => false,
    }
}

/// The application's files in a folder, under the paths they have in the application's own.
fn files(folder: &Path, dir: &Path) -> Files {
    let mut found = Files::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).into_iter().flatten().flatten() {
            let path = entry.path();
            let place = dir.join(path.strip_prefix(folder).expect("it lies in the folder"));
            if path.is_dir() {
                folders.push(path);
            } else if is_own(dir, &place) {
                let content = std::fs::read(&path).expect("a file can be read");
                found.insert(place, String::from_utf8_lossy(&content).into_owned());
            }
        }
    }
    found
}

/// What there is to tell after a run.
pub fn account(sandbox: &Sandbox, seen: Seen) -> Account {
    let containers = sandbox.containers().into_iter().map(|fact| {
        let state = if fact.running { "running" } else { "stopped" };
        [fact.service, fact.name, fact.image, fact.image_id, state.to_string()]
    });
    let containers: Vec<[String; 5]> = containers.collect();
    Account {
        journal: journal(&sandbox.dir.join(".zdt/journal")),
        events: seen.events,
        deeds: seen.deeds,
        answers: answers(containers.len(), || get(&sandbox.url("/ping"))),
        containers,
        state: sandbox.read(".zdt/state.json"),
    }
}

/// The journal that was written to last.
fn journal(folder: &Path) -> String {
    let entries = std::fs::read_dir(folder).expect("journals are kept");
    let paths = entries.map(|entry| entry.expect("it can be listed").path());
    let written = |path: &PathBuf| std::fs::metadata(path).and_then(|meta| meta.modified()).ok();
    let newest = paths.max_by_key(written).expect("there is one");
    std::fs::read_to_string(newest).expect("a file can be read")
}

/// The different answers users get: every backend in traffic has its turn. Nobody answers without containers.
pub fn answers(containers: usize, ask: impl Fn() -> (u16, String)) -> Vec<String> {
    let all: BTreeSet<String> = (0..containers * 5)
        .map(|_| ask())
        .map(|(status, body)| format!("{status} {}", body.trim()))
        .collect();
    all.into_iter().collect()
}
