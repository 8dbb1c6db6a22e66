//! A simulated world that is like a sandbox: the same paths, images and versions; and what can be told of it.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use zdt::world::simulated::{Behaviour, Death, Image, ImageKind, Kind, Simulated};
use zdt::world::{Files as _, HttpRequest, Net};

use crate::account::Account;
use crate::common::{Sandbox, repository};
use crate::deeds::{Deeds, Files, is_own};
use crate::real::{answers, only_looks};

pub struct Twin {
    pub(crate) world: Simulated,
    pub(crate) dir: PathBuf,
    pub(crate) nonces: Cell<u64>,
}

impl Twin {
    /// The machine of a sandbox before anything was done.
    pub fn of(sandbox: &Sandbox) -> Self {
        let mut world = Simulated::empty()
            .engine_version(sandbox.docker(&["version", "--format", "{{.Server.Version}}"]).trim())
            .compose_version(sandbox.compose(&["version", "--short"]).trim())
            .image(Image::app("zdt/sample-app:0.0.1"))
            .image(Image::app("zdt/sample-app:0.0.2"))
            .image(Image::new("zdt/sample-app:0.0.3-dies", ImageKind::App(dies())))
            .image(Image::nginx("zdt/nginx:new", "1.30.1"))
            .image(Image::nginx("zdt/nginx:old", "1.22.1"))
            .image(Image::new("zdt/redis:debian", ImageKind::Other))
            .folder(sandbox.home())
            .recording(true)
            .crash_by_error(true);
        // What the recipes copy.
        let folder = repository().join("docker/bootstrap/html");
        for entry in fs::read_dir(folder).expect("the repository is there") {
            let path = entry.expect("it can be listed").path();
            world = world.file(&path, text(&path));
        }
        Self {
            world,
            dir: sandbox.dir.clone(),
            nonces: Cell::new(0),
        }
    }

    /// What there is to tell after a run that told `events` and did `deeds`.
    pub(crate) fn account(&self, sandbox: &Sandbox, events: Vec<Value>, deeds: String) -> Account {
        self.world.pass(Duration::from_secs(2));
        let journals = self.dir.join(".zdt/journal");
        let newest = self.world.list(&journals).expect("journals are kept").pop();
        let containers = self.containers();
        Account {
            events,
            deeds,
            answers: answers(containers.len(), || self.get(&sandbox.url("/ping"))),
            containers,
            state: self.read(&self.dir.join(".zdt/state.json")),
            journal: self.read(&journals.join(newest.expect("there is one"))),
        }
    }

    /// A file of somebody else's.
    pub fn write(&self, path: &Path, text: &str) {
        self.world.someone_writes(path, text);
    }

    /// What was called since, in the words of [`Deeds`].
    pub(crate) fn deeds(&self, before: Files, calls: usize) -> String {
        let mut files = before.clone();
        let mut deeds = Deeds::from(before);
        for call in &self.world.calls()[calls..] {
            let path = PathBuf::from(&call.what);
            match (call.kind, &call.content) {
                (Kind::Run { .. }, _) if !only_looks(&call.what) => deeds.command(&call.what, files.clone()),
                (Kind::Write, Some(content)) if is_own(&self.dir, &path) => {
                    files.insert(path, content.clone());
                }
                (Kind::Remove, _) => drop(files.remove(&path)),
                _ => {}
            }
        }
        assert_eq!(files, self.files(), "a file changed without a call");
        deeds.end(files)
    }

    pub(crate) fn files(&self) -> Files {
        let mut found = Files::new();
        let mut paths = vec![self.dir.clone()];
        while let Some(path) = paths.pop() {
            match self.world.list(&path) {
                Ok(names) => paths.extend(names.iter().map(|name| path.join(name))),
                Err(_) if is_own(&self.dir, &path) && self.world.read(&path).is_ok() => {
                    let content = self.read(&path);
                    found.insert(path, content);
                }
                Err(_) => {}
            }
        }
        found
    }

    fn read(&self, path: &Path) -> String {
        let bytes = self.world.read(path);
        let bytes = bytes.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn containers(&self) -> Vec<[String; 5]> {
        let rows = self.world.someone_asks("/containers/json?all=1");
        let mut containers: Vec<[String; 5]> = rows
            .as_array()
            .expect("a list")
            .iter()
            .map(|row| {
                let id = row["Id"].as_str().expect("an id");
                let one = self.world.someone_asks(&format!("/containers/{id}/json"));
                let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
                let running = one["State"]["Running"] == true;
                [
                    text(&one["Config"]["Labels"]["com.docker.compose.service"]),
                    text(&one["Name"]).trim_start_matches('/').to_string(),
                    text(&one["Config"]["Image"]),
                    text(&one["Image"]),
                    if running { "running" } else { "stopped" }.to_string(),
                ]
            })
            .collect();
        containers.sort();
        containers
    }

    fn get(&self, url: &str) -> (u16, String) {
        let answer = self.world.get(&HttpRequest {
            url: url.to_string(),
            host: None,
            timeout: Duration::from_secs(5),
        });
        let answer = answer.unwrap_or_else(|error| panic!("GET {url}: {error}"));
        (answer.status, answer.body)
    }
}

/// A file of this machine.
pub fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The sample application with `APP_DIES`.
fn dies() -> Behaviour {
    Behaviour {
        dies: Some(Death {
            after: Duration::from_millis(5),
            code: 3,
            log: "app_1@0.0.3-dies: cannot start: the orders table has an unknown schema (APP_DIES)".to_string(),
            out_of_memory: false,
            once: false,
        }),
        ..Behaviour::default()
    }
}
