//! `docker compose …` and `docker-compose …` command lines, played on the simulated engine.

mod networks;
mod normal;
mod print;
mod project;
mod spec;
mod up;
pub(super) mod value;
mod yaml;

use std::path::PathBuf;
use std::time::Duration;

use normal::text;
use print::{config, ps, version};
pub(super) use project::own_hashes;
use project::{Location, Project};
use up::{Options, of_service, progress, up};

use super::docker::{Played, Said, exec};
use super::engine::Failure;
use super::state::State;

fn cannot_play(what: &str) -> Failure {
    Failure::exit(125, format!("simulated compose: cannot play `{what}`\n"))
}

/// Whether a compose command line changes something.
pub(super) fn changes(args: &[String]) -> bool {
    let mut rest = args.iter().map(String::as_str);
    while let Some(word) = rest.next() {
        match word {
            "-p"
            | "--project-name"
            | "-f"
            | "--file"
            | "--project-directory"
            | "--env-file"
            | "--progress"
            | "--ansi"
            | "--profile" => drop(rest.next()),
            word if word.starts_with('-') => {}
            "config" | "version" | "ps" | "ls" | "images" | "logs" | "top" | "port" => {
                return false;
            }
            _ => return true,
        }
    }
    false
}

/// Plays one command line. `cwd` and `env` are those of the command.
pub(super) fn run(state: &mut State, args: &[String], cwd: Option<PathBuf>, env: &[(String, String)]) -> Played {
    state.spend(Duration::from_millis(100));
    let mut at = Location {
        cwd: cwd.unwrap_or_else(|| "/".into()),
        env: env.iter().cloned().collect(),
        ..Location::default()
    };
    let mut rest = args.iter().map(String::as_str);
    let command = loop {
        let Some(word) = rest.next() else {
            return Err(cannot_play("nothing"));
        };
        let (name, inline) = match word.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(value)),
            _ => (word, None),
        };
        if !name.starts_with('-') {
            break name;
        }
        let value = inline.or_else(|| rest.next()).unwrap_or_default();
        match name {
            "-p" | "--project-name" => at.name = Some(value.to_string()),
            "-f" | "--file" => at.files.push(value.into()),
            "--project-directory" => at.folder = Some(value.into()),
            "--env-file" => at.env_files.push(value.into()),
            "--progress" | "--ansi" => {}
            other => return Err(cannot_play(other)),
        }
    };
    let v1 = state.settings.compose.starts_with("1.");
    let rest: Vec<&str> = rest.collect();
    if command == "version" {
        return Ok(version(&state.settings.compose, v1, &rest));
    }
    let project = Project::load(state, at)?;
    match command {
        "config" => config(state, &project, v1, &rest),
        "up" | "create" => {
            let mut options = Options {
                v1,
                no_start: command == "create",
                ..Options::default()
            };
            let mut words = rest.into_iter();
            while let Some(word) = words.next() {
                match word {
                    "-d" | "--detach" | "--no-build" | "--quiet-pull" | "--no-color" | "-y" | "--remove-orphans" => {}
                    "--no-deps" => options.no_deps = true,
                    "--force-recreate" => options.force = true,
                    "--no-recreate" => options.no_recreate = true,
                    "--no-start" => options.no_start = true,
                    "--wait" => options.wait = true,
                    "--pull" => options.pull = words.next().unwrap_or_default(),
                    "--wait-timeout" | "-t" | "--timeout" => drop(words.next()),
                    word if word.starts_with("--pull=") => options.pull = &word[7..],
                    word if word.starts_with('-') => {
                        return Err(cannot_play(&format!("up {word}")));
                    }
                    service => options.services.push(service),
                }
            }
            up(state, &project, &options)
        }
        "stop" | "start" | "restart" | "rm" | "kill" => containers(state, &project, command, &rest),
        "pull" => {
            let names: Vec<&str> = rest.into_iter().filter(|word| !word.starts_with('-')).collect();
            let chosen = project
                .services()
                .filter(|(name, _)| names.is_empty() || names.contains(&name.as_str()));
            for (_, service) in chosen {
                state.pull(&text(&service["image"]))?;
            }
            Ok(Said::default())
        }
        "down" => down(state, &project, &rest),
        "ps" => ps(state, &project, &rest),
        "exec" => {
            let start = rest
                .iter()
                .position(|word| !word.starts_with('-'))
                .unwrap_or(rest.len());
            let Some(service) = rest.get(start) else {
                return Err(cannot_play("exec"));
            };
            project.service(service)?;
            let argv: Vec<String> = rest[start + 1..].iter().map(|word| word.to_string()).collect();
            let running = of_service(state, &project.name, service);
            let running = running
                .into_iter()
                .find(|index| state.engine.containers[*index].running());
            match running.map(|index| state.engine.containers[index].id.clone()) {
                Some(id) => exec(state, &id, &argv),
                None => Err(Failure::exit(1, format!("service \"{service}\" is not running\n"))),
            }
        }
        other => Err(cannot_play(other)),
    }
}

