//! Commands that change something.

use super::args::Args;
use super::{Played, Said, cannot_play, each, find};
use crate::world::simulated::compose::value::bytes;
use crate::world::simulated::container::Spec;
use crate::world::simulated::engine::Failure;
use crate::world::simulated::image::full;
use crate::world::simulated::inspect;
use crate::world::simulated::nginx::server::Master;
use crate::world::simulated::state::State;

pub(super) fn tag(state: &mut State, from: &str, to: &str) -> Played {
    let image = state.need_image(from, false)?;
    state.event(|| format!("tagged `{to}`"))?;
    state.engine.tags.insert(full(to), image.id);
    Ok(Said::default())
}

pub(super) fn untag(state: &mut State, args: &Args<'_>) -> Played {
    let mut said = Said::default();
    for name in &args.words {
        let name = full(name);
        let id = match state.engine.image(&name) {
            Some(image) => image.id.clone(),
            None if args.has(&["--force", "-f"]) => continue,
            None => return Err(Failure::daemon(inspect::no_such_image(&name))),
        };
        let others = state.engine.tags.iter().any(|(tag, own)| *own == id && *tag != name);
        let user = state
            .engine
            .containers
            .iter()
            .find(|container| container.spec.image_id == id);
        if let (false, Some(user)) = (others, user) {
            return Err(Failure::daemon(format!(
                "conflict: unable to remove repository reference \"{name}\" (must force) - container {} is using its referenced image {}",
                &user.id[..12],
                &id[7..19]
            )));
        }
        state.event(|| format!("untagged `{name}`"))?;
        state.engine.tags.remove(&name);
        said.stdout.push_str(&format!("Untagged: {name}\n"));
        if !others {
            state.engine.tags.retain(|_, own| *own != id);
            state.engine.images.remove(&id);
            said.stdout.push_str(&format!("Deleted: {id}\n"));
        }
    }
    Ok(said)
}

pub(super) fn copy(state: &mut State, from: &str, to: &str) -> Played {
    let Some((wanted, path)) = to.split_once(':') else {
        return Err(cannot_play("cp out of a container"));
    };
    let index = find(state, wanted)?;
    let Some(content) = state.files.file(std::path::Path::new(from)).cloned() else {
        return Err(Failure::exit(1, format!("lstat {from}: no such file or directory\n")));
    };
    state.event(|| format!("copied `{path}`"))?;
    let name = from.rsplit('/').next().unwrap_or_default();
    let path = if path.ends_with('/') {
        format!("{path}{name}")
    } else {
        path.to_string()
    };
    state.engine.containers[index].layer.insert(path, content);
    Ok(Said::default())
}

pub(super) fn kill(state: &mut State, index: usize, signal: &str) -> Result<(), Failure> {
    let container = &state.engine.containers[index];
    if !container.running() {
        let text = format!(
            "cannot kill container: {}: container {} is not running",
            container.name, container.id
        );
        return Err(Failure::daemon(text));
    }
    match signal.trim_start_matches("SIG") {
        "HUP" | "1" if container.master.is_some() => {
            state.event(String::new)?;
            Master::reload(state, index);
            Ok(())
        }
        "KILL" | "9" => {
            state.event(String::new)?;
            state.tell(index, "killed");
            state.look_for_cuts(index);
            state.engine.containers[index].stopped = true;
            state.exit(index, 137);
            state.changed();
            Ok(())
        }
        "TERM" | "15" | "QUIT" | "3" | "INT" | "2" => state.stop(index),
        other => Err(cannot_play(&format!("kill -s {other}"))),
    }
}

pub(super) fn remove(state: &mut State, args: &Args<'_>) -> Played {
    let force = args.has(&["-f", "--force"]);
    if force {
        // With force a missing one is only a word on standard error.
        let (there, missing): (Vec<&str>, Vec<&str>) =
            args.words.iter().partition(|name| state.engine.find(name).is_some());
        let args = Args {
            options: args.options.clone(),
            words: there,
        };
        let mut said = each(state, &args, |state, index| {
            if state.engine.containers[index].running() {
                kill(state, index, "KILL")?;
            }
            state.remove(index)
        })?;
        said.stderr.extend(
            missing
                .iter()
                .map(|name| format!("Error response from daemon: No such container: {name}\n")),
        );
        return Ok(said);
    }
    each(state, args, |state, index| {
        let container = &state.engine.containers[index];
        if container.running() {
            return Err(Failure::daemon(format!(
                "cannot remove container \"/{}\": container is running: stop the container before removing or force remove",
                container.name
            )));
        }
        state.remove(index)
    })
}

pub(super) fn update(state: &mut State, index: usize, args: &Args<'_>) -> Result<(), Failure> {
    state.event(String::new)?;
    let spec: &mut Spec = &mut state.engine.containers[index].spec;
    if let Some(memory) = args.get(&["--memory", "-m"]) {
        spec.memory = bytes(memory).ok_or_else(|| cannot_play(memory))?;
    }
    if let Some(cpus) = args.get(&["--cpus"]) {
        let cpus: f64 = cpus.parse().map_err(|_| cannot_play(cpus))?;
        spec.nano_cpus = (cpus * 1e9) as u64;
    }
    if let Some(policy) = args.get(&["--restart"]) {
        spec.restart = policy.to_string();
    }
    Ok(())
}
