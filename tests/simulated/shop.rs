//! A shop in the simulated world: the shipped recipes and templates, two or more backends, and runs of zdt on them.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use serde_json::Value;
use zdt::drivers::Failure;
use zdt::exec::journal::{self, Head, Past, seconds};
use zdt::exec::recall::{Beginning, Ready, recall, with_templates};
use zdt::exec::{Event, Mode, Options, Outcome, Session, Sink};
use zdt::plan::{Settings, build, load, normal};
use zdt::site::State;
use zdt::syntax::Source;
use zdt::verbs::Console;
use zdt::world::simulated::{Answers, Behaviour, Crashed, Fault, Image, ImageKind, Nth, Simulated};
use zdt::world::{Command, Files};

use crate::machine::{declared, machine, quiet, settings};

pub const DIR: &str = "/srv/shop";
pub const OLD: &str = "0.0.1";
pub const NEW: &str = "0.0.2";

/// One zdt after the other in one world.
pub struct Shop {
    pub world: Simulated,
    pub backends: Vec<&'static str>,
    nonces: AtomicU64,
}

/// How one zdt ended.
#[derive(Debug)]
pub enum Ran {
    Ended(Outcome, Vec<Event>),
    Refused(Failure),
    /// Killed.
    Crashed,
    /// No unfinished run was there to go on with.
    Nothing,
}

/// Containers of each backend, and how many serve each upstream.
pub type Picture = (BTreeMap<String, Vec<String>>, Option<BTreeMap<String, usize>>);

/// What a second zdt is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    Resume,
    Rollback,
}

#[derive(Default)]
struct Kept(Mutex<Vec<Event>>);

impl Sink for Kept {
    fn event(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}

struct Nobody;

impl Console for Nobody {
    fn confirm(&self, _: &str) -> Option<bool> {
        None
    }

    fn is_there(&self) -> bool {
        false
    }
}

impl Shop {
    /// Provisioned with the old version, everything up and watched.
    pub fn up() -> Self {
        static UP: OnceLock<Simulated> = OnceLock::new();
        let world = UP.get_or_init(|| Self::provisioned(vec!["app_1", "app_2"]).world);
        Self::over(world.clone(), vec!["app_1", "app_2"])
    }

    /// Three backends, everything up and watched.
    pub fn three() -> Self {
        static UP: OnceLock<Shop> = OnceLock::new();
        UP.get_or_init(|| Self::with(&["app_1", "app_2", "app_3"])).twin()
    }

