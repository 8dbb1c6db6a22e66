//! What an application is made of, as a recipe declares it.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value};

use super::types;
use crate::syntax::Span;

/// `compose`, `proxy`, `backend`, `policy`, `min_serving` together.
#[derive(Debug, Clone)]
pub struct Deployment {
    pub compose: ComposeDecl,
    pub proxy: Option<ProxyDecl>,
    pub backends: Vec<Backend>,
    pub policy: Policy,
    pub min_serving: MinServing,
    /// The recipe's params, for templates.
    pub values: Map<String, Value>,
}

#[derive(Debug, Clone)]
pub struct ComposeDecl {
    /// The compose file on this machine.
    pub file: PathBuf,
    pub template: Option<PathBuf>,
    pub project: String,
    /// A compose command the recipe prefers.
    pub command: Option<String>,
    pub span: Span,
}

#[derive(Debug, Clone)]
pub struct ProxyDecl {
    pub service: String,
    pub template: PathBuf,
    /// The file zdt writes, on this machine.
    pub config: PathBuf,
    /// Container port of the listener that carries the private server.
    pub listen: u16,
    pub span: Span,
}

/// One container that serves users.
#[derive(Debug, Clone)]
pub struct Backend {
    pub name: String,
    pub service: String,
    pub upstream: String,
    pub port: u16,
    /// Path of its health endpoint.
    pub health: String,
    /// The variable in `.env` that names its image, where the compose file is the user's own.
    pub set: Option<String>,
    pub span: Span,
}

/// What follows a failed step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Policy {
    /// The old version comes back everywhere.
    #[default]
    Rollback,
    /// Everything stays as it is, the failed backend out of traffic.
    Pause,
    /// Nothing is done.
    None,
}

/// How many healthy backends each upstream must keep in traffic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MinServing(pub String);

impl MinServing {
    pub fn of(&self, total: usize) -> usize {
        types::share(&self.0, total).unwrap_or(1)
    }
}

impl Default for MinServing {
    fn default() -> Self {
        Self("1".to_string())
    }
}

impl Deployment {
    pub fn backend(&self, name: &str) -> Option<&Backend> {
        self.backends.iter().find(|backend| backend.name == name)
    }

    /// The folder of the compose file, where `.zdt/` is.
    pub fn dir(&self) -> PathBuf {
        self.compose.file.parent().map(PathBuf::from).unwrap_or_default()
    }
}

/// How long a drain may last when a recipe does not say.
pub const DRAIN_LIMIT: Duration = Duration::from_secs(30);
/// How long a backend may take to become healthy when a recipe does not say.
pub const HEALTHY_LIMIT: Duration = Duration::from_secs(60);
