//! `await healthy`: HTTP from where the proxy stands, the engine's own health beside it, and a container that stays
//! the same one. A container that has exited, or was started again by the engine, fails at once, with its last words.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Site, one};
use crate::drivers::Failure;
use crate::drivers::engine::{Container, Identity};
use crate::plan::Backend;
use crate::plan::types::show_duration;
use crate::world::{HttpAnswer, HttpRequest, NetError};

/// What a healthy answer is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expect {
    /// `None`: the backend's own health path.
    pub path: Option<String>,
    /// `None`: any of 200 to 299.
    pub status: Option<u16>,
    /// A text that must stand in the body as a whole token.
    pub contains: Option<String>,
    /// Healthy all the time for so long.
    pub steady: Duration,
    /// So many good answers one after the other.
    pub successes: u32,
}

impl Default for Expect {
    fn default() -> Self {
        Self {
            path: None,
            status: None,
            contains: None,
            steady: Duration::ZERO,
            successes: 1,
        }
    }
}

/// A backend that was found healthy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub path: String,
    pub status: u16,
    /// The first line of the answer.
    pub body: String,
    pub took: Duration,
}

/// Between two probes; a probe of a dead container costs a refused connection.
const PAUSE: Duration = Duration::from_millis(50);
/// Between two looks at the containers, of which each is a question to the engine.
const LOOK: Duration = Duration::from_millis(200);
/// How long a container that has died is looked at until it dies again; one that dies at its start does so sooner.
const NEXT_DEATH: Duration = Duration::from_secs(2);
/// One probe; longer than the private server waits for a connection.
const PROBE: Duration = Duration::from_secs(5);
/// Last log lines shown of a container that failed.
pub const LOG_LINES: usize = 10;

