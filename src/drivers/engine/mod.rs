//! Facts from the container engine, over its API (a millisecond or two each; a `docker` program takes thirty, compose 70
//! to 690), each good for one moment ([`crate::world::Api::ask`]). Also the few changes that are not compose's, as `docker` command lines: tags, signals, stop, remove.

mod container;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

pub use container::{Container, Identity, Mount, Published, State};

use super::Failure;
use crate::world::{Command, Lock, Output, Question, World};

/// The engine that `docker` on this machine talks to.
pub struct Engine<'w> {
    world: &'w dyn World,
    docker: String,
    lock: Option<&'w Lock>,
}

/// A process of a container, with the pid it has on the engine's machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    pub pid: u32,
    pub title: String,
}

impl<'w> Engine<'w> {
    pub fn new(world: &'w dyn World, docker: impl Into<String>, lock: Option<&'w Lock>) -> Self {
        Self {
            world,
            docker: docker.into(),
            lock,
        }
    }

    pub fn docker(&self) -> &str {
        &self.docker
    }

    /// What the engine knows under this path; `None` when it has no such thing.
    fn fact(&self, path: &str) -> Result<Option<Arc<Value>>, Failure> {
        let question = Question {
            docker: &self.docker,
            path,
            deadline: SHORT,
        };
        let reply = self.world.ask(&question)?;
        match reply.status {
            200 => Ok(Some(reply.body)),
            404 => Ok(None),
            status => {
                let said = reply.body["message"].as_str().unwrap_or_default();
                Err(Failure::new(format!("the engine answers {status} to `GET {path}`")).lines(said, 12))
            }
        }
    }

    /// A list that the engine always has.
    fn facts(&self, path: &str) -> Result<Vec<Value>, Failure> {
        match self.fact(path)?.map(Arc::unwrap_or_clone) {
            Some(Value::Array(list)) => Ok(list),
            _ => Err(Failure::new(format!("the engine has no list under `{path}`"))),
        }
    }

    /// Runs `docker args…` for something that changes no container; a non-zero exit is a failure that carries what docker said.
    pub fn ask(&self, args: &[&str]) -> Result<Output, Failure> {
        let command = Command::new(&self.docker, args.iter().copied());
        let output = self.world.run(&command)?;
        if output.success() {
            Ok(output)
        } else {
            Err(said(&command, &output))
        }
    }

    /// Runs `docker args…` for a change: not ended by the first interrupt, keeps the lock, shown in the plan.
    pub fn change(&self, args: &[&str], deadline: Duration) -> Result<Output, Failure> {
        let output = self.world.run(&self.changing(args, deadline))?;
        if output.success() {
            Ok(output)
        } else {
            Err(said(&self.changing(args, deadline), &output))
        }
    }

