//! What is the case, asked from the engine and from the disk: never from zdt.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::Sandbox;

/// A container as the engine has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    pub service: String,
    pub id: String,
    pub name: String,
    /// The name it was made from.
    pub image: String,
    pub image_id: String,
    pub started: String,
    pub running: bool,
}

const FORMAT: &str = "{{index .Config.Labels \"com.docker.compose.service\"}}|{{.Id}}|{{.Name}}|{{.Config.Image}}|\
                      {{.Image}}|{{.State.StartedAt}}|{{.State.Running}}";

impl Sandbox {
    /// All containers of the project, stopped ones and one-offs too, by service.
    pub fn containers(&self) -> Vec<Fact> {
        let label = format!("label=com.docker.compose.project={}", self.project);
        let ids = self.docker(&["ps", "-aq", "--no-trunc", "--filter", &label]);
        let ids: Vec<&str> = ids.split_whitespace().collect();
        if ids.is_empty() {
            return Vec::new();
        }
        let text = self.docker(&[&["inspect", "--format", FORMAT], ids.as_slice()].concat());
        let mut facts: Vec<Fact> = text.lines().map(fact).collect();
        facts.sort_by(|a, b| (&a.service, &a.id).cmp(&(&b.service, &b.id)));
        facts
    }

    /// The one container of a service.
    #[track_caller]
    pub fn container(&self, service: &str) -> Fact {
        let mut all = self.containers();
        all.retain(|fact| fact.service == service);
        assert_eq!(all.len(), 1, "one container of `{service}` was expected: {all:?}");
        all.remove(0)
    }

    /// Service to the image its running container was made from.
    pub fn images(&self) -> BTreeMap<String, String> {
        let running = self.containers().into_iter().filter(|fact| fact.running);
        running.map(|fact| (fact.service, fact.image)).collect()
    }

    /// Asserts that both backends run this version of the application, and nothing half made lies about.
    #[track_caller]
    pub fn assert_version(&self, version: &str) {
        for backend in ["app_1", "app_2"] {
            let fact = self.container(backend);
            assert!(fact.running, "{fact:?}");
            assert_eq!(fact.image, format!("zdt/sample-app:{version}"), "{backend}");
            assert_eq!(
                fact.image_id,
                self.image_id(&fact.image),
                "{backend} runs another image than its name says"
            );
        }
        let names: Vec<String> = self.containers().into_iter().map(|fact| fact.service).collect();
        assert_eq!(names, ["app_1", "app_2", "db", "proxy"]);
    }

    pub fn image_id(&self, image: &str) -> String {
        self.docker(&["image", "inspect", "--format", "{{.Id}}", image])
            .trim()
            .to_string()
    }

    /// The installed configuration of the proxy.
    pub fn config(&self) -> String {
        self.read("nginx/default.conf")
    }

    /// Asserts that every backend is in traffic by the installed configuration.
    #[track_caller]
    pub fn assert_all_enabled(&self) {
        let config = self.config();
        let servers: Vec<&str> = config
            .lines()
            .map(str::trim)
            .filter(|line| line.starts_with("server "))
            .collect();
        let servers: Vec<&str> = servers.into_iter().filter(|line| line.ends_with(';')).collect();
        assert_eq!(servers.len(), 2, "{config}");
        assert!(servers.iter().all(|line| !line.contains(" down")), "{servers:?}");
    }

    /// Every file of the application's folder with its content and time, but for zdt's own.
    pub fn files(&self) -> BTreeMap<PathBuf, (Vec<u8>, SystemTime)> {
        let mut found = BTreeMap::new();
        walk(&self.dir, &mut found);
        found.retain(|path, _| !path.starts_with(self.dir.join(".zdt")));
        found
    }

    /// Containers and files: equal before and after means that nothing was changed.
    pub fn snapshot(&self) -> impl PartialEq + std::fmt::Debug + use<> {
        (self.containers(), self.files())
    }

    pub fn read(&self, path: &str) -> String {
        let path = self.dir.join(path);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}

fn fact(line: &str) -> Fact {
    let parts: Vec<&str> = line.split('|').collect();
    let [service, id, name, image, image_id, started, running] = parts.as_slice() else {
        panic!("docker inspect said `{line}`");
    };
    Fact {
        service: (*service).to_string(),
        id: (*id).to_string(),
        name: name.trim_start_matches('/').to_string(),
        image: (*image).to_string(),
        image_id: (*image_id).to_string(),
        started: (*started).to_string(),
        running: *running == "true",
    }
}

fn walk(folder: &Path, found: &mut BTreeMap<PathBuf, (Vec<u8>, SystemTime)>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            walk(&path, found);
        } else {
            let content = std::fs::read(&path).unwrap_or_default();
            let time = entry
                .metadata()
                .and_then(|meta| meta.modified())
                .unwrap_or(SystemTime::UNIX_EPOCH);
            found.insert(path, (content, time));
        }
    }
}
