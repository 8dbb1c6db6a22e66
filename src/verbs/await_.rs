//! `await healthy|http|tcp`, and `sleep` for those who must.

use std::time::Duration;

use super::{Containers, Needs, Spec, Stage, Undo, Verb, key};
use crate::drivers::Failure;
use crate::plan::types::{self, show_duration};
use crate::plan::{Args, Text, declared};
use crate::site::{Expect, whole_token};
use crate::world::HttpRequest;

pub static SPEC: Spec = Spec {
    name: "await",
    usage: "await healthy BACKEND… | await http URL | await tcp HOST:PORT",
    summary: "waits for a fact",
    doc: "\
`await healthy` asks each backend's health endpoint from where the proxy stands, on fresh connections, and reads the
engine's own health beside it. A container that has exited, or that the engine had to start again before it was healthy,
fails at once, with its last lines.
`contains=@0.0.2` must stand in the body as a whole token (`@0.0.1` is not in `@0.0.10`).
`await http` and `await tcp` ask from this machine.",
    keys: &[
        key("timeout", "60s", "the longest to wait"),
        key("path", "the backend's health path", "another path, for `healthy`"),
        key("status", "200 to 299", "the exact status"),
        key("contains", "anything", "a whole token of the body"),
        key("for", "0s", "good all the time for so long"),
        key("successes", "1", "so many good answers one after the other"),
    ],
    raw: false,
    parse,
};

fn parse(args: &mut Args) -> Option<Box<dyn Verb>> {
    let what = args.need("`healthy`, `http` or `tcp`")?;
    let timeout = args.duration("timeout", declared::HEALTHY_LIMIT);
    let contains = args.key("contains").map(|item| item.text);
    let status = args.key_as("status", status);
    match what.text.get() {
        Some("healthy") => Some(Box::new(Healthy {
            path: args.key_known("path").map(|(path, _)| path),
            steady: args.duration("for", Duration::ZERO),
            successes: args.key_as("successes", types::int).unwrap_or(1).clamp(1, 10_000) as u32,
            backends: args.backends(),
            contains,
            status,
            timeout,
        })),
        Some("http") => Some(Box::new(Http {
            url: args.need("a URL")?.text,
            contains,
            status,
            timeout,
        })),
        Some("tcp") => {
            let place = args.need("HOST:PORT")?;
            Some(Box::new(Tcp {
                place: place.text,
                timeout,
            }))
        }
        other => {
            let diagnostic = args.error(what.span, format!("cannot await `{}`", other.unwrap_or("this")));
            args.report(match other {
                Some("log") => diagnostic.help("`await log` is reserved; this version cannot do it yet"),
                _ => diagnostic.help("one of `healthy`, `http`, `tcp`"),
            });
            None
        }
    }
}

pub(super) fn status(text: &str) -> Result<u16, String> {
    match text.parse() {
        Ok(status @ 100..=599) => Ok(status),
        _ => Err(format!("`{text}` is not an HTTP status")),
    }
}

#[derive(Debug)]
struct Healthy {
    backends: Vec<String>,
    path: Option<String>,
    status: Option<u16>,
    contains: Option<Text>,
    steady: Duration,
    successes: u32,
    timeout: Duration,
}

impl Verb for Healthy {
    fn title(&self) -> String {
        format!("await healthy {}", self.backends.join(" "))
    }

    fn needs(&self) -> Needs {
        Needs {
            engine: true,
            containers: true,
            proxy: true,
            ..Needs::default()
        }
    }

    fn undo(&self) -> Undo {
        Undo::Nothing
    }

    fn containers(&self) -> Containers {
        Containers::Kept
    }

    fn looks(&self) -> bool {
        true
    }

    fn run(&self, stage: &Stage) -> Result<String, Failure> {
        let expect = Expect {
            path: self.path.clone(),
            status: self.status,
            contains: self.contains.as_ref().map(|text| stage.text(text)),
            steady: self.steady,
            successes: self.successes,
        };
        // A simulated application cannot know what the real one will say.
        let expect = match stage.dry {
            true => Expect {
                path: expect.path,
                ..Expect::default()
            },
            false => expect,
        };
        let site = stage.site()?;
        let mut lines: Vec<String> = Vec::new();
        for backend in &self.backends {
            let seen = site.await_healthy(backend, &expect, stage.limit(self.timeout))?;
            let body = stage.brief(&seen.body, 40);
            lines.push(format!(
                "GET {} {} \"{}\"",
                seen.path,
                seen.status,
                body.trim().escape_debug()
            ));
        }
        Ok(lines.join(" · "))
    }
}