    fn changing(&self, args: &[&str], deadline: Duration) -> Command<'w> {
        Command {
            deadline,
            interruptible: false,
            mutates: true,
            lock: self.lock,
            ..Command::new(&self.docker, args.iter().copied())
        }
    }

    /// The engine's version (`28.5.1`).
    pub fn version(&self) -> Result<String, Failure> {
        let found = self.fact("/version").map_err(|failure| Failure {
            message: "the container engine does not answer".into(),
            ..failure
                .help("start it (`systemctl start docker`), or point DOCKER_HOST at one; `docker version` must work")
        })?;
        let version = found.as_ref().and_then(|found| found["Version"].as_str());
        Ok(version.unwrap_or_default().to_string())
    }

    /// All containers of a project, one-offs left out, stopped ones too.
    pub fn containers(&self, project: &str) -> Result<Vec<Container>, Failure> {
        self.labelled(&[project_label(project)])
    }

    /// The same of one service.
    pub fn of_service(&self, project: &str, service: &str) -> Result<Vec<Container>, Failure> {
        self.labelled(&[project_label(project), format!("com.docker.compose.service={service}")])
    }

    /// All that compose has made from a folder, whatever their project.
    pub fn of_folder(&self, folder: &Path) -> Result<Vec<Container>, Failure> {
        let folder = folder.display();
        self.labelled(&[format!("com.docker.compose.project.working_dir={folder}")])
    }

    fn labelled(&self, labels: &[String]) -> Result<Vec<Container>, Failure> {
        let all = self.raw(labels)?;
        let mut containers: Vec<Container> = all
            .iter()
            .map(|one| container::container(one))
            .filter(|(_, one_off)| !one_off)
            .map(|(container, _)| container)
            .collect();
        containers.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(containers)
    }

    /// All containers of a project in the engine's own shape.
    pub fn raw_containers(&self, project: &str) -> Result<Vec<Arc<Value>>, Failure> {
        self.raw(&[project_label(project)])
    }

    /// One that vanishes in between is left out.
    fn raw(&self, labels: &[String]) -> Result<Vec<Arc<Value>>, Failure> {
        let rows = self.fact(&format!("/containers/json?all=1&filters={}", with_labels(labels)))?;
        let rows = rows.as_deref().and_then(Value::as_array);
        let ids = rows.into_iter().flatten().filter_map(|row| row["Id"].as_str());
        let found = ids.map(|id| self.fact(&format!("/containers/{id}/json")));
        found.filter_map(Result::transpose).collect()
    }

    /// An image in the engine's own shape; `None` when it is not on this engine.
    pub fn raw_image(&self, reference: &str) -> Result<Option<Arc<Value>>, Failure> {
        self.fact(&format!("/images/{}/json", encoded(reference)))
    }

    /// The id behind an image name; `None` when it is not on this engine.
    pub fn image_id(&self, reference: &str) -> Result<Option<String>, Failure> {
        let found = self.raw_image(reference)?;
        Ok(found.and_then(|image| Some(image["Id"].as_str()?.to_string())))
    }

    /// The tags that a repository has here, as `repository:tag`.
    pub fn tags(&self, repository: &str) -> Result<Vec<String>, Failure> {
        let filters = encoded(&json!({ "reference": [repository] }).to_string());
        let images = self.facts(&format!("/images/json?filters={filters}"))?;
        let tags = images
            .iter()
            .flat_map(|image| image["RepoTags"].as_array().into_iter().flatten());
        let own = |tag: &&str| tag.rsplit_once(':').is_some_and(|(name, _)| name == repository);
        Ok(tags.filter_map(Value::as_str).filter(own).map(str::to_string).collect())
    }

    pub fn tag(&self, image: &str, name: &str) -> Result<(), Failure> {
        self.change(&["tag", image, name], SHORT).map(drop)
    }

    /// Removes names of images, not what still uses them. A missing one is no failure.
    pub fn untag(&self, names: &[String]) -> Result<(), Failure> {
        if names.is_empty() {
            return Ok(());
        }
        let mut args = vec!["rmi", "--no-prune"];
        args.extend(names.iter().map(String::as_str));
        match self.change(&args, SHORT) {
            Err(failure) if !failure.notes.iter().any(|note| note.to_lowercase().contains("no such")) => Err(failure),
            _ => Ok(()),
        }
    }

    /// Processes of a container with their titles; works for images without any tool in them. From here where this
    /// machine runs them, else from the engine, which starts a `ps` for that (15 ms).
    pub fn processes(&self, of: &Container) -> Result<Vec<Process>, Failure> {
        if let Some(pids) = self.world.members(&of.id, of.state.pid) {
            // The kernel lists them, so they are there, whether or not a title can be read.
            let title = |pid| self.world.title(pid).unwrap_or_default();
            let process = |pid| Process { pid, title: title(pid) };
            let found: Vec<Process> = pids.into_iter().map(process).collect();
            // Where not even the first one's title is to be read, none can be.
            if found.iter().any(|one| one.pid == of.state.pid && !one.title.is_empty()) {
                return Ok(found);
            }
        }
        let process = |row: &Value| {
            Some(Process {
                pid: number(&row[0])?,
                title: row[1].as_str()?.trim().to_string(),
            })
        };
        Ok(self.top(of, "pid,args")?.iter().filter_map(process).collect())
    }

    /// How long each process of a container has been there, to the second at least.
    pub fn ages(&self, of: &Container) -> Result<BTreeMap<u32, Duration>, Failure> {
        if let Some(pids) = self.world.members(&of.id, of.state.pid) {
            return Ok(pids
                .into_iter()
                .filter_map(|pid| Some((pid, self.world.age(pid)?)))
                .collect());
        }
        let age = |row: &Value| Some((number(&row[0])?, Duration::from_secs(number(&row[1])?.into())));
        Ok(self.top(of, "pid,etimes")?.iter().filter_map(age).collect())
    }

    /// What the engine's own `ps` says of a container's processes.
    fn top(&self, of: &Container, columns: &str) -> Result<Vec<Value>, Failure> {
        let found = self.fact(&format!("/containers/{}/top?ps_args=-eo%20{columns}", of.id))?;
        let found = found.ok_or_else(|| Failure::new(format!("the container `{}` is gone", of.name)))?;
        Ok(found["Processes"].as_array().cloned().unwrap_or_default())
    }

    /// Whether it still runs, as far as can be told: an engine that does not answer tells nothing.
    pub fn runs(&self, of: &Container) -> bool {
        match self.world.members(&of.id, of.state.pid) {
            Some(_) => true,
            None => match self.fact(&format!("/containers/{}/json", of.id)) {
                Ok(Some(found)) => found["State"]["Running"] != false,
                Ok(None) => false,
                Err(_) => true,
            },
        }
    }

    /// Whether its processes are this machine's own, so that a look at them costs next to nothing.
    pub fn is_here(&self, container: &Container) -> bool {
        self.world.members(&container.id, container.state.pid).is_some()
    }

    /// The last lines a container wrote.
    pub fn logs(&self, id: &str, lines: usize) -> Vec<String> {
        let count = lines.to_string();
        match self
            .world
            .run(&Command::new(&self.docker, ["logs", "--tail", &count, id]))
        {
            Ok(output) => output
                .stdout
                .lines()
                .chain(output.stderr.lines())
                .map(str::to_string)
                .collect(),
            Err(_) => Vec::new(),
        }
    }

    pub fn stop(&self, id: &str) -> Result<(), Failure> {
        self.change(&["stop", id], LONG).map(drop)
    }

    pub fn start(&self, id: &str) -> Result<(), Failure> {
        self.change(&["start", id], SHORT).map(drop)
    }

    pub fn remove(&self, id: &str) -> Result<(), Failure> {
        self.change(&["rm", "-f", id], LONG).map(drop)
    }

    /// All networks in the engine's own shape.
    pub fn raw_networks(&self) -> Result<Vec<Value>, Failure> {
        self.facts("/networks")
    }

    /// Subnets of all networks of this engine, to choose a free one.
    pub fn subnets(&self) -> Result<Vec<String>, Failure> {
        Ok(self.raw_networks()?.iter().flat_map(subnets).collect())
    }

    /// The first subnet of a project's first network.
    pub fn subnet_of(&self, project: &str) -> Result<Option<String>, Failure> {
        let own = self.facts(&format!("/networks?filters={}", with_labels(&[project_label(project)])))?;
        Ok(own.first().and_then(|network| subnets(network).next()))
    }

    /// Where published ports of this engine are reached from here: this machine, unless `DOCKER_HOST` names another.
    pub fn host(docker_host: Option<&str>) -> String {
        let remote = docker_host.and_then(|url| {
            let rest = url.strip_prefix("tcp://").or_else(|| url.strip_prefix("ssh://"))?;
            let rest = rest.rsplit('@').next().unwrap_or(rest);
            Some(match rest.rsplit_once(':') {
                Some((host, _)) => host.to_string(),
                None => rest.trim_end_matches('/').to_string(),
            })
        });
        remote.unwrap_or_else(|| "127.0.0.1".to_string())
    }
}

