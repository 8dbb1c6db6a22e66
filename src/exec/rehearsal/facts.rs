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
use crate::world::World;
use crate::world::simulated::{Facts, Image, Simulated};

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
    Ok(Facts {
        containers,
        images,
        networks,
        files: files(world, plan)
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
