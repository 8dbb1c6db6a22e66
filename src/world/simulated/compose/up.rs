//! `up`: what must be created, recreated or started, in compose v2's order (or v1's).
//!
//! v2 makes all containers first and starts them afterwards. It recreates by: create `<hex>_name`, stop the old one, remove
//! it, rename the new one. Each of these is an event of the engine, so a crash can fall between them.

use std::time::Duration;

use super::networks::make_networks;
use super::normal::text;
use super::project::Project;
use super::spec::spec;
use crate::world::simulated::container::Container;
use crate::world::simulated::docker::{Said, find};
use crate::world::simulated::engine::Failure;
use crate::world::simulated::image::Image;
use crate::world::simulated::inspect;
use crate::world::simulated::state::State;

/// The options of `up`.
#[derive(Debug, Default)]
pub(super) struct Options<'a> {
    pub services: Vec<&'a str>,
    pub no_deps: bool,
    pub force: bool,
    pub no_recreate: bool,
    pub no_start: bool,
    pub wait: bool,
    pub pull: &'a str,
    pub v1: bool,
}

pub(super) fn up(state: &mut State, project: &Project, options: &Options<'_>) -> Result<Said, Failure> {
    let mut said = Said::default();
    let services = wanted(project, options)?;
    for (name, _) in &services {
        let service = project.service(name)?;
        let image = text(&service["image"]);
        let policy = if options.pull.is_empty() {
            text(&service["pull_policy"])
        } else {
            options.pull.to_string()
        };
        if policy == "always" {
            state.pull(&image)?;
        }
        state.need_image(&image, policy != "never")?;
    }
    make_networks(state, project, &services, &mut said)?;
    let mut start = Vec::new();
    for (name, named) in &services {
        // What is only depended on is left as it is when it runs.
        start.push(converge(state, project, name, options, *named, &mut said)?);
    }
    if options.no_start {
        return Ok(said);
    }
    for id in start {
        let Some(index) = state.engine.find(&id) else {
            continue;
        };
        let name = state.engine.containers[index].name.clone();
        if state.engine.containers[index].running() {
            progress(&mut said, "Container", &name, "Running");
            continue;
        }
        progress(&mut said, "Container", &name, "Starting");
        state.start(index).map_err(|failure| with(&said, failure))?;
        progress(&mut said, "Container", &name, "Started");
        if options.wait {
            wait(state, &id, &said)?;
        }
    }
    Ok(said)
}

/// What was said before a failure is said all the same.
fn with(said: &Said, failure: Failure) -> Failure {
    match failure {
        Failure::Exit { code, stdout, stderr } => Failure::Exit {
            code,
            stdout,
            stderr: said.stderr.clone() + &stderr,
        },
        Failure::Crashed => Failure::Crashed,
    }
}

pub(super) fn progress(said: &mut Said, kind: &str, name: &str, what: &str) {
    said.stderr.push_str(&format!(" {kind} {name}  {what}\n"));
}

/// The services to bring up, dependencies first; `true`: it was asked for.
fn wanted<'a>(project: &'a Project, options: &Options<'_>) -> Result<Vec<(&'a str, bool)>, Failure> {
    let mut order = Vec::new();
    for (name, _) in project.services() {
        if options.services.is_empty() || options.services.contains(&name.as_str()) {
            visit(project, name, options, &mut order, 0)?;
        }
    }
    if let Some(name) = options
        .services
        .iter()
        .find(|name| project.model["services"].get(**name).is_none())
    {
        return Err(Failure::exit(1, format!("no such service: {name}\n")));
    }
    Ok(order)
}

fn visit<'a>(
    project: &'a Project,
    name: &'a str,
    options: &Options<'_>,
    order: &mut Vec<(&'a str, bool)>,
    depth: usize,
) -> Result<(), Failure> {
    if order.iter().any(|(known, _)| *known == name) {
        return Ok(());
    }
    if depth > 100 {
        return Err(Failure::exit(1, format!("dependency cycle detected: {name}\n")));
    }
    let service = project.service(name)?;
    for (other, _) in service["depends_on"].as_object().into_iter().flatten() {
        let listed = options.services.is_empty() || options.services.contains(&other.as_str());
        if listed || !options.no_deps {
            visit(project, other, options, order, depth + 1)?;
        }
    }
    let asked = options.services.is_empty() || options.services.contains(&name);
    order.push((name, asked));
    Ok(())
}

