//! The deployment as it is now and what zdt can do to it: look, drain, enable, recreate, up, await. Verbs and the
//! rollback use the same operations; each looks at the world itself, as it is at that moment, and keeps what it is about to change.

mod accept;
mod address;
mod capacity;
mod containers;
mod drift;
mod env_file;
mod fits;
mod health;
mod images;
mod keep;
mod render;
mod settle;
mod state;
mod take_over;
mod traffic;
mod up;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

pub use address::choose_subnet;
pub use capacity::Allow;
pub use containers::Recreated;
pub use fits::{variables, ways};
pub use health::{Expect, Seen, whole_token};
pub use images::short_id;
pub use keep::{Before, Keeper, NothingKept, Ran, Resource};
pub use settle::Stopped;
pub use state::{BackendState, Good, State, state_dir};
pub use traffic::{Drained, OnTimeout, hash};
pub use up::{one_file, same_folder};

use crate::drivers::compose::{Compose, Model, Program};
use crate::drivers::engine::{Container, Engine, Identity};
use crate::drivers::nginx::dump::Dump;
use crate::drivers::nginx::{Generation, Nginx, Server, Version, private};
use crate::drivers::{Failure, FailureKind};
use crate::plan::{Backend, Deployment, ProxyDecl};
use crate::template::{Kind, Template, TemplateError};
use crate::world::{Lock, World};

/// Tools found for one run: which docker, which compose.
#[derive(Debug, Clone)]
pub struct Tools {
    pub docker: String,
    pub compose: Program,
    pub engine_version: String,
    /// `DOCKER_HOST`, if set.
    pub docker_host: Option<String>,
}

/// Templates as read before the run.
#[derive(Default)]
pub struct Templates {
    pub compose: Option<Template>,
    pub proxy: Option<Template>,
}

/// One deployment, for the length of one run.
pub struct Site<'w> {
    pub world: &'w dyn World,
    pub deployment: &'w Deployment,
    pub tools: &'w Tools,
    pub engine: Engine<'w>,
    pub compose: Compose<'w>,
    pub templates: &'w Templates,
    pub keeper: &'w dyn Keeper,
    state: RefCell<State>,
    /// It could not be written, and whether it was is not known.
    unsaved: Cell<bool>,
    /// Image names resolved so far: a tag becomes an id once a run.
    images: RefCell<BTreeMap<String, String>>,
    /// Backends found healthy in this run, as they were then.
    awaited: RefCell<BTreeMap<String, (Identity, Expect)>>,
    /// What `nginx -T` printed at the first look.
    dump: RefCell<Option<Dump>>,
    /// The resolved compose file, until the file changes.
    model: RefCell<Option<Model>>,
    /// The generation of the last proved reload, and when that was.
    proved: RefCell<Option<(Duration, Generation)>>,
    /// Shapes of configurations that nginx or compose accepted in this run.
    accepted: RefCell<BTreeSet<String>>,
    /// What was copied into the proxy's container for checks.
    copied: RefCell<Option<(String, String)>>,
    /// `--allow downtime`.
    pub allow_downtime: Cell<bool>,
    /// A step fails when nobody is left to serve; off in a rollback.
    pub watch: Cell<bool>,
    /// When that was seen.
    lost: Cell<Option<Duration>>,
    /// The proxy was seen running in this run.
    proxy_ran: Cell<bool>,
    /// Since when it is seen not to run, and the last look.
    proxy_down: Cell<Option<(Duration, Duration)>>,
    /// The run goes on where another stopped.
    pub goes_on: Cell<bool>,
    /// Gives a new random nonce.
    pub nonce: &'w dyn Fn() -> String,
}

impl<'w> Site<'w> {
    pub fn open(
        world: &'w dyn World,
        deployment: &'w Deployment,
        tools: &'w Tools,
        templates: &'w Templates,
        lock: Option<&'w Lock>,
        keeper: &'w dyn Keeper,
        nonce: &'w dyn Fn() -> String,
    ) -> Result<Self, Failure> {
        let declared = &deployment.compose;
        Ok(Self {
            world,
            deployment,
            tools,
            engine: Engine::new(world, &tools.docker, lock),
            compose: Compose::new(world, tools.compose.clone(), &declared.project, &declared.file, lock),
            templates,
            keeper,
            state: RefCell::new(State::load(world, &deployment.dir())?),
            unsaved: Cell::default(),
            images: RefCell::default(),
            awaited: RefCell::default(),
            dump: RefCell::default(),
            model: RefCell::default(),
            proved: RefCell::default(),
            accepted: RefCell::default(),
            copied: RefCell::default(),
            allow_downtime: Cell::new(false),
            watch: Cell::new(true),
            lost: Cell::default(),
            proxy_ran: Cell::default(),
            proxy_down: Cell::default(),
            goes_on: Cell::default(),
            nonce,
        })
    }