impl Site<'_> {
    /// Waits until a backend is healthy as `expect` says, at most `limit`.
    pub fn await_healthy(&self, name: &str, expect: &Expect, limit: Duration) -> Result<Seen, Failure> {
        let backend = self.backend(name)?;
        let start = self.world.now();
        let since = || self.world.now().saturating_sub(start);
        let (mut container, mut proxy) = self.look(name)?;
        let mut looked = self.world.now();
        let mut good: Option<(Duration, u32)> = None;
        let mut last = String::from("no answer yet");
        loop {
            match self.probe(proxy.as_ref(), &container, backend, expect) {
                Ok(answer) => {
                    let (from, count) = good.get_or_insert((self.world.now(), 0));
                    *count += 1;
                    let steady = self.world.now().saturating_sub(*from) >= expect.steady;
                    if steady && *count >= expect.successes {
                        let (now, _) = self.look(name)?;
                        if now.identity() == container.identity() {
                            self.awaited
                                .borrow_mut()
                                .insert(name.to_string(), (now.identity(), expect.clone()));
                            self.keep_found()?;
                            return Ok(Seen {
                                path: expect.path.clone().unwrap_or_else(|| backend.health.clone()),
                                status: answer.status,
                                body: answer.body.lines().next().unwrap_or_default().to_string(),
                                took: since(),
                            });
                        }
                        good = None;
                        container = now;
                    }
                }
                Err(Miss::Never(failure)) => return Err(*failure),
                Err(Miss::NotYet(why)) => {
                    good = None;
                    last = why;
                }
            }
            if self.world.now().saturating_sub(looked) >= LOOK {
                let (now, from) = self.look(name)?;
                if now.identity() != container.identity() {
                    good = None;
                    container = now;
                }
                if good.is_none() && container.restart_count > 0 && self.watch.get() {
                    return Err(self.restarted(name, container));
                }
                proxy = from;
                self.others_serve()?;
                looked = self.world.now();
            }
            if since() >= limit {
                return Err(self.with_last_words(
                    Failure::new(format!(
                        "`{name}` is not healthy after {}: {last}",
                        show_duration(limit)
                    )),
                    &container,
                ));
            }
            if !self.world.pause(PAUSE) {
                return Err(Failure::interrupted());
            }
        }
    }

    /// A backend's container and the proxy's, by one look at the engine.
    fn look(&self, name: &str) -> Result<(Container, Option<Container>), Failure> {
        let all = self.containers()?;
        let container = one(all.clone(), &self.backend(name)?.service)?;
        Ok((self.alive(name, container)?, self.standpoint(all)?))
    }

    /// The container, unless it has ended for good, dies over and over, or says itself that it is unhealthy.
    fn alive(&self, name: &str, container: Container) -> Result<Container, Failure> {
        let state = &container.state;
        let what = match state.status.as_str() {
            "exited" | "dead" => format!("`{name}` has exited with code {}", state.exit_code),
            // In a rollback the old version may take its time.
            "restarting" if self.watch.get() => {
                format!("`{name}` restarts over and over (exit code {})", state.exit_code)
            }
            _ if state.health.as_deref() == Some("unhealthy") => {
                format!("`{name}` is unhealthy by its own HEALTHCHECK")
            }
            _ => return Ok(container),
        };
        let what = if state.oom_killed {
            format!("{what}; the kernel killed it for memory")
        } else {
            what
        };
        Err(self.with_last_words(Failure::new(what), &container))
    }

    /// The engine has started it again since somebody last did: it has died, though it may run at this moment. The
    /// engine knows the exit code only while it is down, so the next death is waited for, a little.
    fn restarted(&self, name: &str, mut container: Container) -> Failure {
        let until = self.world.now() + NEXT_DEATH;
        let mut looked = self.world.now();
        while self.world.now() < until {
            if !self.world.pause(LOOK / 10) {
                return Failure::interrupted();
            }
            match self.look(name) {
                Ok((now, _)) => container = now,
                Err(failure) => return failure,
            }
            if self.world.now().saturating_sub(looked) >= LOOK {
                looked = self.world.now();
                if let Err(failure) = self.others_serve() {
                    return failure;
                }
            }
        }
        let what = format!("`{name}` is not healthy, and has died since it was started");
        self.with_last_words(Failure::new(what), &container)
    }

    pub fn with_last_words(&self, failure: Failure, container: &Container) -> Failure {
        let lines = self.engine.logs(&container.id, LOG_LINES);
        match lines.is_empty() {
            true => failure.note(format!("`{}` wrote no log", container.name)),
            false => lines.into_iter().fold(
                failure.note(format!("last lines of `{}`:", container.name)),
                |failure, line| failure.note(format!("  {line}")),
            ),
        }
    }

    /// Where a backend is asked from: the proxy's container; without a proxy from here.
    fn standpoint(&self, containers: Vec<Container>) -> Result<Option<Container>, Failure> {
        match self.deployment.proxy {
            Some(_) => self.proxy_container(containers).map(Some),
            None => Ok(None),
        }
    }

    fn probe(
        &self,
        proxy: Option<&Container>,
        container: &Container,
        backend: &Backend,
        expect: &Expect,
    ) -> Result<HttpAnswer, Miss> {
        let path = expect.path.as_deref().unwrap_or(&backend.health);
        let answer = self
            .get(proxy, container, backend, path)
            .map_err(|error| Miss::NotYet(format!("GET {path}: {error}")))?;
        if (300..400).contains(&answer.status) && expect.status.is_none() {
            let to = answer.headers.iter().find(|(name, _)| name == "location");
            let to = to.map(|(_, value)| value.as_str()).unwrap_or("elsewhere");
            return Err(Miss::Never(Box::new(
                Failure::new(format!(
                    "GET {path} of `{}` answers {} to {to}",
                    backend.name, answer.status
                ))
                .help(format!("name the final path: `backend {} … health={to}`", backend.name)),
            )));
        }
        let wanted = match expect.status {
            Some(status) => answer.status == status,
            None => (200..300).contains(&answer.status),
        };
        let first = answer.body.lines().next().unwrap_or_default();
        if !wanted {
            return Err(Miss::NotYet(format!("GET {path} answers {}", answer.status)));
        }
        match &expect.contains {
            Some(token) if !whole_token(&answer.body, token) => Err(Miss::NotYet(format!(
                "GET {path} answers {} \"{}\", without `{token}`",
                answer.status,
                first.escape_debug()
            ))),
            _ => Ok(answer),
        }
    }

    fn get(
        &self,
        proxy: Option<&Container>,
        container: &Container,
        backend: &Backend,
        path: &str,
    ) -> Result<HttpAnswer, NetError> {
        if let Some(proxy) = proxy {
            let other = |failure: Failure| NetError::Other(failure.message);
            return self
                .nginx()
                .map_err(other)?
                .ask(proxy, &format!("/{}{path}", backend.name), PROBE);
        }
        let published = container.ports.get(&backend.port).and_then(|places| places.first());
        let address = match published {
            Some(place) => format!(
                "{}:{}",
                crate::drivers::engine::Engine::host(self.tools.docker_host.as_deref()),
                place.port
            ),
            None => {
                let address = container.networks.values().find(|address| !address.is_empty());
                let address = address.ok_or_else(|| NetError::Other("it has no address".to_string()))?;
                format!("{address}:{}", backend.port)
            }
        };
        self.world.get(&HttpRequest {
            url: format!("http://{address}{path}"),
            host: None,
            timeout: PROBE,
        })
    }

    /// One look, for a report.
    pub fn is_healthy(&self, name: &str) -> bool {
        self.health(name).unwrap_or(false)
    }

    /// One look. A failure: no wait would ever make it healthy (its health endpoint redirects).
    pub fn health(&self, name: &str) -> Result<bool, Failure> {
        let all = self.containers()?;
        let container = one(all.clone(), &self.backend(name)?.service);
        let (Ok(container), Ok(proxy)) = (container, self.standpoint(all)) else {
            return Ok(false);
        };
        match self.probe(proxy.as_ref(), &container, self.backend(name)?, &Expect::default()) {
            Ok(_) => Ok(container.running()),
            Err(Miss::NotYet(_)) => Ok(false),
            Err(Miss::Never(failure)) => Err(*failure),
        }
    }

    /// The status by which a backend says that it does not have its health path, if that is what it answers. A timeout of
    /// its own (408) and a limit (429) are other complaints, and an nginx whose file does not have it answers by itself.
    pub fn turns_away(&self, backend: &Backend) -> Option<u16> {
        let installed = self.world.read(&self.proxy().ok()?.config).unwrap_or_default();
        let location = format!("location /{}/ ", backend.name);
        let status = self.status(backend).filter(|status| ![408, 429].contains(status))?;
        let asked = String::from_utf8_lossy(&installed).contains(&location);
        (asked && (400..500).contains(&status)).then_some(status)
    }

    fn status(&self, backend: &Backend) -> Option<u16> {
        let (container, proxy) = self.look(&backend.name).ok()?;
        let answer = self.get(proxy.as_ref(), &container, backend, &backend.health);
        answer.ok().map(|answer| answer.status)
    }

    /// It answers its health path, and badly, at two looks: it is sick, not just late or out of reach.
    pub(super) fn answers_badly(&self, name: &str) -> bool {
        let Ok(backend) = self.backend(name) else { return false };
        let badly = || self.status(backend).is_some_and(|status| status >= 400);
        badly() && self.world.pause(PAUSE) && badly()
    }

    /// Before a backend is enabled: the container that was awaited, healthy by a fresh look.
    pub(super) fn fit_to_serve(&self, name: &str) -> Result<Identity, Failure> {
        let backend = self.backend(name)?;
        let (container, proxy) = self.look(name)?;
        let awaited = self.awaited.borrow().get(name).cloned();
        let expect = match awaited {
            Some((identity, _)) if identity != container.identity() => {
                return Err(self.with_last_words(
                    Failure::new(format!("`{name}` was restarted or replaced since it was found healthy")),
                    &container,
                ));
            }
            Some((_, expect)) => expect,
            None => Expect::default(),
        };
        let mut found = self.probe(proxy.as_ref(), &container, backend, &expect);
        // An old worker may still answer, one that does not know this backend.
        while let (Err(Miss::NotYet(_)), true) = (&found, self.proved_just_now()) {
            if !self.world.pause(PAUSE) {
                return Err(Failure::interrupted());
            }
            found = self.probe(proxy.as_ref(), &container, backend, &expect);
        }
        match found {
            Ok(_) => Ok(container.identity()),
            Err(Miss::Never(failure)) => Err(*failure),
            Err(Miss::NotYet(why)) => Err(self
                .with_last_words(Failure::new(format!("`{name}` cannot serve: {why}")), &container)
                .help(format!("put `await healthy {name}` before `enable {name}`"))),
        }
    }
}

/// Why a probe did not count.
enum Miss {
    NotYet(String),
    /// Waiting would not help.
    Never(Box<Failure>),
}

/// Whether `token` stands in `text` as a whole: `@0.0.1` is not in `@0.0.10`, `0.0.1` not in `10.0.0.1`.
pub fn whole_token(text: &str, token: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || "._-+".contains(c);
    let inner = |c: Option<char>| c.is_some_and(part);
    text.match_indices(token).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + token.len()..].chars().next();
        let after_dot = match after {
            // A full stop that ends a sentence does not continue a version.
            Some('.') => inner(text[at + token.len() + 1..].chars().next()),
            other => inner(other),
        };
        let opens = token.chars().next().is_some_and(part) && inner(before);
        let closes = token.chars().next_back().is_some_and(part) && after_dot;
        !opens && !closes
    })
}
