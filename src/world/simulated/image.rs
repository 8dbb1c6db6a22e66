//! Images, and how the programs in them behave.

use std::time::Duration;

use sha2::{Digest, Sha256};

/// An image of the simulated engine or registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The name it was first known by. Its tag is the version that the program in it reports.
    pub reference: String,
    /// `sha256:` and 64 hexadecimal digits.
    pub id: String,
    pub kind: ImageKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageKind {
    /// A program that answers HTTP.
    App(Behaviour),
    /// nginx of this version, such as `1.30.1`.
    Nginx { version: String },
    /// Runs, and answers nothing.
    Other,
}

/// What an application does. The default one boots in half a second and is well from then on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behaviour {
    /// From its start until it listens.
    pub boots_in: Duration,
    /// From SIGTERM until it has ended.
    pub stops_in: Duration,
    /// The body of a good answer; `{service}` and `{tag}` are replaced.
    pub body: String,
    /// How long an answer takes.
    pub answers_in: Duration,
    pub answers: Answers,
    /// From its start until it answers 500.
    pub sick_after: Option<Duration>,
    pub dies: Option<Death>,
    /// The only port it listens on; `None`: whichever is asked.
    pub port: Option<u16>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answers {
    /// 200 with the body.
    Well,
    /// 503, for ever.
    Unhealthy,
    /// It accepts and never answers.
    Never,
    /// 301 to another place.
    Moved,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Death {
    pub after: Duration,
    pub code: i32,
    /// Its last words, in the container's log.
    pub log: String,
    pub out_of_memory: bool,
    /// Only at its first start; the engine's restart finds it well.
    pub once: bool,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            boots_in: Duration::from_millis(500),
            stops_in: Duration::from_millis(50),
            body: "pong from {service}@{tag}\n".into(),
            answers_in: Duration::from_millis(1),
            answers: Answers::Well,
            sick_after: None,
            dies: None,
            port: None,
        }
    }
}

impl Image {
    /// An application that is well.
    pub fn app(reference: &str) -> Self {
        Self::new(reference, ImageKind::App(Behaviour::default()))
    }

    pub fn nginx(reference: &str, version: &str) -> Self {
        let version = version.to_string();
        Self::new(reference, ImageKind::Nginx { version })
    }

    /// The id follows from the reference.
    pub fn new(reference: &str, kind: ImageKind) -> Self {
        Self {
            reference: full(reference),
            id: format!("sha256:{}", digest(reference)),
            kind,
        }
    }

    /// What springs into existence when a dry run names an image that nobody has here.
    pub(super) fn imagined(reference: &str) -> Self {
        match reference.contains("nginx") {
            true => Self::nginx(reference, "1.30.0"),
            false => Self::app(reference),
        }
    }

    pub(super) fn tag(&self) -> &str {
        tag_of(&self.reference)
    }
}

/// Hexadecimal SHA-256.
pub(super) fn digest(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A reference with its tag, and without what the engine leaves out.
pub(super) fn full(reference: &str) -> String {
    let short = reference.strip_prefix("docker.io/").unwrap_or(reference);
    let short = short.strip_prefix("library/").unwrap_or(short);
    if is_id(short) || short.contains('@') || !tag_of(short).is_empty() {
        return short.to_string();
    }
    format!("{short}:latest")
}

pub(super) fn is_id(reference: &str) -> bool {
    reference.starts_with("sha256:")
}

/// The tag of a reference, empty when it has none (a port of a registry is not a tag).
pub(super) fn tag_of(reference: &str) -> &str {
    match reference.rsplit_once(':') {
        Some((_, tag)) if !tag.contains('/') => tag,
        _ => "",
    }
}
