//! What a configuration means: upstreams, servers, locations.

use std::sync::Arc;
use std::time::Duration;

/// The files that nginx reads, as it sees them.
pub(crate) trait View {
    fn read(&self, path: &str) -> Option<Arc<Vec<u8>>>;
    fn names(&self, folder: &str) -> Vec<String>;
}

/// A valid configuration. Names are not resolved yet.
#[derive(Debug, Clone, Default)]
pub(crate) struct Config {
    pub upstreams: Vec<Upstream>,
    pub servers: Vec<Server>,
    pub shutdown_timeout: Option<Duration>,
    /// The files read, in nginx's order, each once.
    pub files: Vec<(Arc<str>, Arc<Vec<u8>>)>,
    /// The folders that patterns were looked for in, with the names that were there.
    pub folders: Vec<(String, Vec<String>)>,
    /// What else it depends on: version and command line.
    pub key: String,
}

impl Config {
    /// Every server whose name must resolve.
    pub(crate) fn peers(&self) -> impl Iterator<Item = &Peer> {
        let upstreams = self.upstreams.iter().flat_map(|upstream| &upstream.peers);
        let locations = self.servers.iter().flat_map(|server| &server.locations);
        let direct = locations.filter_map(|location| match &location.action {
            Some(Action::Host(peer, _)) => Some(peer),
            Some(Action::Return(..) | Action::Upstream(..) | Action::Variable) | None => None,
        });
        upstreams.chain(direct)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Upstream {
    pub name: String,
    pub peers: Vec<Peer>,
}

#[derive(Debug, Clone)]
pub(crate) struct Peer {
    /// As written: what nginx names when it does not resolve.
    pub text: String,
    pub host: String,
    pub port: u16,
    pub down: bool,
    pub backup: bool,
    pub resolve: bool,
    /// `FILE:LINE`
    pub place: String,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Server {
    pub ports: Vec<(u16, bool)>,
    pub names: Vec<String>,
    pub answer: Option<Action>,
    pub locations: Vec<Location>,
}

#[derive(Debug, Clone)]
pub(crate) struct Location {
    pub exact: bool,
    pub path: String,
    pub action: Option<Action>,
}

#[derive(Debug, Clone)]
pub(crate) enum Action {
    Return(u16, String),
    /// To an upstream by its place in the list, and the path that replaces the location's.
    Upstream(usize, Option<String>),
    /// To a host that is no upstream.
    Host(Peer, Option<String>),
    /// To what only the request knows.
    Variable,
}
