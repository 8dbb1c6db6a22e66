//! An application of a test's own: its folder, project, port, engine and compose. All of it goes when it is dropped.

use std::ffi::OsStr;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering};

use tempfile::TempDir;

use super::setup::{TOO_LONG, at_the_end, bounded, end_without_engine};
use super::{Run, Running, Shim, repository, tools};

/// Which generation of compose zdt is told to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compose {
    V1,
    V2,
}

/// Which engine the application lives on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Machine,
    /// Engine 28 in a container, shared by all tests of a binary.
    Modern,
    /// One in a container for this test alone, which may kill it (see [`engine`] and [`Sandbox::engine_name`]).
    Own {
        live_restore: bool,
    },
}

/// What differs from the usual; [`Sandbox::named`] begins one.
pub struct Builder {
    name: String,
    folder: String,
    compose: Compose,
    engine: Engine,
    proxy: &'static str,
}

pub struct Sandbox {
    /// The application's folder; zdt makes it.
    pub dir: PathBuf,
    pub project: String,
    pub port: u16,
    pub proxy_image: String,
    pub compose_command: PathBuf,
    /// Environment of every command: the tools, and the engine.
    pub env: Vec<(String, String)>,
    /// Where published ports answer.
    host: String,
    engine: Option<InContainer>,
    own: bool,
    /// Holds `dir`, and a place for a test's own files beside it.
    home: TempDir,
}

impl Builder {
    /// The name of the application's folder.
    pub fn folder(mut self, folder: &str) -> Self {
        self.folder = folder.to_string();
        self
    }

    pub fn compose(mut self, compose: Compose) -> Self {
        self.compose = compose;
        self
    }

    pub fn engine(mut self, engine: Engine) -> Self {
        self.engine = engine;
        self
    }

    /// nginx 1.22.
    pub fn old_proxy(mut self) -> Self {
        self.proxy = "zdt/nginx:old";
        self
    }

    pub fn build(self) -> Sandbox {
        let tools = tools();
        let mut env = tools.env.clone();
        let engine = match self.engine {
            Engine::Machine => None,
            Engine::Modern => Some(modern().clone()),
            Engine::Own { live_restore } => Some(InContainer::up(&self.name, live_restore)),
        };
        let host = match &engine {
            None => "127.0.0.1".to_string(),
            Some(engine) => engine.point_at(&mut env),
        };
        let mut prefix = tempfile::Builder::new();
        prefix.prefix("zdt-test-");
        let home = match &engine {
            Some(engine) => prefix.tempdir_in(engine.share()),
            None => prefix.tempdir(),
        };
        let home = home.expect("a temporary folder can be made");
        let project = format!("zdt-test-{}-{}", self.name, std::process::id());
        if engine.is_none() {
            at_the_end(&format!("project {project}"));
        }
        at_the_end(&format!("folder {}", home.path().display()));
        Sandbox {
            dir: home.path().join(&self.folder),
            project,
            port: free_port(),
            proxy_image: self.proxy.to_string(),
            compose_command: match self.compose {
                Compose::V1 => tools.compose_v1.clone(),
                Compose::V2 => tools.compose_v2.clone(),
            },
            env,
            host,
            engine,
            own: matches!(self.engine, Engine::Own { .. }),
            home,
        }
    }
}

impl Sandbox {
    /// On the machine's engine, with compose v2 and a new nginx.
    pub fn new(name: &str) -> Sandbox {
        Self::named(name).build()
    }

    pub fn named(name: &str) -> Builder {
        Builder {
            name: name.to_string(),
            folder: "app".to_string(),
            compose: Compose::V2,
            engine: Engine::Machine,
            proxy: "zdt/nginx:new",
        }
    }

    /// What `docker/engine.sh` calls the engine in a container that this sandbox is on.
    pub fn engine_name(&self) -> &str {
        &self.engine.as_ref().expect("it is on the machine's engine").name
    }

