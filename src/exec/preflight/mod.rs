//! Before anything is touched: what the plan needs and no earlier step of it brings about. Each finding has a code;
//! an error refuses the run, a warning is told.

mod containers;
mod proxy;

use std::path::Path;
use std::time::Duration;

use super::options::find_tools;
use super::runner::Runner;
use super::session::{FoundTools, Session};
use super::{Event, Finding};
use crate::diagnostic::Code;
use crate::drivers::compose::{Compose, Flavour};
use crate::drivers::engine::Engine;
use crate::drivers::{Failure, FailureKind};
use crate::plan::Plan;
use crate::site::{Site, one_file, same_folder};
use crate::verbs::{Needs, Verb};

/// Engines from this major version on lack what compose v1 asks of them (`ContainerConfig`).
const V1_DIES_FROM: u32 = 25;

/// Room for a journal, before-images and a configuration, many times over.
const ROOM: u64 = 16 << 20;

/// What must hold at the start: the needs of each step less what earlier steps give.
pub fn needed(plan: &Plan) -> Needs {
    needs(plan, true)
}

/// The same, or what the steps need of the running application whether or not an earlier step brings it up.
fn needs(plan: &Plan, brought: bool) -> Needs {
    let mut given = Needs::default();
    let mut needed = Needs::default();
    for (_, verb) in plan.steps() {
        let needs = verb.needs();
        // Once an earlier step starts the engine, nothing behind it can be looked at now.
        if !given.engine {
            needed.engine |= needs.engine;
            needed.containers |= needs.containers && !given.containers;
            if !given.containers {
                add(&mut needed.new_images, needs.new_images.into_iter());
            }
            needed.proxy |= needs.proxy && !given.proxy;
            let missing = needs.images.into_iter().filter(|image| !given.images.contains(image));
            add(&mut needed.images, missing);
            add(&mut needed.pulls, needs.pulls.into_iter());
            needed.longest_drain = needed.longest_drain.max(needs.longest_drain);
            if !given.ports {
                needed.starts.extend(needs.starts);
                needed.compose_file |= needs.compose_file && !given.compose_file;
            }
        }
        add(&mut needed.programs, needs.programs.into_iter());
        let gives = verb.gives();
        given.engine |= gives.engine;
        given.containers |= brought && gives.containers;
        given.proxy |= brought && gives.proxy;
        given.ports |= gives.ports;
        given.compose_file |= gives.compose_file;
        // A pull brings what was asked for; if it cannot, it fails before anything is drained.
        add(&mut given.images, gives.images.into_iter());
    }
    needed
}

fn add(list: &mut Vec<String>, more: impl Iterator<Item = String>) {
    for item in more {
        if !list.contains(&item) {
            list.push(item);
        }
    }
}

/// Finds the tools when the plan needs them from the start, or `always` (a way back). Gives whether facts can be
/// looked at now.
pub fn tools(session: &Session, found: &FoundTools, always: bool) -> Result<bool, Failure> {
    let needed = needed(session.plan);
    if !(needed.engine || always) || session.plan.deployment.is_none() {
        return Ok(false);
    }
    let declared = session
        .plan
        .deployment
        .as_ref()
        .and_then(|deployment| deployment.compose.command.as_deref());
    let tools = find_tools(session.world, session.options, declared).map_err(refused)?;
    let major: u32 = tools
        .engine_version
        .split('.')
        .next()
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    if tools.compose.flavour == Flavour::V1 && major >= V1_DIES_FROM {
        return Err(Failure::refused(format!(
            "compose {} cannot recreate containers on engine {}: it dies after it stopped the old one",
            tools.compose.version, tools.engine_version
        ))
        .code(Code::COMPOSE_V1)
        .help("install Compose v2, or name one with --compose-command"));
    }
    let _ = found.set(tools);
    Ok(true)
}

/// A question that the run will come to has somebody to answer it: in its middle there would be more to undo.
pub fn somebody(session: &Session) -> Result<(), Failure> {
    let options = session.options;
    if options.yes || options.dry || session.console.is_there() {
        return Ok(());
    }
    match session.plan.certain().iter().find_map(|verb| verb.needs().question) {
        None => Ok(()),
        Some(question) => Err(Failure::refused(format!("nobody is here to answer `{question}`"))
            .help("run it in a terminal, or give `--yes`")),
    }
}

/// The project is not deployed from another folder: asked before anything is written into this one, a lock included.
pub fn folder(session: &Session, found: &FoundTools) -> Result<(), Failure> {
    let (Some(deployment), Some(tools)) = (&session.plan.deployment, found.get()) else {
        return Ok(());
    };
    let containers = Engine::new(session.world, &tools.docker, None).containers(&deployment.compose.project)?;
    one_file(deployment, &containers)?;
    same_folder(deployment, containers).map_err(|failure| failure.code(Code::OTHER_FOLDER))
}

/// What was found.
#[derive(Default)]
pub(super) struct Findings {
    /// Short facts for the screen.
    pub facts: Vec<String>,
    pub warnings: Vec<Finding>,
}

impl Findings {
    pub fn warn(&mut self, code: Code, message: impl Into<String>, help: impl Into<String>) {
        self.warnings.push(Finding {
            code: code.to_string(),
            message: message.into(),
            help: Some(help.into()),
        });
    }
}

