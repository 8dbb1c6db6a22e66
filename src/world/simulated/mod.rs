//! The simulated world: files, an engine, compose and nginx in memory, under a virtual clock.
//!
//! It plays what lies *below* the drivers: command lines, questions and files come in, output and answers go out. A dry run
//! walks it, a check explores it, a test makes it fail at a given call. What it cannot play it says aloud (exit 125).
//! It is seeded from plain data ([`Facts`]) or built up by hand, it is deterministic, and a clone is another world.

mod api;
mod clock;
mod compose;
mod container;
mod docker;
mod endpoints;
mod engine;
mod facts;
mod faults;
mod files;
mod image;
mod inspect;
mod net;
mod network;
mod nginx;
mod processes;
mod state;
mod users;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use facts::Facts;
pub use faults::{Call, Crashed, Fault, Kind, Nth};
pub use image::{Answers, Behaviour, Death, Image, ImageKind};
pub use users::{Cut, Outage};

use crate::world::{Interrupt, Output};
use state::State;

/// A world of its own.
#[derive(Debug, Default)]
pub struct Simulated {
    state: Mutex<State>,
}

impl Clone for Simulated {
    /// Another world, in the same state.
    fn clone(&self) -> Self {
        Self {
            state: Mutex::new(self.lock().clone()),
        }
    }
}

/// How it is set up.
impl Simulated {
    /// An engine without images, containers and networks, and no files.
    pub fn empty() -> Self {
        Self::default()
    }

    /// What a real engine runs, to be walked through without touching it.
    pub fn seed(facts: Facts) -> Self {
        let world = Self::default();
        facts.plant(&mut world.lock());
        world
    }

    fn with(self, change: impl FnOnce(&mut State)) -> Self {
        change(&mut self.lock());
        self
    }

    /// An image that is here.
    pub fn image(self, image: Image) -> Self {
        self.with(|state| state.engine.add_image(image))
    }

    /// An image that a pull brings.
    pub fn registry_image(self, image: Image) -> Self {
        self.with(|state| state.offer(image))
    }

    /// A file with its folders (0644).
    pub fn file(self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) -> Self {
        self.with(|state| state.files.plant(path.as_ref(), content.as_ref(), 0o644))
    }

    pub fn folder(self, path: impl AsRef<Path>) -> Self {
        self.with(|state| state.files.folders(path.as_ref()))
    }

    /// A variable of zdt's own environment, which every command inherits.
    pub fn env(self, name: &str, value: &str) -> Self {
        self.with(|state| state.settings.env.extend([(name.into(), value.into())]))
    }

    /// Any image that is named springs into existence: as nginx if its name says so, else as an app that is well.
    pub fn observe_unknown_images(self, on: bool) -> Self {
        self.with(|state| state.settings.imagine = on)
    }

    /// `1.29.2` makes it compose v1, with v1's order and names; the default is `2.40.3`.
    pub fn compose_version(self, version: &str) -> Self {
        self.with(|state| state.settings.compose = version.to_string())
    }

    /// Of client and engine; the default is `28.5.2`.
    pub fn engine_version(self, version: &str) -> Self {
        self.with(|state| {
            state.settings.engine = version.to_string();
            state.settings.client = version.to_string();
        })
    }

    /// An engine elsewhere: container addresses do not answer and its processes have no title here.
    pub fn remote(self) -> Self {
        self.with(|state| state.settings.local = false)
    }

    /// How long requests run on after a reload (default 200 ms): that long old workers stay.
    pub fn in_flight(self, time: Duration) -> Self {
        self.with(|state| state.settings.in_flight = time)
    }

    pub fn free_space(self, bytes: u64) -> Self {
        self.with(|state| state.settings.free_space = bytes)
    }

    /// Another program listens on this port of the machine.
    pub fn taken_port(self, port: u16) -> Self {
        self.with(|state| state.settings.taken_ports.extend([port]))
    }

    /// Upstreams whose names begin like this (default `zdt`) are not for users and not watched.
    pub fn private_upstreams(self, prefix: &str) -> Self {
        self.with(|state| state.settings.private = prefix.to_string())
    }

    /// What a program other than docker answers, by its name or whole command line.
    pub fn program(self, name: &str, output: Output) -> Self {
        self.with(|state| state.programs.extend([(name.to_string(), output)]))
    }

    /// Programs that nobody described succeed silently (for dry runs) instead of being a gap.
    pub fn play_anything(self, on: bool) -> Self {
        self.with(|state| state.settings.play_anything = on)
    }

    /// Keeps the calls that are made, with what was written.
    pub fn recording(self, on: bool) -> Self {
        self.with(|state| state.faults.recording = on)
    }

