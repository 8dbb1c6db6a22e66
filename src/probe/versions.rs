//! The versions that answered.

use std::time::Duration;

use serde::Serialize;

use super::summary::ms;

/// Beyond these only a count is kept: a pattern that matches something unique in each answer must not fill the memory.
const MAX_VERSIONS: usize = 32;
const MAX_LENGTH: usize = 64;

/// A version, and when its answers came, from the start of the probe.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VersionSeen {
    /// At most 64 characters; those that could steer a terminal are replaced by `?`.
    pub version: String,
    pub count: u64,
    /// JSON: `first_seen_ms`.
    #[serde(rename = "first_seen_ms", serialize_with = "ms")]
    pub first_seen: Duration,
    /// JSON: `last_seen_ms`.
    #[serde(rename = "last_seen_ms", serialize_with = "ms")]
    pub last_seen: Duration,
}

#[derive(Default)]
pub(super) struct Versions {
    /// In the order in which they appeared.
    pub seen: Vec<VersionSeen>,
    /// Answers of all versions after the first 32.
    pub others: u64,
}

impl Versions {
    pub fn add(&mut self, version: &str, at: Duration) {
        let shown = |c: char| if c.is_control() { '?' } else { c };
        let version: String = version.chars().take(MAX_LENGTH).map(shown).collect();
        if let Some(known) = self.seen.iter_mut().find(|known| known.version == version) {
            known.count += 1;
            known.first_seen = known.first_seen.min(at);
            known.last_seen = known.last_seen.max(at);
        } else if self.seen.len() < MAX_VERSIONS {
            self.seen.push(VersionSeen {
                version,
                count: 1,
                first_seen: at,
                last_seen: at,
            });
        } else {
            self.others += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_in_order_and_within_bounds() {
        let mut versions = Versions::default();
        let second = Duration::from_secs;
        for (version, at) in [("0.0.1", 1), ("0.0.2", 2), ("0.0.1", 4), ("0.0.2", 3)] {
            versions.add(version, second(at));
        }
        let shown: Vec<_> = versions
            .seen
            .iter()
            .map(|v| (v.version.as_str(), v.count, v.last_seen))
            .collect();
        assert_eq!(shown, [("0.0.1", 2, second(4)), ("0.0.2", 2, second(3))]);
        for number in 0..100 {
            versions.add(&format!("x{number}"), second(5));
        }
        assert_eq!((versions.seen.len(), versions.others), (32, 70));
        let mut steered = Versions::default();
        steered.add("\x1b[2J", second(1));
        assert_eq!(steered.seen[0].version, "?[2J");
    }
}