/// The containers of a service, one-offs left out.
pub(super) fn of_service(state: &State, project: &str, service: &str) -> Vec<usize> {
    let belongs = |container: &Container| {
        container.label("com.docker.compose.project") == project
            && container.label("com.docker.compose.service") == service
            && container.label("com.docker.compose.oneoff") != "True"
    };
    (0..state.engine.containers.len())
        .filter(|index| belongs(&state.engine.containers[*index]))
        .collect()
}

/// Makes the container of a service what the file says, and gives its id.
fn converge(
    state: &mut State,
    project: &Project,
    name: &str,
    options: &Options<'_>,
    asked: bool,
    said: &mut Said,
) -> Result<String, Failure> {
    let service = project.service(name)?;
    let image = state.need_image(&text(&service["image"]), false)?;
    let hash = project.hash(state, name);
    let spec = spec(state, project, name, service, &image, &hash);
    // Of several containers one that is as the file says is kept, and the others go.
    let mut all = of_service(state, &project.name, name);
    all.sort_by_key(|index| differs(&state.engine.containers[*index], &hash, &image));
    let ids = all.iter().map(|index| state.engine.containers[*index].id.clone());
    for id in ids.skip(1).collect::<Vec<_>>() {
        for work in [State::stop, State::remove] {
            let index = find(state, &id)?;
            work(state, index)?;
        }
    }
    let Some(index) = of_service(state, &project.name, name).first().copied() else {
        let separator = if options.v1 { '_' } else { '-' };
        let default = format!("{}{separator}{name}{separator}1", project.name);
        let name = service["container_name"].as_str().map_or(default, str::to_string);
        progress(said, "Container", &name, "Creating");
        let id = state.create(&name, spec).map_err(|failure| with(said, failure))?;
        progress(said, "Container", &name, "Created");
        return Ok(id);
    };
    let old = &state.engine.containers[index];
    let (old_id, old_name) = (old.id.clone(), old.name.clone());
    let differs = differs(old, &hash, &image);
    if options.no_recreate || !(differs || (options.force && asked)) {
        return Ok(old_id);
    }
    progress(said, "Container", &old_name, "Recreate");
    let final_name = service["container_name"].as_str().map_or_else(
        || {
            old_name
                .split_once('_')
                .filter(|(hex, _)| hex.len() == 12)
                .map_or(old_name.as_str(), |(_, rest)| rest)
                .to_string()
        },
        str::to_string,
    );
    let aside = format!("{}_{final_name}", &old_id[..12]);
    let id = if options.v1 {
        state.stop(index)?;
        if state
            .settings
            .engine
            .split('.')
            .next()
            .and_then(|major| major.parse::<u32>().ok())
            .is_some_and(|major| major >= 25)
        {
            return Err(with(said, Failure::exit(1, "KeyError: 'ContainerConfig'\n".into())));
        }
        state.rename(index, &aside)?;
        let id = state.create(&final_name, spec)?;
        let new = find(state, &id)?;
        state.start(new)?;
        let old = find(state, &old_id)?;
        state.remove(old)?;
        id
    } else {
        let id = state.create(&aside, spec).map_err(|failure| with(said, failure))?;
        let old = find(state, &old_id)?;
        state.stop(old)?;
        let old = find(state, &old_id)?;
        state.remove(old)?;
        let new = find(state, &id)?;
        state.rename(new, &final_name)?;
        id
    };
    progress(said, "Container", &final_name, "Recreated");
    Ok(id)
}

/// Whether a container is not what the file says.
fn differs(container: &Container, hash: &str, image: &Image) -> bool {
    container.label("com.docker.compose.config-hash") != hash || container.spec.image_id != image.id
}

fn wait(state: &mut State, id: &str, said: &Said) -> Result<(), Failure> {
    // A container that is never well is given up after ten minutes here; compose itself waits for ever.
    for _ in 0..6000 {
        let Some(container) = state.engine.find(id).map(|index| &state.engine.containers[index]) else {
            break;
        };
        let behaviour = inspect::behaviour(&state.engine, container);
        let name = &container.name;
        match container.health(behaviour, state.now) {
            _ if !container.running() => {
                let text = format!("container {name} exited ({})\n", container.exit_code);
                return Err(with(said, Failure::exit(1, text)));
            }
            Some("unhealthy") => {
                return Err(with(said, Failure::exit(1, format!("container {name} is unhealthy\n"))));
            }
            Some("starting") => state.spend(Duration::from_millis(100)),
            _ => return Ok(()),
        }
    }
    Err(with(said, Failure::exit(1, "application not healthy\n".into())))
}