    /// `name` or `name@upstream`.
    pub fn with(backends: &[&'static str]) -> Self {
        Self::provisioned(backends.to_vec())
    }

    fn provisioned(backends: Vec<&'static str>) -> Self {
        let shop = Self::bare(backends);
        let ran = shop.run("/recipes/provision.zdt", OLD);
        assert!(matches!(ran, Ran::Ended(Outcome::Done, _)), "{ran:#?}");
        shop.world.pass(Duration::from_secs(5));
        shop
    }

    /// The new version is on the machine, and one that is never healthy: `zdt/sample-app:ill`.
    pub fn offers(&self) {
        let ill = Behaviour {
            answers: Answers::Unhealthy,
            ..Behaviour::default()
        };
        self.world.publish(Image::app("zdt/sample-app:0.0.2"));
        self.world
            .publish(Image::new("zdt/sample-app:ill", ImageKind::App(ill)));
    }

    pub fn file(&self, path: &str) -> String {
        String::from_utf8(self.world.read(path.as_ref()).unwrap()).unwrap()
    }

    /// Nothing is there yet.
    pub fn bare(backends: Vec<&'static str>) -> Self {
        let world = machine();
        world.someone_writes("/recipes/app.zdt", declared(&backends));
        let names = backends.iter().map(|name| name.split('@').next().unwrap());
        Self::over(world, names.collect())
    }

    fn over(world: Simulated, backends: Vec<&'static str>) -> Self {
        quiet();
        world.start_watching();
        Self {
            world,
            backends,
            // Long after whatever nonces the seed took.
            nonces: AtomicU64::new(1000),
        }
    }

    /// Another world in the same state.
    pub fn twin(&self) -> Self {
        Self {
            world: self.world.clone(),
            backends: self.backends.clone(),
            nonces: AtomicU64::new(self.nonces.load(Ordering::Relaxed)),
        }
    }

    /// Another one that keeps the calls it is asked.
    pub fn recording(&self) -> Self {
        let twin = self.twin();
        Self {
            world: twin.world.recording(true),
            ..twin
        }
    }

    /// The fault strikes the `n`th of the mutating calls to come.
    pub fn fail(&self, n: usize, fault: Fault) {
        self.world
            .fail_at(Nth::Mutating(self.world.mutation_count() + n), fault);
    }

    pub fn ready(&self, recipe: &str, text: Option<&str>, version: &str) -> Ready {
        let settings = settings(version);
        let read = |path: &Path| {
            let bytes = self.world.read(path).map_err(|error| error.to_string())?;
            String::from_utf8(bytes).map_err(|error| error.to_string())
        };
        let path = normal(Path::new(recipe));
        let source = Source {
            name: recipe.trim_start_matches('/').to_string(),
            dir: path.parent().unwrap().to_path_buf(),
            text: text.map_or_else(|| read(&path).unwrap(), str::to_string),
        };
        let loaded = load(source, Some(path), &[], &read);
        let paths = loaded.paths.clone();
        let plan = match build(loaded, &settings) {
            Ok((plan, _)) => plan,
            Err((_, diagnostics)) => panic!("{diagnostics:#?}"),
        };
        let ready = with_templates(plan, paths, settings, &read);
        ready.unwrap_or_else(|unplanned| panic!("{:#?}", unplanned.diagnostics))
    }

    pub fn run(&self, recipe: &str, version: &str) -> Ran {
        self.go(&self.ready(recipe, None, version), None)
    }

    /// `text` stands beside the shipped recipes.
    pub fn run_text(&self, text: &str) -> Ran {
        self.go(&self.ready("/recipes/test.zdt", Some(text), NEW), None)
    }

    pub fn upgrade(&self) -> Ran {
        self.run("/recipes/upgrade.zdt", NEW)
    }

    /// Another zdt is started, with no signal and no death from before.
    pub fn after(&self, what: After) -> Ran {
        self.world.revive();
        let past = match journal::unfinished(&self.world, Path::new(DIR)) {
            Ok(Some(past)) => past,
            Ok(None) => return Ran::Nothing,
            Err(failure) => return Ran::Refused(failure),
        };
        let head = past.head.as_ref().unwrap();
        let now = Settings {
            set: Vec::new(),
            ..settings(NEW)
        };
        let ready = recall(head, now, true);
        let ready = ready.unwrap_or_else(|unplanned| panic!("{:#?}", unplanned.diagnostics));
        self.go(&ready, Some((what, &past)))
    }

    /// `zdt rollback` where no run is unfinished: back to the set of images before the last.
    pub fn back(&self) -> Ran {
        let past = journal::telling(&self.world, Path::new(DIR)).unwrap().unwrap();
        let now = Settings {
            set: Vec::new(),
            ..settings(NEW)
        };
        let ready = recall(past.head.as_ref().unwrap(), now, false);
        let ready = ready.unwrap_or_else(|unplanned| panic!("{:#?}", unplanned.diagnostics));
        let sets = State::load(&self.world, Path::new(DIR)).unwrap().good;
        let mut head = self.head(&ready);
        head.set = past.head.unwrap().set;
        head.back_to = sets.into_iter().rev().nth(1);
        self.session(&ready, Mode::Fresh(Box::new(head)))
    }

    fn head(&self, ready: &Ready) -> Head {
        let at = seconds(&self.world);
        ready.head(Beginning {
            id: journal::new_id(&self.world, &self.nonce()),
            at,
            user: "tester".to_string(),
            host: "simulated".to_string(),
            allow_downtime: false,
        })
    }

    fn nonce(&self) -> String {
        let number = self.nonces.fetch_add(1, Ordering::Relaxed);
        format!("{number:06x}{:026x}", 0)
    }

    pub fn go(&self, ready: &Ready, after: Option<(After, &Past)>) -> Ran {
        let mode = match after {
            None => Mode::Fresh(Box::new(self.head(ready))),
            Some((After::Resume, past)) => Mode::Resume(past),
            Some((After::Rollback, past)) => Mode::Rollback(past),
        };
        self.session(ready, mode)
    }

    fn session(&self, ready: &Ready, mode: Mode) -> Ran {
        let sink = Kept::default();
        let nonce = || self.nonce();
        let options = Options::default();
        let session = Session {
            world: &self.world,
            plan: &ready.plan,
            templates: &ready.templates,
            options: &options,
            sink: &sink,
            console: &Nobody,
            nonce: &nonce,
        };
        let ran = catch_unwind(AssertUnwindSafe(|| session.run(mode)));
        let ran = ran.map(|ran| match ran {
            Ok(finished) => Ran::Ended(finished.outcome, sink.0.lock().unwrap().clone()),
            Err(failure) => Ran::Refused(failure),
        });
        match ran {
            Ok(ran) => ran,
            Err(payload) if payload.is::<Crashed>() => Ran::Crashed,
            Err(payload) => resume_unwind(payload),
        }
    }

    pub fn unfinished(&self) -> bool {
        self.world.revive();
        journal::unfinished(&self.world, Path::new(DIR)).unwrap().is_some()
    }

    pub fn docker(&self, line: &str) -> String {
        let output = self.world.someone_runs(&Command::new("docker", line.split(' ')));
        assert!(output.success(), "docker {line}: {output:?}");
        output.stdout
    }

    /// All containers of the project, by service.
    fn containers(&self) -> BTreeMap<String, Vec<Value>> {
        let mut by_service: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        let rows = self.world.someone_asks("/containers/json?all=1");
        for row in rows.as_array().unwrap() {
            let id = row["Id"].as_str().unwrap();
            let container = self.world.someone_asks(&format!("/containers/{id}/json"));
            let service = container["Config"]["Labels"]["com.docker.compose.service"].as_str();
            by_service
                .entry(service.unwrap().to_string())
                .or_default()
                .push(container);
        }
        by_service
    }

    /// Every backend is exactly one running container of this version, under its own name, healthy and in traffic.
    pub fn is_all(&self, version: &str) -> Result<(), String> {
        self.world.pass(Duration::from_secs(2));
        let containers = self.containers();
        for backend in &self.backends {
            let of = containers.get(*backend).map(Vec::as_slice).unwrap_or_default();
            let shown: Vec<String> = of
                .iter()
                .map(|one| format!("{} {} {}", one["Name"], one["Config"]["Image"], one["State"]["Status"]))
                .collect();
            let right = |one: &Value| {
                one["Config"]["Image"] == format!("zdt/sample-app:{version}")
                    && one["State"]["Status"] == "running"
                    && one["Name"] == format!("/zerodowntime-{backend}-1")
            };
            if of.len() != 1 || !right(&of[0]) {
                return Err(format!("{backend} is not one container of {version}: {shown:?}"));
            }
        }
        self.all_serve()
    }

    /// Image and state of each backend's containers, and how many serve.
    pub fn picture(&self) -> Picture {
        self.world.pass(Duration::from_secs(2));
        let shown = |one: &Value| format!("{} {}", one["Config"]["Image"], one["State"]["Status"]);
        let containers = self.containers();
        let backends = containers
            .iter()
            .filter(|(service, _)| self.backends.contains(&service.as_str()));
        let pictured = backends.map(|(service, of)| (service.clone(), of.iter().map(shown).collect()));
        (pictured.collect(), self.world.serving())
    }

    /// All of them are healthy and in traffic.
    pub fn all_serve(&self) -> Result<(), String> {
        let serving = self.world.serving().unwrap_or_default();
        match serving.values().sum::<usize>() == self.backends.len() {
            true => Ok(()),
            false => Err(format!("in traffic are only {serving:?}")),
        }
    }

    /// What the users saw so far.
    pub fn unharmed(&self, least: usize) -> Result<(), String> {
        let (served, outages, cuts) = (self.world.min_served(), self.world.outages(), self.world.cuts());
        if served.is_some_and(|served| served < least) || !outages.is_empty() || !cuts.is_empty() {
            return Err(format!("users: least served {served:?}, {outages:?}, {cuts:?}"));
        }
        Ok(())
    }

    /// A plain `compose up -d` changes nothing, and a restart of the proxy brings the same traffic back.
    pub fn at_rest(&self) -> Result<(), String> {
        let twin = self.twin();
        let ids = |shop: &Shop| -> Vec<String> {
            let all = shop.containers();
            all.values().flatten().map(|one| one["Id"].to_string()).collect()
        };
        let before = ids(&twin);
        twin.docker(&format!(
            "compose -p zerodowntime --project-directory {DIR} -f {DIR}/docker-compose.yml up -d"
        ));
        if ids(&twin) != before {
            return Err("a plain `compose up -d` recreates something".to_string());
        }
        twin.docker("restart zerodowntime-proxy-1");
        twin.world.pass(Duration::from_secs(2));
        twin.all_serve()
            .map_err(|why| format!("after a restart of the proxy {why}"))?;
        let state = State::load(&self.world, Path::new(DIR)).map_err(|failure| failure.message)?;
        // Where nginx's file is not zdt's, it knows of no traffic.
        match state.config.is_none() || state.backends.values().all(|backend| backend.enabled) {
            true => Ok(()),
            false => Err(format!("the state says: {:?}", state.backends)),
        }
    }
}