/// What may stand in a path as it is; a slash parts an image's name, which the engine reads as a whole.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'/')
    .remove(b':')
    .remove(b'@');

fn number(word: &Value) -> Option<u32> {
    word.as_str()?.trim().parse().ok()
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

/// What belongs to a compose project wears this.
fn project_label(project: &str) -> String {
    format!("com.docker.compose.project={project}")
}

/// The filter for what wears all of these.
fn with_labels(labels: &[String]) -> String {
    encoded(&json!({ "label": labels }).to_string())
}

fn subnets(network: &Value) -> impl Iterator<Item = String> + '_ {
    let configs = network["IPAM"]["Config"].as_array().into_iter().flatten();
    configs.filter_map(|config| config["Subnet"].as_str().map(str::to_string))
}

/// An answer, a signal, a tag, a start: the engine answers at once or is ill.
const SHORT: Duration = Duration::from_secs(60);
/// A stop may take an app's whole `stop_grace_period`.
const LONG: Duration = Duration::from_secs(180);

/// What a program said when it failed, the last lines of it.
pub fn said(command: &Command, output: &Output) -> Failure {
    let text = if output.stderr.trim().is_empty() {
        &output.stdout
    } else {
        &output.stderr
    };
    let ended = match output.status {
        crate::world::Status::Exited(code) => format!("exit code {code}"),
        crate::world::Status::Signalled(signal) => format!("ended by signal {signal}"),
    };
    Failure::new(format!("`{}` failed ({ended})", command.display())).lines(text, 12)
}
