//! Where a rehearsal begins: with what the engine tells, else with zdt's notes, else with the recipe's own picture.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;

use super::simulated_options;
use crate::drivers::Failure;
use crate::drivers::compose::Compose;
use crate::drivers::engine::Engine;
use crate::exec::options::find_tools;
use crate::exec::overlay::Overlay;
use crate::exec::{FactSource, Options, preflight};
use crate::plan::Plan;
use crate::site::{NothingKept, Site, State, Templates, Tools, variables};
use crate::world::simulated::{Facts, Image, Simulated};
use crate::world::{FileKind, World};

/// Where a rehearsal begins.
pub struct Stage {
    pub source: FactSource,
    pub world: Simulated,
}

/// Prefix of images that stand for "whatever runs now".
pub(super) const NOW: &str = "image-now/";

/// A simulated world with the best facts to be had: the engine's, else zdt's notes, else the recipe's own picture.
pub fn stage(
    world: &dyn World,
    plan: &Plan,
    templates: &Templates,
    options: &Options,
    live: bool,
) -> Result<Stage, Failure> {
    let Some(deployment) = &plan.deployment else {
        return Ok(Stage {
            source: FactSource::Assumed,
            world: empty(),
        });
    };
    if live
        && let Ok(tools) = find_tools(world, options, deployment.compose.command.as_deref())
        && let Ok(facts) = live_facts(world, plan, &tools)
    {
        return Ok(Stage {
            source: FactSource::Live,
            world: prepared(Simulated::seed(facts)),
        });
    }
    let state = State::load(world, &deployment.dir())?;
    let known = state.backends.values().any(|backend| !backend.image.is_empty());
    let mut simulated = empty();
    for (path, content) in files(world, plan) {
        simulated = simulated.file(path, content);
    }
    for (name, value) in environment(world, plan) {
        simulated = simulated.env(&name, &value);
    }
    let needed = preflight::needed(plan);
    if needed.containers || needed.proxy {
        assume_running(world, &simulated, plan, templates, options)?;
    }
    let source = if known { FactSource::State } else { FactSource::Assumed };
    Ok(Stage {
        source,
        world: simulated,
    })
}

pub(super) fn empty() -> Simulated {
    prepared(Simulated::empty())
}

fn prepared(simulated: Simulated) -> Simulated {
    simulated.observe_unknown_images(true).recording(false)
}

/// Files the drivers read: the compose file and what lies beside it, the proxy's folder, zdt's notes.
pub(super) fn files(world: &dyn World, plan: &Plan) -> Vec<(PathBuf, Vec<u8>)> {
    let Some(deployment) = &plan.deployment else {
        return Vec::new();
    };
    let dir = deployment.dir();
    let mut paths = vec![
        deployment.compose.file.clone(),
        dir.join(".env"),
        dir.join(".zdt/state.json"),
    ];
    if let Some(folder) = deployment.proxy.as_ref().and_then(|proxy| proxy.config.parent()) {
        let names = world.list(folder).unwrap_or_default();
        paths.extend(names.iter().map(|name| folder.join(name)));
    }
    paths
        .into_iter()
        .filter_map(|path| Some((path.clone(), world.read(&path).ok()?)))
        .collect()
}

/// What the engine has of this project.
fn live_facts(world: &dyn World, plan: &Plan, tools: &Tools) -> Result<Facts, Failure> {
    let Some(deployment) = &plan.deployment else {
        return Ok(Facts::default());
    };
    let engine = Engine::new(world, &tools.docker, None);
    let containers = engine.raw_containers(&deployment.compose.project)?;
    let containers: Vec<Value> = containers.into_iter().map(Arc::unwrap_or_clone).collect();
    let needed = preflight::needed(plan);
    let used = containers
        .iter()
        .filter_map(|container| container["Image"].as_str().map(str::to_string));
    let images: BTreeSet<String> = used.chain(needed.images).chain(needed.pulls).collect();
    let images = images.iter().map(|image| engine.raw_image(image));
    let images = images.filter_map(|found| Some(found.transpose()?.map(Arc::unwrap_or_clone)));
    let images = images.collect::<Result<_, _>>()?;
    let networks = engine.raw_networks()?;
    let hashes = hashes(world, plan, tools);
    let nginx = State::load(world, &deployment.dir())?.nginx;
    let mut files = files(world, plan);
    let known: BTreeSet<PathBuf> = files.iter().map(|(path, _)| path.clone()).collect();
    let mounted = mounted(world, plan, &containers).into_iter();
    files.extend(mounted.filter(|(path, _)| !known.contains(path)));
    Ok(Facts {
        containers,
        images,
        networks,
        files: files
            .into_iter()
            .map(|(path, content)| (path, content, 0o600))
            .collect(),
        hashes,
        compose_version: tools.compose.version.clone(),
        engine_version: tools.engine_version.clone(),
        nginx_versions: nginx.into_iter().collect(),
        env: environment(world, plan),
    })
}

