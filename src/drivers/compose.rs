//! docker-compose, both generations, as a command line. Only changes go through it, and the resolved model of a file;
//! what runs is asked from the engine.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use super::{Failure, said};
use crate::world::{Command, Lock, Output, ProcessError, World};

/// Which generation of compose answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavour {
    /// `docker-compose` 1.x (python). Dies on engines from 25 on after it stopped the old container.
    V1,
    /// `docker compose` 2.x or the same program on its own.
    V2,
}

/// A compose command that was found and asked for its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// First words of every command line (`["docker", "compose"]`).
    pub words: Vec<String>,
    pub flavour: Flavour,
    pub version: String,
}

/// One compose file of one project.
pub struct Compose<'w> {
    world: &'w dyn World,
    program: Program,
    project: String,
    file: PathBuf,
    lock: Option<&'w Lock>,
}

/// What a compose file says once compose has resolved it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Model {
    pub services: BTreeMap<String, Service>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Service {
    pub image: Option<String>,
    /// Network to pinned address.
    pub addresses: BTreeMap<String, String>,
    pub networks: Vec<String>,
    /// Services whose recreation restarts this one (`depends_on: { x: { restart: true } }`).
    pub restarted_with: Vec<String>,
    pub restart: Option<String>,
    /// Of the user's choice.
    pub container_name: Option<String>,
    /// Where it publishes its ports: TCP, and not those whose number the engine chooses.
    pub published: Vec<SocketAddr>,
    pub replicas: u64,
}

/// How `up` treats what already runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Up {
    /// What runs stays as it is.
    KeepRunning,
    /// The named services get new containers; nothing else is touched.
    Recreate,
}

/// An image is on the engine before compose is called, so compose only creates and starts.
const UP_LIMIT: Duration = Duration::from_secs(300);

impl Program {
    /// Finds compose: what `choice` says, else `docker compose`, else `docker-compose`.
    ///
    /// `choice` is a command line as [`words`] reads it.
    pub fn find(world: &dyn World, docker: &str, choice: Option<&str>) -> Result<Self, Failure> {
        let candidates: Vec<Vec<String>> = match choice {
            Some(choice) => vec![words(world, choice)],
            None => vec![
                vec![docker.to_string(), "compose".to_string()],
                vec!["docker-compose".to_string()],
            ],
        };
        for words in &candidates {
            if let Some(program) = Self::ask(world, words)? {
                return Ok(program);
            }
        }
        let tried: Vec<String> = candidates
            .iter()
            .map(|words| format!("`{}`", words.join(" ")))
            .collect();
        Err(Failure::refused(format!("no compose found: {} did not answer", tried.join(" and ")))
            .help("install Compose v2 (package `docker-compose-plugin` or `docker-compose`), or name it with --compose-command"))
    }

