//! nginx in a container: render, validate, install, reload, prove, drain. No step believes an exit code where it can
//! ask the running nginx itself.

pub mod dump;
mod include;
mod install;
mod leads;
pub mod private;
pub mod workers;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

pub use install::{Applied, MAIN_CANDIDATE, Proof};
pub use private::Generation;

use crate::drivers::Failure;
use crate::drivers::engine::{Container, Engine};
use crate::world::{Command, FileKind, HttpAnswer, HttpRequest, NetError, World};

/// The private server answers by itself, at once.
const LIVE: Duration = Duration::from_secs(2);
/// Connections at once that look for a new worker (measured under 200 requests/s: one at a time finds it after 80 ms,
/// four after 40, eight after 25).
const AT_ONCE: usize = 8;

/// How one backend stands in the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    pub backend: String,
    pub upstream: String,
    /// `address:port` or `name:port`.
    pub address: String,
    /// A name that nginx resolves again and again (>= 1.27.3).
    pub resolve: bool,
    /// False for a name without a container behind it: it would block every reload.
    pub present: bool,
}

impl Server {
    /// Its address is a number, which always resolves.
    pub fn pinned(&self) -> bool {
        self.address.parse::<std::net::SocketAddr>().is_ok()
    }

    /// Whether nginx may be told to send requests there: a name without a container it must be able to ask again for.
    pub fn usable(&self) -> bool {
        self.present || self.resolve
    }
}

/// What an nginx version can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Version(pub u32, pub u32, pub u32);

impl Version {
    /// From the output of `nginx -v` (`nginx version: nginx/1.30.1 (Debian)`).
    pub fn parse(text: &str) -> Option<Self> {
        let rest = &text[text.find("nginx/")? + "nginx/".len()..];
        let mut numbers = rest
            .split(|c: char| !c.is_ascii_digit() && c != '.')
            .next()?
            .split('.')
            .map(|part| part.parse().unwrap_or(0));
        Some(Self(
            numbers.next()?,
            numbers.next().unwrap_or(0),
            numbers.next().unwrap_or(0),
        ))
    }

    /// A reload lets pooled clients go gently (changes of nginx 1.27.4).
    pub fn keepalive_min_timeout(self) -> bool {
        self >= Self(1, 27, 4)
    }

    /// `server … resolve` in the open-source version (changes of nginx 1.27.3).
    pub fn resolve(self) -> bool {
        self >= Self(1, 27, 3)
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// One proxy: its container as found now, its configuration file on this machine.
pub struct Nginx<'w> {
    pub world: &'w dyn World,
    pub engine: &'w Engine<'w>,
    /// The file zdt writes, on this machine.
    pub config: PathBuf,
    /// The container port of the private server.
    pub listen: u16,
    /// The private server's name.
    pub private: String,
    /// Where published ports answer from here.
    pub host: String,
    /// The longest a proof of a reload may take.
    pub proof_limit: Duration,
    /// The main file's copy that was put into a container last, for checks: container id and text.
    pub copied: &'w RefCell<Option<(String, String)>>,
}

/// The words after `server` of one of `servers`: what a template gets as `{{{server}}}`.
pub fn server_words(server: &Server, servers: &[Server], traffic: &BTreeMap<String, bool>) -> String {
    let on = |server: &Server| traffic.get(&server.backend).copied().unwrap_or(false);
    let of = servers.iter().filter(|one| one.upstream == server.upstream);
    let serve = of.filter(|one| on(one) && one.present).count();
    entry(server, on(server) && server.usable(), serve == 1)
}

/// Values for the proxy's template. Documented in README "Templates".
pub fn values(version: Option<Version>, traffic: &BTreeMap<String, bool>, servers: &[Server], private: &str) -> Value {
    let mut names: Vec<&str> = Vec::new();
    for server in servers {
        if !names.contains(&server.upstream.as_str()) {
            names.push(&server.upstream);
        }
    }
    let upstreams: Vec<Value> = names
        .iter()
        .map(|name| {
            let of: Vec<&Server> = servers.iter().filter(|server| server.upstream == *name).collect();
            let on = |server: &Server| server.usable() && traffic.get(&server.backend).copied().unwrap_or(false);
            let list: Vec<Value> = of
                .iter()
                .map(|server| {
                    json!({
                        "name": server.backend,
                        "server": server_words(server, servers, traffic),
                        "enabled": on(server),
                    })
                })
                .collect();
            json!({ "name": name, "servers": list, "resolve": of.iter().any(|server| server.resolve) })
        })
        .collect();
    json!({
        "upstreams": upstreams,
        "private_server": private,
        "nginx": {
            "version": version.map(|version| version.to_string()).unwrap_or_default(),
            "keepalive_min_timeout": version.is_some_and(Version::keepalive_min_timeout),
        },
    })
}

/// The words after `server`: opaque for templates, so that the strategy can change.
fn entry(server: &Server, on: bool, last: bool) -> String {
    let resolves = server.present && (on || server.pinned());
    let mut words = match resolves || server.resolve {
        true => server.address.clone(),
        // A name without a container behind it would block every reload, and every start of nginx: one that is out of
        // traffic is about to be replaced. Port 9 (discard) never answers.
        false => "127.0.0.1:9".to_string(),
    };
    if server.resolve {
        words.push_str(" resolve");
    }
    if !on {
        words.push_str(" down");
    } else if last {
        // One slow client request must not take the last server away for ten seconds.
        words.push_str(" max_fails=0");
    }
    words
}

impl Nginx<'_> {
    /// What the running nginx says of itself; `None` when it answers with something else.
    pub fn live(&self, container: &Container) -> Result<Option<Generation>, NetError> {
        Ok(generation(&self.ask(container, "/zdt", LIVE)?))
    }