    pub fn project(&self) -> &str {
        &self.deployment.compose.project
    }

    pub fn state(&self) -> State {
        self.state.borrow().clone()
    }

    /// Changes the state and writes it down before anything relies on it.
    pub fn remember(&self, change: impl FnOnce(&mut State)) -> Result<(), Failure> {
        let mut state = self.state.borrow_mut();
        let before = state.clone();
        change(&mut state);
        if *state == before && !self.unsaved.get() {
            return Ok(());
        }
        let saved = state.save(self.world, &self.deployment.dir());
        self.unsaved.set(saved.is_err());
        if saved.is_err() {
            // What is not on disk is not known, and the next change writes it again.
            *state = before;
        }
        saved
    }

    /// The project's containers as they are now.
    pub fn containers(&self) -> Result<Vec<Container>, Failure> {
        self.engine.containers(self.project())
    }

    pub fn backend(&self, name: &str) -> Result<&'w Backend, Failure> {
        let found = self.deployment.backend(name);
        found.ok_or_else(|| Failure::refused(format!("there is no backend `{name}`")))
    }

    /// The one container of a backend: exactly one, or a failure that says what is there instead.
    pub fn container(&self, name: &str) -> Result<Container, Failure> {
        let service = &self.backend(name)?.service;
        one(self.engine.of_service(self.project(), service)?, service)
    }

    pub fn proxy(&self) -> Result<&'w ProxyDecl, Failure> {
        self.deployment.proxy.as_ref().ok_or_else(|| {
            Failure::refused("no proxy is declared, so there is no traffic to steer")
                .help("add `proxy nginx service=… template=… config=…`")
        })
    }

    /// The proxy's one running container, asked for now.
    pub fn proxy_now(&self) -> Result<Container, Failure> {
        let service = &self.proxy()?.service;
        self.proxy_container(self.engine.of_service(self.project(), service)?)
    }

    /// The proxy's one running container.
    pub fn proxy_container(&self, containers: Vec<Container>) -> Result<Container, Failure> {
        let container = one(containers, &self.proxy()?.service)?;
        if container.network_mode == "host" {
            return Err(Failure::refused(
                "the proxy uses the host's network, which zdt cannot drive yet",
            ));
        }
        if container.running() {
            self.proxy_ran.set(true);
            Ok(container)
        } else {
            Err(Failure::new(format!(
                "the proxy's container `{}` is not running ({})",
                container.name, container.state.status
            ))
            .help("start it, or run the recipe that provisions"))
        }
    }

    pub fn nginx(&self) -> Result<Nginx<'_>, Failure> {
        let proxy = self.proxy()?;
        let private = self.state.borrow().private.clone();
        let private = match private {
            Some(name) => name,
            None => {
                // Where the state was lost, nginx still goes by the name in its file.
                let installed = self.world.read(&proxy.config).unwrap_or_default();
                let known = private::name(&String::from_utf8_lossy(&installed));
                let name = known.unwrap_or_else(|| format!("zdt-{}.internal", (self.nonce)()));
                self.remember(|state| state.private = Some(name.clone()))?;
                name
            }
        };
        Ok(Nginx {
            world: self.world,
            engine: &self.engine,
            config: proxy.config.clone(),
            listen: proxy.listen,
            private,
            host: Engine::host(self.tools.docker_host.as_deref()),
            proof_limit: Duration::from_secs(10),
            copied: &self.copied,
        })
    }

    /// nginx's version, asked once per image of the proxy.
    pub fn nginx_version(&self, container: &Container) -> Result<Option<Version>, Failure> {
        let known = self.state.borrow().nginx.clone();
        if let Some((image, text)) = known
            && image == container.image_id
        {
            return Ok(Version::parse(&format!("nginx/{text}")));
        }
        let version = self.nginx()?.version(container)?;
        if let Some(version) = version {
            self.remember(|state| state.nginx = Some((container.image_id.clone(), version.to_string())))?;
        }
        Ok(version)
    }

    pub fn dump(&self, container: &Container) -> Result<Dump, Failure> {
        if let Some(dump) = self.dump.borrow().as_ref() {
            return Ok(dump.clone());
        }
        let dump = self.nginx()?.dump(container)?;
        *self.dump.borrow_mut() = Some(dump.clone());
        Ok(dump)
    }

    /// Files may have changed since.
    pub fn forget_dump(&self) {
        *self.dump.borrow_mut() = None;
    }

    /// The compose file as compose resolves it.
    pub fn model(&self) -> Result<Model, Failure> {
        if let Some(model) = self.model.borrow().as_ref() {
            return Ok(model.clone());
        }
        let model = self.compose.model(&self.deployment.compose.file)?;
        self.resolved(&model)?;
        Ok(model)
    }

    /// Compose has just resolved its file to this.
    pub fn resolved(&self, model: &Model) -> Result<(), Failure> {
        *self.model.borrow_mut() = Some(model.clone());
        if let Ok(text) = self.world.read(&self.deployment.compose.file) {
            let shape = self.compose_shape(&String::from_utf8_lossy(&text))?;
            self.accepted.borrow_mut().insert(shape);
        }
        Ok(())
    }

    /// How each backend is reached from the proxy.
    fn servers(&self, containers: &[Container], version: Option<Version>) -> Result<Vec<Server>, Failure> {
        let model = self.model()?;
        let proxy = self.proxy()?;
        let networks = model
            .services
            .get(&proxy.service)
            .map(|service| service.networks.clone());
        let networks = networks.unwrap_or_default();
        let server = |backend: &Backend| {
            let service = model.services.get(&backend.service);
            let pinned = service.and_then(|service| {
                let shared = service.addresses.iter().find(|(network, _)| networks.contains(network));
                shared.map(|(_, address)| address.clone())
            });
            let exists = containers
                .iter()
                .any(|container| container.service == backend.service && container.running());
            Server {
                backend: backend.name.clone(),
                upstream: backend.upstream.clone(),
                present: pinned.is_some() || exists,
                resolve: pinned.is_none() && version.is_some_and(Version::resolve),
                address: format!("{}:{}", pinned.unwrap_or_else(|| backend.service.clone()), backend.port),
            }
        };
        Ok(self.deployment.backends.iter().map(server).collect())
    }
}

