//! A compose project: where it is, its files read and brought into one form.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use super::normal::{normal, resolve};
use crate::world::simulated::engine::Failure;
use crate::world::simulated::image::digest;
use crate::world::simulated::state::State;

/// What one compose command line is about.
#[derive(Debug)]
pub(super) struct Project {
    pub name: String,
    pub folder: PathBuf,
    pub files: Vec<PathBuf>,
    /// Resolved, as printed.
    pub model: Arc<Value>,
}

/// Where a project is said to be.
#[derive(Debug, Default)]
pub(super) struct Location {
    pub name: Option<String>,
    pub files: Vec<PathBuf>,
    pub folder: Option<PathBuf>,
    pub env_files: Vec<PathBuf>,
    pub cwd: PathBuf,
    pub env: BTreeMap<String, String>,
}

impl Project {
    pub(super) fn load(state: &mut State, at: Location) -> Result<Self, Failure> {
        let absolute = |path: &PathBuf| normal(&at.cwd.join(path));
        let mut files: Vec<PathBuf> = at.files.iter().map(absolute).collect();
        if files.is_empty() {
            let names = [
                "compose.yaml",
                "compose.yml",
                "docker-compose.yml",
                "docker-compose.yaml",
            ];
            let folder = at.folder.as_ref().map_or_else(|| at.cwd.clone(), absolute);
            let found = names
                .iter()
                .map(|name| folder.join(name))
                .find(|path| state.files.file(path).is_some());
            files.push(found.ok_or_else(|| Failure::exit(1, "no configuration file provided: not found\n".into()))?);
        }
        let beside = files[0].parent().unwrap_or(Path::new("/")).to_path_buf();
        let folder = at.folder.as_ref().map_or(beside, absolute);
        let mut texts = Vec::new();
        for file in &files {
            let text = state.files.text(file);
            texts.push(
                text.ok_or_else(|| Failure::exit(1, format!("open {}: no such file or directory\n", file.display())))?,
            );
        }
        let mut variables = BTreeMap::new();
        let env_files = match at.env_files.as_slice() {
            [] => vec![folder.join(".env")],
            named => named.iter().map(absolute).collect(),
        };
        for file in env_files {
            variables.extend(env_file(&state.files.text(&file).unwrap_or_default()));
        }
        variables.extend(state.settings.env.clone());
        variables.extend(at.env);
        let named = at.name.or_else(|| variables.get("COMPOSE_PROJECT_NAME").cloned());
        let key = format!("{named:?} {folder:?} {texts:?} {variables:?}");
        let known = state.projects.iter().find(|(own, _)| *own == key);
        let model = match known {
            Some((_, model)) => Arc::clone(model),
            None => {
                let lookup = |name: &str| variables.get(name).cloned();
                let model = resolve(&texts, &lookup, &folder, named).map_err(|text| Failure::exit(1, text + "\n"))?;
                let model = Arc::new(model);
                state.projects.truncate(15);
                state.projects.insert(0, (key, Arc::clone(&model)));
                model
            }
        };
        let name = model["name"].as_str().unwrap_or_default().to_string();
        Ok(Self {
            name,
            folder,
            files,
            model,
        })
    }

    pub(super) fn services(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.model["services"].as_object().into_iter().flatten()
    }

    pub(super) fn service(&self, name: &str) -> Result<&Value, Failure> {
        let found = self.model["services"].get(name);
        found.ok_or_else(|| Failure::exit(1, format!("no such service: {name}\n")))
    }

    /// The real name of a network or volume of this project.
    pub(super) fn named(&self, kind: &str, key: &str) -> String {
        let given = self.model[kind][key]["name"].as_str().map(str::to_string);
        given.unwrap_or_else(|| format!("{}_{key}", self.name))
    }

    /// Compose's hash of a service: all that makes another container necessary.
    pub(super) fn hash(&self, state: &State, name: &str) -> String {
        let mut service = self.model["services"][name].clone();
        if let Value::Object(map) = &mut service {
            for key in [
                "build",
                "depends_on",
                "scale",
                "deploy",
                "profiles",
                "develop",
                "pull_policy",
            ] {
                map.shift_remove(key);
            }
        }
        let own = digest(&service.to_string());
        state.hashes.get(&own).cloned().unwrap_or(own)
    }
}

/// A service's own hash as computed here, for the names under which the real compose knows it.
pub(in crate::world::simulated) fn own_hashes(state: &mut State, file: &Path, project: &str) -> Vec<(String, String)> {
    let at = Location {
        name: Some(project.to_string()),
        files: vec![file.to_path_buf()],
        ..Location::default()
    };
    let Ok(project) = Project::load(state, at) else {
        return Vec::new();
    };
    let names = project.services().map(|(name, _)| name.clone());
    names.map(|name| (name.clone(), project.hash(state, &name))).collect()
}

fn env_file(text: &str) -> impl Iterator<Item = (String, String)> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| {
        let (name, value) = line.strip_prefix("export ").unwrap_or(line).split_once('=')?;
        // A comment begins behind a blank.
        let value = value.split(" #").next().unwrap_or_default().trim();
        let inner = ['"', '\'']
            .iter()
            .find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
        Some((name.trim().to_string(), inner.unwrap_or(value).to_string()))
    })
}
