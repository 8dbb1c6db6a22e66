//! What a run is asked to do besides its plan, and the tools it finds.

use std::path::Path;
use std::time::Duration;

use crate::drivers::Failure;
use crate::drivers::compose::{Program, words};
use crate::drivers::engine::Engine;
use crate::site::Tools;
use crate::world::{Command, ProcessError, World};

/// What a run is asked to do besides its plan.
#[derive(Debug, Clone, Default)]
pub struct Options {
    pub yes: bool,
    /// `--allow downtime`.
    pub allow_downtime: bool,
    /// A compose command named on the command line or by `ZDT_COMPOSE`.
    pub compose_command: Option<String>,
    pub docker_host: Option<String>,
    /// This program's own file, for programs of the user's that call it.
    pub zdt: Option<std::path::PathBuf>,
    /// How long to wait for the lock.
    pub lock_wait: Duration,
    /// The world is a simulated one.
    pub dry: bool,
    /// On resume: what to do about a step that cannot be undone and whose end was not recorded.
    pub open_step: OpenStep,
}

/// A `run` that was begun and perhaps done when zdt died.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OpenStep {
    /// A person must say.
    #[default]
    Ask,
    Again,
    Skip,
}

/// Finds docker and compose, and asks for their versions.
pub fn find_tools(world: &dyn World, options: &Options, declared: Option<&str>) -> Result<Tools, Failure> {
    let choice = options.compose_command.as_deref().or(declared);
    let mut docker = "docker".to_string();
    // Both take a program's start, so they are asked side by side.
    let (mut version, mut compose) = std::thread::scope(|scope| {
        let compose = scope.spawn(|| Program::find(world, &docker, choice));
        let version = Engine::new(world, &docker, None).version();
        let compose = compose
            .join()
            .unwrap_or_else(|payload| std::panic::resume_unwind(payload));
        (version, compose)
    });
    let program = choice.and_then(|choice| words(world, choice).into_iter().next());
    let beside = program.as_deref().filter(|program| program.contains('/'));
    let beside = beside.and_then(|program| Path::new(program).parent());
    let no_client = || {
        let asked = world.run(&Command::new("docker", ["--version"]));
        matches!(asked, Err(ProcessError::NotFound { .. }))
    };
    if version.is_err() && no_client() {
        let Some(folder) = beside else {
            return Err(Failure::refused("there is no `docker` command in PATH")
                .help("install docker's client (Debian: package `docker-cli`, or `docker.io` with the engine)"));
        };
        // Set-up that unpacks compose into a folder puts the client beside it.
        docker = folder.join("docker").to_string_lossy().into_owned();
        version = Engine::new(world, &docker, None).version();
        compose = Program::find(world, &docker, choice);
    }
    Ok(Tools {
        engine_version: version?,
        compose: compose?,
        docker,
        docker_host: options.docker_host.clone(),
    })
}
