//! HTTP and TCP of the simulated machine: published ports, container addresses, and who answers there.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::Simulated;
use super::faults::{Hit, Kind};
use super::image::{Answers, ImageKind};
use super::nginx::{answer, server};
use super::state::State;
use crate::world::{HttpAnswer, HttpRequest, Net, NetError};

impl Net for Simulated {
    fn get(&self, request: &HttpRequest) -> Result<HttpAnswer, NetError> {
        self.net_call(&request.url, request.timeout, |state| {
            let (host, port, path) = parse(&request.url)?;
            let (index, inner) = state.locate(host, port, request.timeout)?;
            let name = request.host.as_deref().unwrap_or(host);
            state.serve(index, inner, name, path)
        })
    }

    fn connect(&self, host: &str, port: u16, timeout: Duration) -> Result<(), NetError> {
        self.net_call(&format!("tcp://{host}:{port}"), timeout, |state| {
            let (index, inner) = state.locate(host, port, timeout)?;
            if state.listens(index, inner) {
                Ok(())
            } else {
                Err(NetError::Refused)
            }
        })
    }

    fn port_free(&self, address: SocketAddr) -> bool {
        let state = self.lock();
        !state.settings.taken_ports.contains(&address.port()) && state.listener(address.port()).is_none()
    }
}

impl Simulated {
    fn net_call<T>(
        &self,
        what: &str,
        timeout: Duration,
        work: impl FnOnce(&mut State) -> Result<T, NetError>,
    ) -> Result<T, NetError> {
        let mut state = self.lock();
        match state.call(Kind::Net, || what.to_string(), None) {
            Hit::None | Hit::Interrupt => {}
            Hit::Error | Hit::ErrorAfter => return Err(NetError::Closed),
            Hit::Hang => {
                state.spend(timeout);
                return Err(NetError::TimedOut(timeout));
            }
            Hit::Crash { .. } => {
                state.faults.die();
                drop(state);
                self.crash();
                return Err(NetError::Closed);
            }
        }
        state.spend(Duration::from_millis(1));
        match work(&mut state) {
            Err(NetError::TimedOut(_)) => {
                state.spend(timeout);
                Err(NetError::TimedOut(timeout))
            }
            result => result,
        }
    }
}

impl State {
    /// Which container a host and port lead to, and its own port.
    fn locate(&self, host: &str, port: u16, timeout: Duration) -> Result<(usize, u16), NetError> {
        match host {
            "localhost" | "127.0.0.1" | "0.0.0.0" | "::1" => self.listener(port).ok_or(NetError::Refused),
            _ => {
                let address: Ipv4Addr = host.parse().map_err(|_| NetError::NoSuchHost(host.to_string()))?;
                let found = self.engine.at_address(address).filter(|_| self.settings.local);
                Ok((found.ok_or(NetError::TimedOut(timeout))?, port))
            }
        }
    }

    fn listens(&self, index: usize, port: u16) -> bool {
        let container = &self.engine.containers[index];
        match self.engine.kind(container) {
            Some(ImageKind::App(behaviour)) => {
                behaviour.port.is_none_or(|own| own == port) && container.booted(behaviour, self.now)
            }
            Some(ImageKind::Nginx { .. }) => {
                let current = container.master.as_ref().and_then(server::Master::current);
                let mut servers = current.iter().flat_map(|generation| &generation.config.servers);
                servers.any(|server| server.ports.iter().any(|(own, _)| *own == port))
            }
            Some(ImageKind::Other) => container.running(),
            None => false,
        }
    }

    /// The answer of whatever runs in a container. A time-out carries no time: the caller knows its own.
    pub(super) fn serve(&mut self, index: usize, port: u16, host: &str, path: &str) -> Result<HttpAnswer, NetError> {
        if !self.listens(index, port) {
            return Err(NetError::Refused);
        }
        let container = &self.engine.containers[index];
        let behaviour = match self.engine.kind(container) {
            Some(ImageKind::App(behaviour)) => behaviour,
            Some(ImageKind::Nginx { .. }) => return answer::answer(self, index, port, host, path),
            Some(ImageKind::Other) | None => return Err(NetError::Closed),
        };
        let version = self
            .engine
            .images
            .get(&container.spec.image_id)
            .map_or("", |image| image.tag());
        let good = || {
            behaviour
                .body
                .replace("{service}", container.service())
                .replace("{tag}", version)
        };
        let (status, body) = match (behaviour.answers, container.sick(behaviour, self.now)) {
            (Answers::Never, _) => return Err(NetError::TimedOut(Duration::ZERO)),
            (_, true) => (500, format!("{} has fallen ill\n", container.service())),
            (Answers::Well, false) => (200, good()),
            (Answers::Unhealthy, false) => (503, format!("{} is not healthy\n", container.service())),
            (Answers::Moved, false) => (301, "moved\n".to_string()),
        };
        let mut headers = vec![("content-length".to_string(), body.len().to_string())];
        if status == 301 {
            headers.push(("location".into(), "/elsewhere".into()));
        }
        let takes = behaviour.answers_in;
        self.spend(takes);
        Ok(HttpAnswer { status, headers, body })
    }
}

fn parse(url: &str) -> Result<(&str, u16, &str), NetError> {
    let Some(rest) = url.strip_prefix("http://") else {
        return Err(NetError::Other("`https` is not spoken here, only `http`".into()));
    };
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, "/"),
    };
    match authority.rsplit_once(':') {
        Some((host, port)) => {
            let port = port
                .parse()
                .map_err(|_| NetError::Other(format!("`{url}` is no address")))?;
            Ok((host, port, path))
        }
        None => Ok((authority, 80, path)),
    }
}