    /// The same, after a reload that shall bring `wanted`: asked once, and then on several connections at once. While old
    /// and new workers accept side by side, an idle machine gives one connection after the other to the same old worker,
    /// for all of that tenth of a second.
    pub fn live_now(&self, container: &Container, wanted: &Generation) -> Result<Option<Generation>, NetError> {
        let found = self.live(container)?;
        if found.as_ref() == Some(wanted) {
            return Ok(found);
        }
        let (world, request) = (self.world, self.request(container, "/zdt", LIVE)?);
        let answers = std::thread::scope(|scope| {
            let ask = || std::thread::Builder::new().spawn_scoped(scope, || world.get(&request));
            // Where the machine has no thread left, fewer ask.
            let asked: Vec<_> = (0..AT_ONCE).filter_map(|_| ask().ok()).collect();
            let answers = asked.into_iter().map(|one| one.join());
            answers
                .map(|answer| answer.unwrap_or_else(|payload| std::panic::resume_unwind(payload)))
                .collect::<Vec<_>>()
        });
        let mut found_now = answers.iter().flatten().filter_map(generation);
        Ok(found_now.find(|answer| answer == wanted).or(found))
    }

    /// Asks the private server for `path` on a fresh connection.
    pub fn ask(&self, container: &Container, path: &str, timeout: Duration) -> Result<HttpAnswer, NetError> {
        self.world.get(&self.request(container, path, timeout)?)
    }

    fn request(&self, container: &Container, path: &str, timeout: Duration) -> Result<HttpRequest, NetError> {
        let Some(place) = self.place(container) else {
            return Err(NetError::Other(format!(
                "port {} of `{}` is not published and its address is unknown",
                self.listen, container.name
            )));
        };
        Ok(HttpRequest {
            url: format!("http://{place}{path}"),
            host: Some(self.private.clone()),
            timeout,
        })
    }

    /// `host:port` of the listener from here: the published port, else the container's own address.
    fn place(&self, container: &Container) -> Option<String> {
        let published = container.ports.get(&self.listen).and_then(|places| {
            places
                .iter()
                .find(|place| !place.address.contains(':'))
                .or(places.first())
        });
        match published {
            Some(place) if matches!(place.address.as_str(), "" | "0.0.0.0" | "::") => {
                Some(format!("{}:{}", self.host, place.port))
            }
            Some(place) => Some(format!("{}:{}", place.address, place.port)),
            None => {
                let address = container.networks.values().find(|address| !address.is_empty())?;
                Some(format!("{address}:{}", self.listen))
            }
        }
    }