/// Looks at the deployment. Errors refuse the run; warnings are told.
pub fn facts(runner: &Runner, start: Duration) -> Result<(), Failure> {
    let needed = needed(runner.plan);
    let site = runner.site()?;
    let tools = site.tools;
    let mut found = Findings::default();
    found.facts.push(format!("compose {}", tools.compose.version));
    found.facts.push(format!("engine {}", tools.engine_version));
    if runner.resumed {
        site.same_folder().map_err(|failure| failure.code(Code::OTHER_FOLDER))?;
    }
    room(site)?;
    if needed.compose_file && !runner.resumed {
        site.compose_file_there()?;
    }
    for image in &needed.images {
        if site.engine.image_id(image)?.is_none() {
            return Err(Failure::refused(format!("the image `{image}` is not on this engine"))
                .code(Code::IMAGE_MISSING)
                .help(format!("put `pull {image}` before the step that uses it")));
        }
    }
    for start in needed.starts.iter().filter(|_| !runner.resumed) {
        site.can_publish(&start.services, start.image.as_deref())?;
    }
    if needed.containers {
        let file = &site.deployment.compose.file;
        if let Ok(None) = runner.world.kind(file) {
            return Err(no_compose_file(runner, file));
        }
        containers::right_project(site)?;
        look(runner, site, &needed, &mut found).map_err(refused)?;
        runner.looked.set(true);
    }
    runner.sink.event(&Event::Preflight {
        facts: found.facts,
        warnings: found.warnings,
        took: runner.world.now().saturating_sub(start),
    });
    Ok(())
}

/// Before the first drain or replacement of a plan that brings the application up itself: what could not be looked at
/// before that, and what the plan would have been refused for.
pub fn late(runner: &Runner, verb: &dyn Verb) -> Result<(), Failure> {
    let own = verb.needs();
    if runner.looked.get() || !(own.proxy && own.longest_drain > Duration::ZERO || !own.new_images.is_empty()) {
        return Ok(());
    }
    runner.site()?.forget_dump();
    let mut found = Findings::default();
    look(runner, runner.site()?, &needs(runner.plan, false), &mut found).map_err(refused)?;
    runner.looked.set(true);
    for warning in found.warnings {
        let help = warning.help.map(|help| format!("; {help}")).unwrap_or_default();
        let line = format!("{} ({}){help}", warning.message, warning.code);
        runner.sink.event(&Event::Warned { line });
    }
    Ok(())
}

/// The names that compose looks for by itself.
const USUAL_NAMES: [&str; 4] = [
    "compose.yaml",
    "compose.yml",
    "docker-compose.yml",
    "docker-compose.yaml",
];

fn no_compose_file(runner: &Runner, file: &Path) -> Failure {
    let usual = USUAL_NAMES.iter().find(|name| {
        let other = file.with_file_name(name);
        other != file && matches!(runner.world.kind(&other), Ok(Some(_)))
    });
    match usual {
        Some(name) => {
            Failure::refused(format!("there is no `{}`", file.display())).help(format!("did you mean `{name}`?"))
        }
        None => Failure::refused(format!(
            "there is no `{}`: the application was never provisioned here",
            file.display()
        ))
        .help("run the recipe that provisions first"),
    }
}

/// Everything about what runs. Compose's two answers and nginx's cost as much as all the rest together, so they are
/// asked for side by side.
fn look(runner: &Runner, site: &Site, needed: &Needs, found: &mut Findings) -> Result<(), Failure> {
    let (world, program) = (runner.world, site.tools.compose.clone());
    let (project, file) = (site.project(), &site.deployment.compose.file);
    let compose = || Compose::new(world, program.clone(), project, file, None);
    std::thread::scope(|scope| {
        let hashes = scope.spawn(|| compose().hashes());
        let model = scope.spawn(|| compose().model(file));
        let strange = match runner.resumed {
            true => site.env_fits().map(|()| Vec::new())?,
            false => site.strange_images(&needed.new_images)?,
        };
        let with_strange = (!strange.is_empty()).then(|| scope.spawn(|| compose().model_with(file, strange)));
        if needed.proxy
            && let Ok(proxy) = site.proxy_now()
        {
            // What is wrong with it is told in its turn.
            let _ = site.dump(&proxy);
        }
        let model = join(model)?;
        site.resolved(&model)?;
        site.check_model(&model)?;
        containers::check(site, &model, runner.resumed, found)?;
        if needed.proxy {
            proxy::check(site, &model, needed, found)?;
        } else {
            site.check_templates(None)?;
        }
        if let Some(model) = with_strange {
            let model = join(model)?;
            let mut backends = needed.new_images.iter();
            backends.try_for_each(|name| site.set_rules(site.backend(name)?, &model))?;
        }
        if let Ok(Ok(hashes)) = hashes.join() {
            containers::check_hashes(site, &hashes, found)?;
        }
        Ok(())
    })
}

/// What a thread gave; a crash of the simulated world goes on here.
fn join<T>(thread: std::thread::ScopedJoinHandle<'_, T>) -> T {
    thread
        .join()
        .unwrap_or_else(|payload| std::panic::resume_unwind(payload))
}

fn room(site: &Site) -> Result<(), Failure> {
    let dir = site.deployment.dir();
    match site.world.free_space(&dir) {
        Ok(free) if free < ROOM => Err(Failure::refused(format!(
            "only {} KiB are free in `{}`, too little for journal and configuration",
            free >> 10,
            dir.display()
        ))
        .code(Code::DISK_FULL)
        .help("make room there first")),
        _ => Ok(()),
    }
}

fn refused(failure: Failure) -> Failure {
    match failure.kind {
        FailureKind::Failed => Failure {
            kind: FailureKind::Refused,
            ..failure
        },
        FailureKind::Refused | FailureKind::Interrupted => failure,
    }
}