/// The one container of a service.
fn one(containers: Vec<Container>, service: &str) -> Result<Container, Failure> {
    let mut of: Vec<Container> = containers
        .into_iter()
        .filter(|container| container.service == service)
        .collect();
    match of.len() {
        1 => Ok(of.remove(0)),
        0 => Err(Failure::new(format!("the service `{service}` has no container"))
            .help("start it: `up`, or the recipe that provisions")),
        number => {
            let names: Vec<&str> = of.iter().map(|container| container.name.as_str()).collect();
            Err(Failure::refused(format!(
                "the service `{service}` has {number} containers ({}), but a backend is exactly one",
                names.join(", ")
            ))
            .help("remove the one too many, or set `scale: 1`"))
        }
    }
}

/// A template from its text; errors carry the place in it.
pub fn template(path: &std::path::Path, text: &str) -> Result<Template, TemplateError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Template::new(&name, text, Kind::of(path))
}

impl From<TemplateError> for Failure {
    fn from(error: TemplateError) -> Self {
        let failure = Failure {
            kind: FailureKind::Refused,
            ..Failure::new(error.to_string())
        }
        .code(crate::diagnostic::Code::TEMPLATE_VALUE);
        match error.help {
            Some(help) => failure.help(help),
            None => failure,
        }
    }
}

/// A failure for a file that cannot be written or read.
fn file_failure(what: &str, path: &std::path::Path, error: &std::io::Error) -> Failure {
    let failure = Failure::new(format!("cannot {what} `{}`: {error}", path.display()));
    match error.kind() {
        std::io::ErrorKind::PermissionDenied => {
            failure.help("another user may have run zdt here: run it as that user, or give the files back with `chown`")
        }
        _ => failure,
    }
}

/// Where the candidate of a compose file is put for a check.
fn compose_candidate(file: &std::path::Path) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_os_string();
    name.push(".zdt-next");
    file.with_file_name(name)
}