    /// The arguments the master was started with, so that a check sees what it would see.
    pub fn master_args(container: &Container) -> Vec<String> {
        let is_nginx = |word: &String| word == "nginx" || word.ends_with("/nginx");
        match container.command.iter().position(is_nginx) {
            Some(at) => container.command[at + 1..].to_vec(),
            None => Vec::new(),
        }
    }

    pub fn version(&self, container: &Container) -> Result<Option<Version>, Failure> {
        let output = self.engine.ask(&["exec", &container.id, "nginx", "-v"])?;
        Ok(Version::parse(&output.stderr).or(Version::parse(&output.stdout)))
    }

    /// The whole configuration as a start of nginx would read it now. Fails with nginx's own words when it is invalid.
    pub fn dump(&self, container: &Container) -> Result<dump::Dump, Failure> {
        let mut args = vec![
            "exec".to_string(),
            container.id.clone(),
            "nginx".to_string(),
            "-T".to_string(),
        ];
        args.extend(Self::master_args(container));
        let command = Command::new(self.engine.docker(), args);
        let output = self.world.run(&command)?;
        if output.success() {
            return Ok(dump::Dump::parse(&output.stdout));
        }
        Err(Failure::new(format!("nginx in `{}` refuses its configuration", container.name)).lines(&output.stderr, 6))
    }

    /// Where the configuration file is inside the container.
    pub fn inside(&self, container: &Container) -> Result<PathBuf, Failure> {
        if container
            .mounts
            .iter()
            .any(|mount| mount.bind && mount.source == self.config)
        {
            return Err(Failure::refused(format!(
                "`{}` is mounted as a single file, which keeps its old content after an atomic replace",
                self.config.display()
            ))
            .help("mount the folder it lies in instead"));
        }
        if let Ok(Some(FileKind::Symlink)) = self.world.kind(&self.config) {
            return Err(Failure::refused(format!(
                "`{}` is a symbolic link, and zdt replaces files instead of writing into them",
                self.config.display()
            ))
            .help("say `config=` with the file itself, where nginx includes that, or put it there"));
        }
        let found = container
            .mounts
            .iter()
            .filter(|mount| mount.bind)
            .find_map(|mount| Some(mount.destination.join(self.config.strip_prefix(&mount.source).ok()?)));
        found.ok_or_else(|| {
            Failure::refused(format!(
                "`{}` is not in a folder that is mounted into `{}`",
                self.config.display(),
                container.name
            ))
            .help("give the proxy service a volume such as `./nginx:/etc/nginx/conf.d`")
        })
    }
}

/// What an answer of `/zdt` says; `None` when it is not zdt's.
fn generation(answer: &HttpAnswer) -> Option<Generation> {
    Generation::read(&answer.body).filter(|_| answer.status == 200)
}

/// The candidate's file name: no `include` with a `*` finds it, be it `*.conf` or all of the folder.
pub fn candidate(config: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(config.file_name().unwrap_or_default());
    name.push(".zdt-next");
    config.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_pattern_of_an_include_finds_a_candidate() {
        for config in ["/etc/nginx/conf.d/shop.conf", "/etc/nginx/sites-enabled/shop"] {
            let name = candidate(Path::new(config));
            let name = name.file_name().unwrap_or_default().to_string_lossy();
            // A `*` finds no leading dot (glob(7)).
            assert!(name.starts_with('.') && !name.ends_with(".conf"), "{name}");
        }
    }

    #[test]
    fn a_name_that_is_asked_again_and_again_stays_in_traffic_without_a_container() {
        let server = |backend: &str, resolve, present| Server {
            backend: backend.to_string(),
            upstream: "web".to_string(),
            address: format!("{backend}:80"),
            resolve,
            present,
        };
        let traffic = ["a", "b"].map(|name| (name.to_string(), true)).into();
        let servers = [server("a", true, false), server("b", true, true)];
        assert_eq!(
            server_words(&servers[0], &servers, &traffic),
            "a:80 resolve max_fails=0"
        );
        assert_eq!(
            server_words(&servers[1], &servers, &traffic),
            "b:80 resolve max_fails=0"
        );
        let servers = [server("a", false, false), server("b", false, true)];
        assert_eq!(server_words(&servers[0], &servers, &traffic), "127.0.0.1:9 down");
        assert_eq!(server_words(&servers[1], &servers, &traffic), "b:80 max_fails=0");
    }
}