    fn ask(world: &dyn World, words: &[String]) -> Result<Option<Self>, Failure> {
        let Some((program, rest)) = words.split_first() else {
            return Ok(None);
        };
        let args = rest.iter().map(String::as_str).chain(["version", "--short"]);
        let output = match world.run(&Command::new(program, args)) {
            Ok(output) => output,
            Err(ProcessError::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let version = output.stdout.trim().trim_start_matches('v').to_string();
        if !output.success() || !version.starts_with(|c: char| c.is_ascii_digit()) {
            return Ok(None);
        }
        let flavour = if version.starts_with("1.") {
            Flavour::V1
        } else {
            Flavour::V2
        };
        Ok(Some(Self {
            words: words.to_vec(),
            flavour,
            version,
        }))
    }
}

/// The words of a compose command that somebody has named (`docker-compose`, `/opt/my tools/docker-compose`,
/// `/opt/docker compose`): a file of that whole name, blanks and all, else plain words.
pub fn words(world: &dyn World, command: &str) -> Vec<String> {
    match command.contains('/') && matches!(world.kind(Path::new(command)), Ok(Some(_))) {
        true => vec![command.to_string()],
        false => command.split_whitespace().map(str::to_string).collect(),
    }
}

impl<'w> Compose<'w> {
    pub fn new(world: &'w dyn World, program: Program, project: &str, file: &Path, lock: Option<&'w Lock>) -> Self {
        Self {
            world,
            program,
            project: project.to_string(),
            file: file.to_path_buf(),
            lock,
        }
    }

    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Creates and starts `services` (all when empty) without their dependencies, builds or pulls.
    pub fn up(&self, services: &[&str], mode: Up) -> Result<(), Failure> {
        let mut args = vec!["up", "-d", "--no-build"];
        if !services.is_empty() {
            args.push("--no-deps");
        }
        args.push(match mode {
            Up::KeepRunning => "--no-recreate",
            Up::Recreate => "--force-recreate",
        });
        if self.program.flavour == Flavour::V2 {
            args.extend(["--pull", "never"]);
        }
        args.extend(services);
        self.change(&args).map(drop)
    }

    pub fn stop(&self, services: &[&str]) -> Result<(), Failure> {
        self.change(&[&["stop"], services].concat()).map(drop)
    }

    pub fn start(&self, services: &[&str]) -> Result<(), Failure> {
        self.change(&[&["start"], services].concat()).map(drop)
    }

    pub fn restart(&self, services: &[&str]) -> Result<(), Failure> {
        self.change(&[&["restart"], services].concat()).map(drop)
    }

    /// Removes the project's containers and networks; its volumes too when asked.
    pub fn down(&self, volumes: bool) -> Result<(), Failure> {
        let mut args = vec!["down", "--remove-orphans"];
        if volumes {
            args.push("-v");
        }
        self.change(&args).map(drop)
    }

    /// The command line for a program inside a service's container, without a terminal.
    pub fn exec<'a>(&'a self, service: &str, argv: &[String], env: &[(String, String)]) -> Command<'a> {
        let mut args = vec!["exec".to_string(), "-T".to_string()];
        for (name, _) in env {
            args.extend(["-e".to_string(), name.clone()]);
        }
        args.push(service.to_string());
        args.extend(argv.iter().cloned());
        let words: Vec<&str> = args.iter().map(String::as_str).collect();
        Command {
            env: env.to_vec(),
            ..self.command(&self.file, &words)
        }
    }

    /// The resolved model of `file` (which may be a candidate beside the installed one). Fails as compose fails.
    pub fn model(&self, file: &Path) -> Result<Model, Failure> {
        self.model_with(file, Vec::new())
    }

    /// The same with other values for its variables.
    pub fn model_with(&self, file: &Path, env: Vec<(String, String)>) -> Result<Model, Failure> {
        let args: &[&str] = match self.program.flavour {
            Flavour::V2 => &["config", "--format", "json"],
            Flavour::V1 => &["config"],
        };
        let output = self.read(Command {
            env,
            ..self.command(file, args)
        })?;
        let value: Value = match self.program.flavour {
            Flavour::V2 => serde_json::from_str(&output.stdout).map_err(|error| error.to_string()),
            Flavour::V1 => serde_saphyr::from_str(&output.stdout).map_err(|error| error.to_string()),
        }
        .map_err(|error| {
            Failure::new(format!(
                "cannot read what compose says of `{}`: {error}",
                file.display()
            ))
        })?;
        Ok(model(&value))
    }

    /// The hash compose gives each service; a container whose label differs would be recreated by a plain `up`.
    pub fn hashes(&self) -> Result<BTreeMap<String, String>, Failure> {
        let output = self.read(self.command(&self.file, &["config", "--hash", "*"]))?;
        Ok(output
            .stdout
            .lines()
            .filter_map(|line| {
                let (service, hash) = line.trim().split_once(' ')?;
                Some((service.to_string(), hash.trim().to_string()))
            })
            .collect())
    }

    fn read(&self, command: Command<'_>) -> Result<Output, Failure> {
        let output = self.world.run(&command)?;
        if output.success() {
            Ok(output)
        } else {
            Err(said(&command, &output))
        }
    }

    fn change(&self, args: &[&str]) -> Result<Output, Failure> {
        let command = Command {
            deadline: UP_LIMIT,
            interruptible: false,
            mutates: true,
            lock: self.lock,
            ..self.command(&self.file, args)
        };
        let output = self.world.run(&command)?;
        if output.success() {
            Ok(output)
        } else {
            Err(said(&command, &output))
        }
    }

