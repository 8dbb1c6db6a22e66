//! Pinned addresses: a subnet that is free on this engine, chosen once and kept; each backend a number in it.
//! Anything else breaks at a reboot: addresses are handed out anew, in another order (measured, field notes).

use super::Site;
use crate::drivers::Failure;

/// The block the subnets are taken from: 10.213.0.0/16, unlikely to be routed by anybody and outside docker's defaults.
const BLOCK: (u8, u8) = (10, 213);
/// Backends begin here; the gateway is .1, unpinned containers live from .128 on.
const FIRST: u8 = 11;
/// One past the last pinned number (`ip_range` is the upper half).
const END: u8 = 128;

/// The first free /24 of the block, beginning at a place that depends on the project so that two projects
/// provisioned at the same moment seldom meet.
pub fn choose_subnet(project: &str, taken: &[String]) -> Option<String> {
    let start = project
        .bytes()
        .fold(7u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte));
    (0..=255u8)
        .map(|step| start.wrapping_add(step))
        .find(|third| !taken.iter().any(|subnet| overlaps(subnet, *third)))
        .map(|third| format!("{}.{}.{third}.0/24", BLOCK.0, BLOCK.1))
}

fn overlaps(subnet: &str, third: u8) -> bool {
    let Some((address, bits)) = subnet.split_once('/') else {
        return false;
    };
    let (Ok(address), Ok(bits)) = (address.parse::<std::net::Ipv4Addr>(), bits.parse::<u32>()) else {
        return false;
    };
    let shift = 32 - bits.min(24);
    let ours = u32::from_be_bytes([BLOCK.0, BLOCK.1, third, 0]);
    let theirs = u32::from(address);
    shift >= 32 || ours >> shift == theirs >> shift
}

impl Site<'_> {
    /// The project's subnet: what was chosen before, what its network has, or a free one.
    pub(super) fn subnet(&self) -> Result<String, Failure> {
        if let Some(subnet) = self.state.borrow().subnet.clone() {
            return Ok(subnet);
        }
        let subnet = match self.engine.subnet_of(self.project())? {
            Some(subnet) => subnet,
            None => choose_subnet(self.project(), &self.engine.subnets()?).ok_or_else(|| {
                Failure::refused("no free subnet is left in 10.213.0.0/16")
                    .help("remove networks nobody uses: `docker network prune`")
            })?,
        };
        self.remember(|state| state.subnet = Some(subnet.clone()))?;
        Ok(subnet)
    }

    /// The pinned address of a backend in that subnet.
    pub(super) fn address(&self, subnet: &str, backend: &str) -> Result<String, Failure> {
        let known = self.state.borrow().addresses.get(backend).copied();
        let number = match known {
            Some(number) => number,
            None => {
                let taken: Vec<u8> = self.state.borrow().addresses.values().copied().collect();
                let free = (FIRST..END).find(|number| !taken.contains(number));
                let number = free.ok_or_else(|| Failure::refused("more backends than pinned addresses (117)"))?;
                self.remember(|state| {
                    state.addresses.insert(backend.to_string(), number);
                })?;
                number
            }
        };
        let head = subnet.rsplit_once('.').map_or("", |(head, _)| head);
        Ok(format!("{head}.{number}"))
    }
}
