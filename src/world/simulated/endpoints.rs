//! Addresses and ports that a container gets at its start.

use std::net::Ipv4Addr;

use super::engine::Failure;
use super::state::State;

impl State {
    pub(super) fn addresses(&self, index: usize) -> Result<Vec<Option<Ipv4Addr>>, Failure> {
        let mut given = Vec::new();
        for endpoint in &self.engine.containers[index].spec.endpoints {
            let network = self
                .engine
                .networks
                .iter()
                .find(|network| network.name == endpoint.network);
            let Some(network) = network else {
                return Err(Failure::daemon(format!("network {} not found", endpoint.network)));
            };
            let taken = |address| self.engine.at_address(address).is_some();
            given.push(Some(match endpoint.fixed {
                Some(address) if taken(address) || address == network.gateway() => {
                    return Err(Failure::daemon(
                        "failed to set up container networking: Address already in use",
                    ));
                }
                Some(address) if !network.subnet.contains(address) => {
                    return Err(Failure::daemon(format!(
                        "Invalid address {address}: It does not belong to any of this network's subnets"
                    )));
                }
                Some(address) => address,
                None => network
                    .free(taken)
                    .ok_or_else(|| Failure::daemon("no available IPv4 addresses on this network's address pools"))?,
            }));
        }
        Ok(given)
    }

    pub(super) fn host_ports(&self, index: usize) -> Result<Vec<Option<u16>>, Failure> {
        let container = &self.engine.containers[index];
        let mut given = Vec::new();
        for port in &container.spec.ports {
            let taken = |host: u16| self.listener(host).is_some() || given.contains(&Some(host));
            given.push(match (port.published, port.host) {
                (false, _) => None,
                (true, Some(host)) if taken(host) => {
                    let at = if port.host_ip.is_empty() { "0.0.0.0" } else { &port.host_ip };
                    return Err(Failure::daemon(format!(
                        "failed to set up container networking: driver failed programming external connectivity on endpoint {}: Bind for {at}:{host} failed: port is already allocated",
                        container.name
                    )));
                }
                (true, Some(host)) => Some(host),
                (true, None) => (32768..=60999).find(|host| !taken(*host)),
            });
        }
        Ok(given)
    }

    /// Which container publishes this port of the machine, and as which of its own ports.
    pub(super) fn listener(&self, port: u16) -> Option<(usize, u16)> {
        self.engine
            .containers
            .iter()
            .enumerate()
            .find_map(|(index, container)| {
                let at = container.host_ports.iter().position(|host| *host == Some(port))?;
                Some((index, container.spec.ports[at].target))
            })
    }
}