/// More files of one proxy are not looked at: a whole site may be mounted into it.
const MOUNTED: usize = 200;
/// Nor longer ones: configurations are shorter.
const LONGEST: u64 = 256 << 10;

/// The files of this machine that the proxy's container sees: its configuration may lie in more than one folder.
fn mounted(world: &dyn World, plan: &Plan, containers: &[Value]) -> Vec<(PathBuf, Vec<u8>)> {
    let service = plan
        .deployment
        .as_ref()
        .and_then(|one| Some(&one.proxy.as_ref()?.service));
    let is_proxy = |one: &&Value| {
        let label = one["Config"]["Labels"]["com.docker.compose.service"].as_str();
        service.is_some_and(|service| label == Some(service))
    };
    let mounts = containers
        .iter()
        .filter(is_proxy)
        .filter_map(|one| one["Mounts"].as_array());
    let sources = mounts
        .flatten()
        .filter(|mount| mount["Type"] == "bind")
        .filter_map(|mount| mount["Source"].as_str());
    let mut left: Vec<PathBuf> = sources.map(PathBuf::from).collect();
    let mut found = Vec::new();
    while let Some(path) = left.pop().filter(|_| found.len() < MOUNTED) {
        match world.kind(&path) {
            Ok(Some(FileKind::Folder)) => {
                let names = world.list(&path).unwrap_or_default();
                left.extend(names.iter().take(MOUNTED).map(|name| path.join(name)));
                left.truncate(2 * MOUNTED);
            }
            Ok(Some(FileKind::File { len, .. })) if len <= LONGEST => {
                found.extend(world.read(&path).ok().map(|content| (path, content)));
            }
            _ => {}
        }
    }
    found
}

/// What the environment says of the variables that the compose file names: it comes before `.env`.
fn environment(world: &dyn World, plan: &Plan) -> BTreeMap<String, String> {
    let files = plan.deployment.iter().map(|deployment| &deployment.compose.file);
    let text = files
        .filter_map(|file| world.read(file).ok())
        .next()
        .unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    variables(&text)
        .filter_map(|name| Some((name.to_string(), world.env(name)?.into_string().ok()?)))
        .collect()
}

fn hashes(world: &dyn World, plan: &Plan, tools: &Tools) -> BTreeMap<String, String> {
    let Some(deployment) = &plan.deployment else {
        return BTreeMap::new();
    };
    let declared = &deployment.compose;
    let compose = Compose::new(world, tools.compose.clone(), &declared.project, &declared.file, None);
    compose.hashes().unwrap_or_default()
}

/// Brings the application up in the simulated world, as if it had been there before the run.
pub(super) fn assume_running(
    real: &dyn World,
    simulated: &Simulated,
    plan: &Plan,
    templates: &Templates,
    options: &Options,
) -> Result<(), Failure> {
    let Some(deployment) = &plan.deployment else {
        return Ok(());
    };
    for backend in &deployment.backends {
        simulated.publish(Image::app(&format!("{NOW}{}", backend.name)));
    }
    let overlay = Overlay::new(real, simulated);
    let tools = find_tools(
        &overlay,
        &simulated_options(options),
        deployment.compose.command.as_deref(),
    )?;
    let count = std::cell::Cell::new(0);
    let nonce = || {
        count.set(count.get() + 1);
        format!("before{}", count.get())
    };
    let site = Site::open(&overlay, deployment, &tools, templates, None, &NothingKept, &nonce)?;
    for backend in &deployment.backends {
        let image = format!("{NOW}{}", backend.name);
        site.remember(|state| {
            let known = state.backends.entry(backend.name.clone()).or_default();
            if known.image.is_empty() {
                known.image = image;
            }
        })?;
    }
    site.up(&[], None, false).map(drop)
}