    /// The folder beside the application's, for files of the test.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Writes a file of the test's own beside the application, and gives its path.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.home().join(name);
        std::fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("a folder can be made");
        std::fs::write(&path, text).expect("a file can be written");
        path
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}:{}{path}", self.host, self.port)
    }

    /// The values that make the shipped recipes this sandbox's own.
    pub fn params(&self) -> Vec<String> {
        let pairs = [
            ("dir", self.dir.display().to_string()),
            ("project", self.project.clone()),
            ("http_port", self.port.to_string()),
            ("proxy_image", self.proxy_image.clone()),
        ];
        pairs
            .iter()
            .flat_map(|(name, value)| ["--set".to_string(), format!("{name}={value}")])
            .collect()
    }

    /// zdt with this sandbox's environment and nothing else, in the repository's folder.
    pub fn bare(&self, args: &[impl AsRef<OsStr>]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_zdt"));
        command
            .args(args)
            .current_dir(repository())
            .env_remove("DOCKER_HOST")
            .env("NO_COLOR", "1");
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command.env("ZDT_COMPOSE", &self.compose_command);
        command
    }

    /// zdt on the shipped recipes, with this sandbox's params.
    pub fn command(&self, args: &[&str]) -> Command {
        let all: Vec<String> = args.iter().map(|arg| (*arg).to_string()).chain(self.params()).collect();
        self.bare(&all)
    }

    /// Runs zdt on the shipped recipes (`recipes/…`), with this sandbox's params.
    #[track_caller]
    pub fn zdt(&self, args: &[&str]) -> Run {
        self.start(args).wait()
    }

    /// Starts it.
    pub fn start(&self, args: &[&str]) -> Running {
        Running::start(self.command(args), None)
    }

    /// Starts it behind a shim.
    pub fn start_behind(&self, shim: &Shim, args: &[&str]) -> Running {
        let mut command = self.command(args);
        shim.stand_before(&mut command);
        Running::start(command, None)
    }

    /// Runs zdt with these arguments and no params.
    #[track_caller]
    pub fn plain(&self, args: &[&str]) -> Run {
        Running::start(self.bare(args), None).wait()
    }

    /// Provisions with an image tag of the sample application.
    #[track_caller]
    pub fn provision(&self, version: &str) -> Run {
        self.zdt(&["recipes/provision.zdt", "--set", &format!("version={version}")])
            .ok()
    }

    /// Upgrades; the caller says what it expects.
    #[track_caller]
    pub fn upgrade(&self, version: &str) -> Run {
        self.zdt(&["recipes/upgrade.zdt", "--set", &format!("version={version}")])
    }

    /// A docker command on this sandbox's engine, which must succeed; gives its standard output.
    #[track_caller]
    pub fn docker(&self, args: &[&str]) -> String {
        self.output("docker".as_ref(), args)
    }

    /// A compose command in the application's folder, as a person would type it there.
    #[track_caller]
    pub fn compose(&self, args: &[&str]) -> String {
        self.output(&self.compose_command, &[&["-p", &self.project], args].concat())
    }

    #[track_caller]
    fn output(&self, program: &Path, args: &[&str]) -> String {
        let mut command = bounded(program, 240);
        command.args(args).env_remove("DOCKER_HOST");
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        if self.dir.is_dir() {
            command.current_dir(&self.dir);
        }
        let output = command
            .output()
            .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        let stderr = String::from_utf8_lossy(&output.stderr);
        if output.status.code() == Some(TOO_LONG) {
            end_without_engine();
        }
        assert!(
            output.status.success(),
            "{} {}: {stderr}",
            program.display(),
            args.join(" ")
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if let (true, Some(engine)) = (self.own, &self.engine) {
            let _ = self::script(&["down", &engine.name]).output();
            return;
        }
        let script = repository().join("tests/common/remove.sh");
        let mut command = bounded("sh", 240);
        command.arg(script).arg(&self.project).env_remove("DOCKER_HOST");
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        let _ = command.output();
    }
}

/// An engine in a container of the machine's.
#[derive(Debug, Clone)]
struct InContainer {
    name: String,
    /// `tcp://ADDRESS:2375`.
    url: String,
}

impl InContainer {
    fn up(name: &str, live_restore: bool) -> InContainer {
        let name = format!("test-{name}-{}", std::process::id());
        at_the_end(&format!("engine {name}"));
        let flags: &[&str] = if live_restore { &["--live-restore"] } else { &[] };
        let line = engine(&[&["up", &name], flags].concat());
        let url = line
            .strip_prefix("DOCKER_HOST=")
            .expect("it prints DOCKER_HOST=…")
            .to_string();
        InContainer { name, url }
    }

    /// Seen inside under the same path.
    fn share(&self) -> PathBuf {
        PathBuf::from(format!("/tmp/zdt-share-{}", self.name))
    }

    /// Makes commands go there; gives its address.
    fn point_at(&self, env: &mut Vec<(String, String)>) -> String {
        env.retain(|(name, _)| name != "DOCKER_HOST");
        env.push(("DOCKER_HOST".to_string(), self.url.clone()));
        let place = self.url.trim_start_matches("tcp://");
        place.rsplit_once(':').expect("it has a port").0.to_string()
    }
}

/// The modern engine of this test binary.
fn modern() -> &'static InContainer {
    static MODERN: OnceLock<InContainer> = OnceLock::new();
    MODERN.get_or_init(|| InContainer::up("modern", false))
}

/// `docker/engine.sh`; gives what it printed.
#[track_caller]
pub fn engine(args: &[&str]) -> String {
    let output = script(args).output().expect("sh starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "engine.sh {}: {stderr}", args.join(" "));
    String::from_utf8_lossy(&output.stdout).trim().to_string()
}

fn script(args: &[&str]) -> Command {
    let mut command = bounded(repository().join("docker/engine.sh"), 600);
    command.args(args).envs(tools().env.iter().cloned());
    command
}

/// A port nobody listens on, from below those that outgoing connections take, another one at each call.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 20_000 + u16::try_from(std::process::id() % 100).unwrap_or(0) * 100;
    loop {
        let port = first + NEXT.fetch_add(1, Ordering::Relaxed);
        if TcpListener::bind(("0.0.0.0", port)).is_ok() {
            return port;
        }
    }
}
