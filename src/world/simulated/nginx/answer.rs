//! What a running nginx answers.

use std::net::Ipv4Addr;
use std::sync::Arc;

use super::model::{Action, Config, Location, Server};
use super::server::Master;
use crate::world::simulated::state::State;
use crate::world::{HttpAnswer, NetError};

/// Answers a request that arrived at `port` of the nginx in a container.
pub(crate) fn answer(
    state: &mut State,
    index: usize,
    port: u16,
    host: &str,
    path: &str,
) -> Result<HttpAnswer, NetError> {
    let Some(generation) = state.engine.containers[index].master.as_ref().and_then(Master::current) else {
        return Err(NetError::Refused);
    };
    let config = Arc::clone(&generation.config);
    let Some(server) = pick(&config.servers, port, host) else {
        return Err(NetError::Refused);
    };
    let location = server.locations.iter().filter(|location| matches(location, path));
    let location = location.max_by_key(|location| (location.exact, location.path.len()));
    let action = server
        .answer
        .as_ref()
        .or(location.and_then(|location| location.action.as_ref()));
    let rewritten = |to: &Option<String>| match (to, location) {
        (Some(to), Some(location)) => format!("{to}{}", path.get(location.path.len()..).unwrap_or_default()),
        _ => path.to_string(),
    };
    match action {
        None => Ok(page(404)),
        Some(Action::Return(301 | 302 | 303 | 307 | 308, to)) => Ok(HttpAnswer {
            headers: vec![("location".into(), to.clone())],
            ..page(301)
        }),
        Some(Action::Return(status, text)) => Ok(HttpAnswer {
            body: text.clone(),
            ..page(*status)
        }),
        Some(Action::Variable) => Ok(page(502)),
        Some(Action::Host(peer, to)) => {
            let address = state.engine.resolve(&state.engine.containers[index], &peer.host);
            Ok(ask(state, index, address.first().copied(), peer.port, &rewritten(to)).unwrap_or_else(|| page(502)))
        }
        Some(Action::Upstream(at, to)) => {
            let path = rewritten(to);
            let peers = enabled(state, index, &config, *at);
            let turn = state.engine.containers[index].master.as_mut().map_or(0, |master| {
                master.turn += 1;
                master.turn
            });
            // A refused connection goes on to the next server, as `proxy_next_upstream` has it by default.
            let order = (0..peers.len()).map(|step| peers[(turn + step) % peers.len()]);
            for (address, port) in order.collect::<Vec<_>>() {
                if let Some(answer) = ask(state, index, Some(address), port, &path) {
                    return Ok(answer);
                }
            }
            Ok(page(502))
        }
    }
}

fn enabled(state: &State, index: usize, config: &Config, at: usize) -> Vec<(Ipv4Addr, u16)> {
    let proxy = &state.engine.containers[index];
    let Some(generation) = proxy.master.as_ref().and_then(Master::current) else {
        return Vec::new();
    };
    let peers = config.upstreams[at].peers.iter().enumerate();
    let mut found = Vec::new();
    for (peer_at, peer) in peers.filter(|(_, peer)| !peer.down && !peer.backup) {
        let addresses = generation.addresses(state, proxy, at, peer_at);
        found.extend(addresses.into_iter().map(|address| (address, peer.port)));
    }
    found
}

/// `None`: nobody listens there.
fn ask(state: &mut State, own: usize, address: Option<Ipv4Addr>, port: u16, path: &str) -> Option<HttpAnswer> {
    let address = address?;
    let index = if address.is_loopback() {
        own
    } else {
        state.engine.at_address(address)?
    };
    if index == own {
        // It asks itself, and may do so for ever.
        if state.depth > 3 {
            return None;
        }
        state.depth += 1;
        let answered = answer(state, own, port, "", path);
        state.depth -= 1;
        return answered.ok();
    }
    match state.serve(index, port, "", path) {
        Ok(answer) => Some(answer),
        Err(NetError::TimedOut(_)) => Some(page(504)),
        Err(_) => None,
    }
}

fn pick<'a>(servers: &'a [Server], port: u16, host: &str) -> Option<&'a Server> {
    let name = host.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok());
    let name = name.map_or(host, |(name, _)| name).to_lowercase();
    let here = || {
        servers
            .iter()
            .filter(|server| server.ports.iter().any(|(own, _)| *own == port))
    };
    let named = here().find(|server| server.names.contains(&name));
    let default = || here().find(|server| server.ports.contains(&(port, true)));
    named.or_else(default).or_else(|| here().next())
}

fn matches(location: &Location, path: &str) -> bool {
    let path = path.split('?').next().unwrap_or(path);
    if location.exact {
        path == location.path
    } else {
        path.starts_with(&location.path)
    }
}

fn page(status: u16) -> HttpAnswer {
    let headers = vec![("server".into(), "nginx".into())];
    let body = format!("<html><head><title>{status}</title></head></html>\n");
    HttpAnswer { status, headers, body }
}
