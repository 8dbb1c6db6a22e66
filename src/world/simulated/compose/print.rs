//! `config`, `ps` and `version`: commands that only look.

use serde_json::json;

use super::cannot_play;
use super::normal::text;
use super::project::Project;
use crate::world::simulated::docker::{Played, Said};
use crate::world::simulated::engine::Failure;
use crate::world::simulated::state::State;

pub(super) fn version(number: &str, v1: bool, args: &[&str]) -> Said {
    Said::out(
        match (
            args.contains(&"--short"),
            args.iter().any(|word| word.ends_with("json")),
            v1,
        ) {
            (true, ..) => format!("{number}\n"),
            (_, true, false) => format!("{}\n", json!({ "version": number })),
            (.., true) => format!("docker-compose version {number}, build unknown\n"),
            (.., false) => format!("Docker Compose version v{number}\n"),
        },
    )
}

pub(super) fn config(state: &State, project: &Project, v1: bool, args: &[&str]) -> Played {
    let mut words = args.iter().copied();
    let (mut quiet, mut json, mut hash, mut services, mut images) = (false, false, None, false, false);
    let mut names = Vec::new();
    while let Some(word) = words.next() {
        match word {
            "-q" | "--quiet" => quiet = true,
            "--format" => json = words.next() == Some("json"),
            "--format=json" => json = true,
            "--hash" => hash = words.next(),
            "--services" => services = true,
            "--images" => images = true,
            "--no-interpolate" => return Err(cannot_play("config --no-interpolate")),
            word if word.starts_with("--hash=") => hash = Some(&word[7..]),
            word if word.starts_with('-') => return Err(cannot_play(&format!("config {word}"))),
            name => names.push(name),
        }
    }
    let lines = |line: &dyn Fn(&String) -> String| {
        project
            .services()
            .map(|(name, _)| line(name) + "\n")
            .collect::<String>()
    };
    Ok(Said::out(match hash {
        _ if quiet => String::new(),
        Some(wanted) => {
            let listed: Vec<&str> = wanted.split(',').collect();
            let chosen = project
                .services()
                .filter(|(name, _)| wanted == "*" || listed.contains(&name.as_str()));
            chosen
                .map(|(name, _)| format!("{name} {}\n", project.hash(state, name)))
                .collect()
        }
        None if services => lines(&|name| name.clone()),
        None if images => lines(&|name| text(&project.model["services"][name]["image"])),
        None if json && v1 => {
            return Err(Failure::exit(1, "Show this help message and exit\n".into()));
        }
        // JSON is YAML as well, so it serves where compose would print YAML.
        None => {
            for name in names {
                project.service(name)?;
            }
            format!("{:#}\n", project.model)
        }
    }))
}

pub(super) fn ps(state: &State, project: &Project, args: &[&str]) -> Played {
    let all = args.iter().any(|word| matches!(*word, "-a" | "--all" | "-aq" | "-qa"));
    let mut lines = String::new();
    for container in &state.engine.containers {
        if container.label("com.docker.compose.project") != project.name || !(all || container.running()) {
            continue;
        }
        let service = container.service();
        let wanted: Vec<&&str> = args
            .iter()
            .filter(|word| !word.starts_with('-') && **word != "json")
            .collect();
        if !wanted.is_empty() && !wanted.iter().any(|word| **word == service) {
            continue;
        }
        if args
            .iter()
            .any(|word| matches!(*word, "-q" | "-aq" | "-qa" | "--quiet"))
        {
            lines.push_str(&format!("{}\n", container.id));
        } else {
            let state = if container.running() { "running" } else { "exited" };
            let row = json!({
                "ID": &container.id[..12], "Name": container.name, "Service": service, "State": state,
                "Image": container.spec.image, "Project": project.name, "ExitCode": container.exit_code, "Health": "",
            });
            lines.push_str(&format!("{row}\n"));
        }
    }
    Ok(Said::out(lines))
}
