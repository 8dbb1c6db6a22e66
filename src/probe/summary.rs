//! What a probe found, as plain data.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Serialize, Serializer};

use super::failure::FailureKind;
use super::options::Stream;
use super::orders::AcceptedOrders;
use super::outage::Outage;
use super::timeline::Timeline;
use super::versions::VersionSeen;

/// What a probe found, so far or at the end. All numbers are about *finished* requests, so `requests == ok + failed`.
///
/// As JSON every span of time is a number of milliseconds in a field that ends in `_ms`, times count from the start of the
/// probe (only `started_unix_ms` counts from 1970), and what does not exist is `null`:
///
/// ```json
/// { "url": "http://shop/ping", "rate": 50.0, "started_unix_ms": 1753000000000, "elapsed_ms": 30000.1,
///   "requests": 1500, "ok": 1499, "failed": 1, "in_flight": 0, "availability": 99.933,
///   "failures": { "status 502": 1 },
///   "latency":  { "p50_ms": 1.2, "p99_ms": 9.1, "max_ms": 18.0 },
///   "lateness": { "p50_ms": 0.1, "p99_ms": 0.3, "max_ms": 2.0 },
///   "slowest_failure_ms": 1.9,
///   "longest_outage": { "stream": "fresh", "began_ms": 8040.0, "lasted_ms": 40.0, "failed": 1, "ended": true },
///   "streams":  [ { "stream": "fresh", "requests": 750, … the same figures for this stream } ],
///   "versions": [ { "version": "0.0.1", "count": 1499, "first_seen_ms": 1.2, "last_seen_ms": 29990.0 } ],
///   "other_versions": 0,
///   "timeline": { "seconds": 1, "buckets": [ { "ok": 50, "failed": 0, "slowest_ms": 3.0 } ] },
///   "accepted": ["zdt-18f2-a1-0"] }
/// ```
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    pub url: String,
    /// Steady requests a second that were asked for.
    pub rate: f64,
    /// JSON: `started_unix_ms`.
    #[serde(rename = "started_unix_ms", serialize_with = "unix_ms")]
    pub started: SystemTime,
    /// How long requests have been sent; the wait for the last answers is not part of it. JSON: `elapsed_ms`.
    #[serde(rename = "elapsed_ms", serialize_with = "ms")]
    pub elapsed: Duration,
    pub requests: u64,
    pub ok: u64,
    pub failed: u64,
    /// Due, and not finished yet; 0 after [`stop`](super::Probe::stop).
    pub in_flight: u64,
    /// Percent of `requests` that are `ok`; `None` when there were none. Use [`Summary::meets`] to judge it.
    pub availability: Option<f64>,
    pub failures: BTreeMap<FailureKind, u64>,
    /// Of successful requests, from the time they were due to the last byte.
    pub latency: Option<Latency>,
    /// From the time requests were due to the time a thread took them up: what the probe itself adds to `latency`.
    pub lateness: Option<Latency>,
    /// The longest wait that ended in a failure. JSON: `slowest_failure_ms`.
    #[serde(rename = "slowest_failure_ms", serialize_with = "ms")]
    pub slowest_failure: Duration,
    /// The longest of the streams' outages.
    pub longest_outage: Option<Outage>,
    /// Only streams that were asked for.
    pub streams: Vec<StreamSummary>,
    /// In the order in which they appeared.
    pub versions: Vec<VersionSeen>,
    /// Answers of further versions, after the first 32.
    pub other_versions: u64,
    pub timeline: Timeline,
    pub accepted: AcceptedOrders,
}

impl Summary {
    /// Whether at least `percent` of the requests succeeded, without any rounding. No requests meet nothing.
    pub fn meets(&self, percent: f64) -> bool {
        self.requests > 0 && self.ok as f64 * 100.0 >= percent * self.requests as f64
    }
}

/// The figures of one stream; the fields mean what they mean in [`Summary`].
#[derive(Clone, Debug, Serialize)]
pub struct StreamSummary {
    pub stream: Stream,
    pub requests: u64,
    pub ok: u64,
    pub failed: u64,
    pub availability: Option<f64>,
    pub failures: BTreeMap<FailureKind, u64>,
    pub latency: Option<Latency>,
    pub longest_outage: Option<Outage>,
}

/// Quantiles, exact to 1 %, and the exact maximum. JSON: `p50_ms`, `p99_ms`, `max_ms`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Latency {
    #[serde(rename = "p50_ms", serialize_with = "ms")]
    pub p50: Duration,
    #[serde(rename = "p99_ms", serialize_with = "ms")]
    pub p99: Duration,
    #[serde(rename = "max_ms", serialize_with = "ms")]
    pub max: Duration,
}

pub(super) fn availability(ok: u64, requests: u64) -> Option<f64> {
    (requests > 0).then(|| ok as f64 * 100.0 / requests as f64)
}

/// Milliseconds, to the microsecond.
pub(super) fn ms<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_micros() as f64 / 1000.0)
}

fn unix_ms<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    serializer.serialize_u64(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
