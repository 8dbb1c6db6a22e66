//! zdt in the simulated world, called as the command would call it: a recipe, a resume, a rollback.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Mutex;

use serde_json::Value;
use zdt::drivers::Failure;
use zdt::exec::journal::{self, Head, seconds};
use zdt::exec::recall::{Beginning, Ready, recall, with_templates};
use zdt::exec::rehearsal::Nobody;
use zdt::exec::{Event, Finished, Mode, Options, Session, Sink};
use zdt::plan::{Settings, build, load};
use zdt::site::State;
use zdt::syntax::Source;
use zdt::world::simulated::{Fault, Nth};

use crate::account::Account;
use crate::common::{Sandbox, repository};
use crate::simulated::{Twin, text};

#[derive(Default)]
struct Kept(Mutex<Vec<Value>>);

impl Sink for Kept {
    fn event(&self, event: &Event) {
        let value = serde_json::to_value(event).expect("an event is plain data");
        self.0.lock().expect("nothing panics in here").push(value);
    }
}

impl Twin {
    /// Runs a recipe of this machine.
    pub fn run(&self, sandbox: &Sandbox, recipe: &str, version: &str) -> Account {
        self.told(sandbox, |sink| {
            let ready = ready(sandbox, recipe, version);
            self.session(&ready, Mode::Fresh(Box::new(self.head(&ready))), sink)
        })
    }

    /// `zdt resume`.
    pub fn resume(&self, sandbox: &Sandbox) -> Account {
        self.told(sandbox, |sink| {
            let past = journal::unfinished(&self.world, &self.dir)?.expect("a run is not finished");
            let ready = recalled(past.head.as_ref(), true);
            self.session(&ready, Mode::Resume(&past), sink)
        })
    }

    /// `zdt rollback` when no run is unfinished.
    pub fn rollback(&self, sandbox: &Sandbox) -> Account {
        self.told(sandbox, |sink| {
            let past = journal::telling(&self.world, &self.dir)?.expect("there was a run");
            let ready = recalled(past.head.as_ref(), false);
            let mut head = self.head(&ready);
            head.set = past.head.map(|head| head.set).unwrap_or_default();
            let state = State::load(&self.world, &self.dir)?;
            let other = |(name, (_, id)): (&String, &(String, String))| state.backends[name].image_id != *id;
            let mut sets = state.good.iter().rev();
            let good = sets.find(|good| good.images.iter().any(other));
            let good = good.expect("an earlier set of images");
            let images: BTreeSet<&str> = good.images.values().map(|(image, _)| image.as_str()).collect();
            head.recipe = format!("rollback to {}", images.into_iter().collect::<Vec<_>>().join(", "));
            head.back_to = Some(good.clone());
            self.session(&ready, Mode::Fresh(Box::new(head)), sink)
        })
    }

    /// Runs a recipe until zdt is killed just before the first call with this text in it; gives what was done.
    pub fn killed(&self, sandbox: &Sandbox, recipe: &str, version: &str, call: &str) -> String {
        let ready = ready(sandbox, recipe, version);
        let before = self.files();
        let (calls, mutations) = (self.world.calls().len(), self.world.mutation_count());
        let go = |twin: &Twin| {
            let sink = Kept::default();
            twin.session(&ready, Mode::Fresh(Box::new(twin.head(&ready))), &sink)
        };
        // Another world shows which call that is.
        let other = Twin {
            world: self.world.clone(),
            dir: self.dir.clone(),
            nonces: self.nonces.clone(),
        };
        let _ = go(&other);
        let all = other.world.calls();
        let mut mutating = all[calls..].iter().filter(|call| call.mutates);
        let at = mutating.position(|made| made.what.contains(call));
        let nth = mutations + 1 + at.expect("such a call is made");
        self.world.fail_at(Nth::Mutating(nth), Fault::Crash);
        let _ = go(self);
        assert!(self.world.crashed());
        self.world.revive();
        self.deeds(before, calls)
    }

    fn told(&self, sandbox: &Sandbox, go: impl FnOnce(&Kept) -> Result<Finished, Failure>) -> Account {
        let before = self.files();
        let calls = self.world.calls().len();
        let sink = Kept::default();
        go(&sink).unwrap_or_else(|failure| panic!("it is refused: {failure:?}"));
        let events = sink.0.into_inner().expect("nothing panics in there");
        self.account(sandbox, events, self.deeds(before, calls))
    }

    fn session(&self, ready: &Ready, mode: Mode, sink: &Kept) -> Result<Finished, Failure> {
        let options = Options {
            compose_command: Some("docker-compose".to_string()),
            ..Options::default()
        };
        let session = Session {
            world: &self.world,
            plan: &ready.plan,
            templates: &ready.templates,
            options: &options,
            sink,
            console: &Nobody,
            nonce: &|| self.nonce(),
        };
        session.run(mode)
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
        self.nonces.set(self.nonces.get() + 1);
        format!("{:06x}{:026x}", self.nonces.get(), 0)
    }
}

fn settings(set: Vec<(String, String)>) -> Settings {
    Settings {
        set,
        tasks: Vec::new(),
        env: BTreeMap::new(),
        cwd: repository().to_path_buf(),
    }
}

/// A recipe's plan, with the sandbox's params.
fn ready(sandbox: &Sandbox, recipe: &str, version: &str) -> Ready {
    let given = sandbox.params();
    let pairs = given.iter().filter_map(|word| word.split_once('='));
    let pairs = std::iter::once(("version", version)).chain(pairs);
    let settings = settings(
        pairs
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .collect(),
    );
    let read = |path: &std::path::Path| Ok(text(path));
    let path = repository().join(recipe);
    let source = Source {
        name: recipe.to_string(),
        dir: path.parent().expect("it lies in a folder").to_path_buf(),
        text: text(&path),
    };
    let loaded = load(source, Some(path), &[], &read);
    let paths = loaded.paths.clone();
    let (plan, _) = build(loaded, &settings).unwrap_or_else(|(_, diagnostics)| panic!("{diagnostics:#?}"));
    let ready = with_templates(plan, paths, settings, &read);
    ready.unwrap_or_else(|unplanned| panic!("{:#?}", unplanned.diagnostics))
}

/// The plan that a journal keeps.
fn recalled(head: Option<&Head>, whole: bool) -> Ready {
    let head = head.expect("a journal has a head");
    let ready = recall(head, settings(Vec::new()), whole);
    ready.unwrap_or_else(|unplanned| panic!("{:#?}", unplanned.diagnostics))
}
