//! The networks of a project.

use serde_json::Value;

use super::project::Project;
use super::up::progress;
use crate::world::simulated::docker::Said;
use crate::world::simulated::engine::Failure;
use crate::world::simulated::image::digest;
use crate::world::simulated::network::{Network, Range};
use crate::world::simulated::state::State;

pub(super) fn make_networks(
    state: &mut State,
    project: &Project,
    services: &[(&str, bool)],
    said: &mut Said,
) -> Result<(), Failure> {
    for (key, network) in project.model["networks"].as_object().into_iter().flatten() {
        let used = |(name, _): &(&str, bool)| project.model["services"][*name]["networks"].get(key).is_some();
        let name = project.named("networks", key);
        if !services.iter().any(used) || state.engine.networks.iter().any(|network| network.name == name) {
            continue;
        }
        if network.get("external") == Some(&Value::Bool(true)) {
            return Err(Failure::exit(
                1,
                format!("network {name} declared as external, but could not be found\n"),
            ));
        }
        let config = &network["ipam"]["config"][0];
        let range = |key: &str| config[key].as_str().and_then(Range::parse);
        let subnet = match range("subnet") {
            Some(subnet) if state.engine.networks.iter().any(|other| other.subnet.overlaps(subnet)) => {
                return Err(Failure::daemon(
                    "invalid pool request: Pool overlaps with other one on this address space",
                ));
            }
            Some(subnet) => subnet,
            None => pool(state)?,
        };
        progress(said, "Network", &name, "Creating");
        state.event(|| format!("created network `{name}`"))?;
        let labels = [
            ("com.docker.compose.network", key.as_str()),
            ("com.docker.compose.project", &project.name),
        ];
        let network = Network {
            id: digest(&format!("network {name}")),
            name: name.clone(),
            subnet,
            range: range("ip_range"),
            gateway: config["gateway"].as_str().and_then(|text| text.parse().ok()),
            labels: labels.map(|(name, value)| (name.to_string(), value.to_string())).into(),
        };
        state.engine.networks.push(network);
        progress(said, "Network", &name, "Created");
    }
    Ok(())
}

/// The first of the engine's own pools that is free.
pub(super) fn pool(state: &State) -> Result<Range, Failure> {
    let pools = (17..32).map(|second| format!("172.{second}.0.0/16"));
    let mut free = pools.filter_map(|text| Range::parse(&text));
    let found = free.find(|pool| {
        !state
            .engine
            .networks
            .iter()
            .any(|network| network.subnet.overlaps(*pool))
    });
    found.ok_or_else(|| Failure::daemon("all predefined address pools have been fully subnetted"))
}