#[derive(Debug)]
struct Http {
    url: Text,
    status: Option<u16>,
    contains: Option<Text>,
    timeout: Duration,
}

/// One GET judged: the line for a good answer, or why it is not one.
pub(super) fn get(stage: &Stage, url: &str, status: Option<u16>, contains: Option<&str>) -> Result<String, String> {
    let request = HttpRequest {
        url: url.to_string(),
        host: None,
        timeout: Duration::from_secs(10),
    };
    let answer = stage.world.get(&request).map_err(|error| error.to_string())?;
    let good = match status {
        Some(status) => answer.status == status,
        None => (200..300).contains(&answer.status),
    };
    if !good {
        return Err(format!("it answers {}", answer.status));
    }
    match contains {
        Some(token) if !whole_token(&answer.body, token) => {
            Err(format!("it answers {} without `{token}`", answer.status))
        }
        _ => Ok(format!("{} {}", url, answer.status)),
    }
}

impl Verb for Http {
    fn title(&self) -> String {
        format!("await http {}", self.url.shown())
    }

    fn undo(&self) -> Undo {
        Undo::Nothing
    }

    fn containers(&self) -> Containers {
        Containers::Kept
    }

    fn run(&self, stage: &Stage) -> Result<String, Failure> {
        let url = stage.text(&self.url);
        let contains = self.contains.as_ref().map(|text| stage.text(text));
        if stage.dry {
            return Ok(String::new());
        }
        stage.until(stage.limit(self.timeout), &url, || {
            get(stage, &url, self.status, contains.as_deref())
        })
    }
}

#[derive(Debug)]
struct Tcp {
    place: Text,
    timeout: Duration,
}

impl Verb for Tcp {
    fn title(&self) -> String {
        format!("await tcp {}", self.place.shown())
    }

    fn undo(&self) -> Undo {
        Undo::Nothing
    }

    fn containers(&self) -> Containers {
        Containers::Kept
    }

    fn run(&self, stage: &Stage) -> Result<String, Failure> {
        let place = stage.text(&self.place);
        let parts = place
            .rsplit_once(':')
            .and_then(|(host, port)| Some((host, port.parse().ok()?)));
        let Some((host, port)) = parts else {
            return Err(Failure::refused(format!("`{place}` is not HOST:PORT")));
        };
        if stage.dry {
            return Ok(String::new());
        }
        stage.until(stage.limit(self.timeout), &place, || {
            let connected = stage.world.connect(host, port, Duration::from_secs(5));
            connected
                .map(|()| format!("{place} accepts"))
                .map_err(|error| error.to_string())
        })
    }
}

pub static SLEEP: Spec = Spec {
    name: "sleep",
    usage: "sleep DURATION",
    summary: "waits, knowing nothing",
    doc: "For the rare thing that cannot be asked. Prefer `await`.",
    keys: &[],
    raw: false,
    parse: |args| {
        let item = args.need("a duration: `sleep 2s`")?;
        let text = args.known(&item)?;
        match types::duration(&text) {
            Ok(time) => Some(Box::new(Sleep { time })),
            Err(why) => {
                args.report(args.error(item.span, why));
                None
            }
        }
    },
};

#[derive(Debug)]
struct Sleep {
    time: Duration,
}

impl Verb for Sleep {
    fn title(&self) -> String {
        format!("sleep {}", show_duration(self.time))
    }

    fn undo(&self) -> Undo {
        Undo::Nothing
    }

    fn containers(&self) -> Containers {
        Containers::Kept
    }

    fn run(&self, stage: &Stage) -> Result<String, Failure> {
        match stage.world.pause(stage.limit(self.time)) {
            true => Ok(String::new()),
            false => Err(Failure::interrupted()),
        }
    }
}
