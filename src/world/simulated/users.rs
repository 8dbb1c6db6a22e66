//! What the users of the simulated site see: outages, how many backends serve, requests that were cut.

use std::collections::BTreeMap;
use std::time::Duration;

/// A time in which no healthy, enabled backend served an upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outage {
    pub upstream: String,
    pub from: Duration,
    /// `None`: it still lasts.
    pub to: Option<Duration>,
    /// The last thing that happened before it began.
    pub cause: String,
}

/// Requests that were lost because something ended while they could still run on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    pub at: Duration,
    pub container: String,
    pub cause: String,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Users {
    pub(super) watching: bool,
    pub(super) least: BTreeMap<String, usize>,
    /// The least of all, also of upstreams that are gone by now.
    pub(super) worst: Option<usize>,
    pub(super) outages: Vec<Outage>,
    pub(super) cuts: Vec<Cut>,
}

impl Users {
    pub(super) fn start(&mut self) {
        *self = Self {
            watching: true,
            ..Self::default()
        };
    }

    /// `serving`: for each upstream of the running configuration how many backends serve it; `None` when no proxy runs.
    pub(super) fn see(&mut self, serving: Option<Vec<(&str, usize)>>, now: Duration, cause: &str) {
        if !self.watching {
            return;
        }
        match serving {
            Some(upstreams) => {
                let names: Vec<&str> = upstreams.iter().map(|(name, _)| *name).collect();
                // An upstream that the new configuration lacks is not down, it is gone.
                self.least.retain(|name, _| names.contains(&name.as_str()));
                for outage in &mut self.outages {
                    if outage.to.is_none() && !names.contains(&outage.upstream.as_str()) {
                        outage.to = Some(now);
                    }
                }
                for (name, count) in upstreams {
                    self.note(name, count, now, cause);
                }
            }
            None => {
                for name in self.least.keys().cloned().collect::<Vec<_>>() {
                    self.note(&name, 0, now, cause);
                }
            }
        }
    }

    pub(super) fn cut(&mut self, at: Duration, container: &str, cause: String) {
        if self.watching {
            let container = container.to_string();
            self.cuts.push(Cut { at, container, cause });
        }
    }

    fn note(&mut self, name: &str, count: usize, now: Duration, cause: &str) {
        self.worst = Some(self.worst.map_or(count, |worst| worst.min(count)));
        match self.least.get_mut(name) {
            Some(least) => *least = count.min(*least),
            None => {
                self.least.insert(name.to_string(), count);
            }
        }
        let open = self.outages.iter_mut().rev();
        let open = open
            .into_iter()
            .find(|outage| outage.upstream == name && outage.to.is_none());
        match (open, count) {
            (None, 0) => self.outages.push(Outage {
                upstream: name.to_string(),
                from: now,
                to: None,
                cause: cause.to_string(),
            }),
            (Some(outage), 1..) => outage.to = Some(now),
            (Some(_), 0) | (None, 1..) => {}
        }
    }
}
