//! A simulated network and its addresses.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

#[derive(Debug, Clone)]
pub(super) struct Network {
    pub name: String,
    pub id: String,
    pub subnet: Range,
    /// From where addresses are given; the subnet when nothing is said.
    pub range: Option<Range>,
    pub gateway: Option<Ipv4Addr>,
    pub labels: BTreeMap<String, String>,
}

/// An IPv4 network in CIDR notation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub first: u32,
    pub bits: u32,
}

impl Range {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/')?;
        let bits: u32 = bits.parse().ok().filter(|bits| *bits <= 32)?;
        let address: Ipv4Addr = address.parse().ok()?;
        let first = u32::from(address) & mask(bits);
        Some(Self { first, bits })
    }

    pub(super) fn contains(self, address: Ipv4Addr) -> bool {
        u32::from(address) & mask(self.bits) == self.first
    }

    pub(super) fn overlaps(self, other: Self) -> bool {
        let bits = self.bits.min(other.bits);
        self.first & mask(bits) == other.first & mask(bits)
    }

    fn last(self) -> u32 {
        self.first | !mask(self.bits)
    }
}

impl std::fmt::Display for Range {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", Ipv4Addr::from(self.first), self.bits)
    }
}

fn mask(bits: u32) -> u32 {
    u32::MAX.checked_shl(32 - bits).unwrap_or(0)
}

impl Network {
    /// The gateway the engine takes when none is named: the first address it may give.
    pub(super) fn gateway(&self) -> Ipv4Addr {
        let range = self.range.unwrap_or(self.subnet);
        let first = if range.first == self.subnet.first {
            range.first + 1
        } else {
            range.first
        };
        self.gateway.unwrap_or(Ipv4Addr::from(first))
    }

    /// The lowest address that is free.
    pub(super) fn free(&self, taken: impl Fn(Ipv4Addr) -> bool) -> Option<Ipv4Addr> {
        let range = self.range.unwrap_or(self.subnet);
        let ends = [self.subnet.first, self.subnet.last()];
        (range.first..=range.last())
            .filter(|address| !ends.contains(address))
            .map(Ipv4Addr::from)
            .find(|address| *address != self.gateway() && !taken(*address))
    }
}