    /// A crash makes this and every later call fail without effect, instead of a panic with [`Crashed`].
    pub fn crash_by_error(self, on: bool) -> Self {
        self.with(|state| state.faults.by_error = on)
    }
}

/// What is done to it while it runs, and what is asked of it.
impl Simulated {
    /// Plans a fault. Each fault strikes once.
    pub fn fail_at(&self, nth: Nth, fault: Fault) {
        self.lock().faults.planned.insert(nth, fault);
    }

    /// After a crash: a new zdt runs in the world as the old one left it. Signals are forgotten, planned faults stay.
    pub fn revive(&self) {
        let mut state = self.lock();
        state.faults.dead = false;
        state.interrupts = Default::default();
    }

    pub fn crashed(&self) -> bool {
        self.lock().faults.dead
    }

    /// What was called so far, when recording is on.
    pub fn calls(&self) -> Vec<Call> {
        self.lock().faults.log.clone()
    }

    pub fn call_count(&self) -> usize {
        self.lock().faults.calls
    }

    pub fn mutation_count(&self) -> usize {
        self.lock().faults.mutations
    }

    /// An image of the registry, from now on.
    pub fn publish(&self, image: Image) {
        self.lock().offer(image);
    }

    /// Changes how the app of an image behaves, also in containers that run. False: there is no such app.
    pub fn behave(&self, reference: &str, behaviour: Behaviour) -> bool {
        let mut state = self.lock();
        let found = state.engine.image(reference).map(|image| image.id.clone());
        let Some(image) = found.and_then(|id| state.engine.images.get_mut(&id)) else {
            return false;
        };
        image.kind = ImageKind::App(behaviour);
        state.cause = format!("`{reference}` changed its behaviour");
        state.happen();
        state.changed();
        true
    }

    /// Somebody else runs a command; it is neither counted nor recorded, and no fault strikes it.
    pub fn someone_runs(&self, command: &crate::world::Command<'_>) -> Output {
        processes::someone(&mut self.lock(), command)
    }

    /// Somebody else writes a file.
    pub fn someone_writes(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) {
        self.lock().files.plant(path.as_ref(), content.as_ref(), 0o644);
    }

    /// Another holds (or releases) the lock at `path`.
    pub fn hold_lock(&self, path: impl AsRef<Path>, held: bool) {
        let mut state = self.lock();
        match held {
            true => state.held.insert(path.as_ref().to_path_buf()),
            false => state.held.remove(path.as_ref()),
        };
    }

    pub fn interrupt(&self, interrupt: Interrupt) {
        self.lock().interrupts.arrive(interrupt);
    }

    /// At this virtual time.
    pub fn interrupt_at(&self, at: Duration, interrupt: Interrupt) {
        self.lock().interrupts.planned.push((at, interrupt));
    }

    /// Lets virtual time pass.
    pub fn pass(&self, time: Duration) {
        self.lock().spend(time);
    }

    /// From here on the users are watched; what was seen before is forgotten.
    pub fn start_watching(&self) {
        let mut state = self.lock();
        state.users.start();
        state.cause = "the watch began".into();
        state.changed();
    }

    /// Times in which no backend served an upstream.
    pub fn outages(&self) -> Vec<Outage> {
        self.lock().users.outages.clone()
    }

    /// Requests that were lost to a stop or a limit.
    pub fn cuts(&self) -> Vec<Cut> {
        self.lock().users.cuts.clone()
    }

    /// The least number of healthy, enabled backends that any upstream had since the watch began.
    pub fn min_served(&self) -> Option<usize> {
        self.lock().users.worst
    }

    /// The same, by upstream (those of the configuration that runs).
    pub fn least_served(&self) -> BTreeMap<String, usize> {
        self.lock().users.least.clone()
    }

    /// For each upstream how many healthy backends are enabled now; `None` when no proxy runs.
    pub fn serving(&self) -> Option<BTreeMap<String, usize>> {
        let state = self.lock();
        let serving = state.serving()?;
        Some(
            serving
                .into_iter()
                .map(|(name, count)| (name.to_string(), count))
                .collect(),
        )
    }

    /// A world stays whole when a test panics in the middle of a call: each change is made in one go.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the code above, as a kill would. With `crash_by_error` it returns, and the call fails.
    fn crash(&self) {
        if !self.lock().faults.by_error {
            std::panic::panic_any(Crashed);
        }
    }
}

impl State {
    fn offer(&mut self, image: Image) {
        self.engine.registry.insert(image.reference.clone(), image);
    }
}