    fn command(&self, file: &Path, args: &[&str]) -> Command<'_> {
        let (program, words) = self
            .program
            .words
            .split_first()
            .expect("a found program has a first word");
        let file = file.to_string_lossy();
        let dir = self.file.parent().unwrap_or(Path::new("/")).to_string_lossy();
        let words = words.iter().map(String::as_str);
        let options = ["-p", &self.project, "--project-directory", &dir, "-f", &file];
        Command::new(program, words.chain(options).chain(args.iter().copied()))
    }
}

fn model(value: &Value) -> Model {
    let services = value["services"].as_object().into_iter().flatten();
    Model {
        services: services.map(|(name, value)| (name.clone(), service(value))).collect(),
    }
}

fn service(value: &Value) -> Service {
    let networks = &value["networks"];
    let addresses = networks
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(name, network)| Some((name.clone(), network["ipv4_address"].as_str()?.to_string())));
    let names = match networks {
        Value::Object(map) => map.keys().cloned().collect(),
        Value::Array(list) => list
            .iter()
            .filter_map(|name| name.as_str().map(str::to_string))
            .collect(),
        _ => vec!["default".to_string()],
    };
    let restarted_with = value["depends_on"]
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, dependency)| dependency["restart"].as_bool() == Some(true))
        .map(|(name, _)| name.clone());
    Service {
        image: value["image"].as_str().map(str::to_string),
        addresses: addresses.collect(),
        networks: names,
        restarted_with: restarted_with.collect(),
        restart: value["restart"].as_str().map(str::to_string),
        container_name: value["container_name"].as_str().map(str::to_string),
        published: value["ports"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(published)
            .collect(),
        replicas: value["deploy"]["replicas"]
            .as_u64()
            .or(value["scale"].as_u64())
            .unwrap_or(1),
    }
}

/// The place on the host of one entry of `ports`: an object (v2) or a text such as `127.0.0.1:8080:80/tcp` (v1).
fn published(entry: &Value) -> Option<SocketAddr> {
    let (ip, port, protocol) = match entry {
        Value::Object(map) => {
            let port = match map.get("published")? {
                Value::String(text) => text.parse().ok()?,
                Value::Number(number) => number.as_u64()?.try_into().ok()?,
                _ => return None,
            };
            (entry["host_ip"].as_str(), port, entry["protocol"].as_str())
        }
        Value::String(text) => {
            let (text, protocol) = match text.split_once('/') {
                Some((text, protocol)) => (text, Some(protocol)),
                None => (text.as_str(), None),
            };
            let (place, _) = text.rsplit_once(':')?;
            let (ip, port) = match place.rsplit_once(':') {
                Some((ip, port)) => (Some(ip.trim_matches(['[', ']'])), port),
                None => (None, place),
            };
            (ip, port.parse().ok()?, protocol)
        }
        _ => return None,
    };
    let ip = match ip.filter(|ip| !ip.is_empty()) {
        Some(ip) => ip.parse().ok()?,
        None => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    };
    let tcp = protocol.is_none_or(|protocol| protocol == "tcp");
    (tcp && port != 0).then(|| SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_published_ports_of_both_generations() {
        let read = |value: Value| published(&value).map(|place| place.to_string());
        let some = |text: &str| Some(text.to_string());
        assert_eq!(read("8080:80".into()), some("0.0.0.0:8080"));
        assert_eq!(read("127.0.0.1:8080:80/tcp".into()), some("127.0.0.1:8080"));
        assert_eq!(read("[::1]:8080:80".into()), some("[::1]:8080"));
        assert_eq!(read("8080:80/udp".into()), None);
        assert_eq!(read("80".into()), None);
        assert_eq!(
            read(serde_json::json!({"target": 80, "published": "8080"})),
            some("0.0.0.0:8080")
        );
        assert_eq!(
            read(serde_json::json!({"target": 80, "published": 8080, "host_ip": "10.0.0.1"})),
            some("10.0.0.1:8080")
        );
        assert_eq!(
            read(serde_json::json!({"target": 80, "published": "8080", "protocol": "udp"})),
            None
        );
        assert_eq!(read(serde_json::json!({"target": 80})), None);
    }
}