fn containers(state: &mut State, project: &Project, command: &str, args: &[&str]) -> Played {
    let mut names = Vec::new();
    let (mut stop, mut signal) = (false, "KILL");
    let mut words = args.iter().copied();
    while let Some(word) = words.next() {
        match word {
            "-t" | "--timeout" => drop(words.next()),
            "-s" if command == "kill" => signal = words.next().unwrap_or_default(),
            "-s" | "--stop" | "-fs" | "-sf" | "-sfv" | "-fsv" => stop = true,
            "-f" | "--force" | "-v" | "--no-deps" => {}
            word if word.starts_with('-') => return Err(cannot_play(&format!("{command} {word}"))),
            name => {
                project.service(name)?;
                names.push(name);
            }
        }
    }
    let mut said = Said::default();
    let chosen = project
        .services()
        .filter(|(name, _)| names.is_empty() || names.contains(&name.as_str()));
    for (service, _) in chosen {
        let all = of_service(state, &project.name, service);
        let ids: Vec<String> = all
            .into_iter()
            .map(|index| state.engine.containers[index].id.clone())
            .collect();
        if ids.is_empty() && matches!(command, "start" | "restart") {
            return Err(Failure::exit(
                1,
                format!("service \"{service}\" has no container to start\n"),
            ));
        }
        for id in ids {
            let Some(index) = state.engine.find(&id) else {
                continue;
            };
            let name = state.engine.containers[index].name.clone();
            let done = match command {
                "stop" => state.stop(index).map(|()| "Stopped")?,
                "start" => state.start(index).map(|()| "Started")?,
                "restart" => {
                    state.stop(index)?;
                    state.start(index).map(|()| "Started")?
                }
                "kill" => {
                    let args = ["kill", "-s", signal, &id].map(String::from);
                    super::docker::run(state, &args)?;
                    "Killed"
                }
                _ => {
                    if stop {
                        state.stop(index)?;
                    }
                    if state.engine.containers[index].running() {
                        continue;
                    }
                    state.remove(index).map(|()| "Removed")?
                }
            };
            progress(&mut said, "Container", &name, done);
        }
    }
    Ok(said)
}

fn down(state: &mut State, project: &Project, args: &[&str]) -> Played {
    let mut said = Said::default();
    if let Some(word) = args
        .iter()
        .find(|word| !matches!(**word, "-v" | "--volumes" | "--remove-orphans"))
    {
        return Err(cannot_play(&format!("down {word}")));
    }
    let belongs = |state: &State| {
        let mut all = state.engine.containers.iter();
        all.position(|container| container.label("com.docker.compose.project") == project.name)
    };
    while let Some(index) = belongs(state) {
        let name = state.engine.containers[index].name.clone();
        state.stop(index)?;
        state.remove(index)?;
        progress(&mut said, "Container", &name, "Removed");
    }
    for (key, _) in project.model["networks"].as_object().into_iter().flatten() {
        let name = project.named("networks", key);
        if state.engine.networks.iter().any(|network| network.name == name) {
            state.event(|| format!("removed network `{name}`"))?;
            state.engine.networks.retain(|network| network.name != name);
            progress(&mut said, "Network", &name, "Removed");
        }
    }
    Ok(said)
}
