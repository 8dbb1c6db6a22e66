//! The probe against real TCP servers with known behaviour.
//!
//! What is asserted are counts and relations that hold on a machine of any speed; limits of time only end what hangs.

#[path = "probe/command.rs"]
mod command;
#[path = "probe/failures.rs"]
mod failures;
#[path = "probe/load.rs"]
mod load;
#[path = "probe/server.rs"]
mod server;

use std::thread;
use std::time::{Duration, Instant};

use zdt::probe::{FailureKind, Probe, ProbeOptions, Summary};

/// Fast enough to be done soon, patient enough for a busy machine.
fn options(url: &str) -> ProbeOptions {
    let timeout = Duration::from_secs(60);
    ProbeOptions {
        rate: 100.0,
        timeout,
        ..ProbeOptions::new(url)
    }
}

fn fresh(url: &str) -> ProbeOptions {
    ProbeOptions {
        pooled: 0,
        ..options(url)
    }
}

/// One request at a time over one connection; what would overlap is not sent.
fn one_by_one(url: &str) -> ProbeOptions {
    ProbeOptions {
        pooled: 1,
        fresh: false,
        max_in_flight: 1,
        ..options(url)
    }
}

fn start(options: ProbeOptions) -> Probe {
    Probe::start(options).expect("valid options")
}

/// Waits for something to become true of the probe.
fn until(probe: &Probe, what: impl Fn(&Summary) -> bool) {
    let limit = Instant::now() + Duration::from_secs(100);
    while !what(&probe.snapshot()) {
        assert!(Instant::now() < limit, "it never came true: {:#?}", probe.snapshot());
        thread::sleep(Duration::from_millis(5));
    }
}

fn count(summary: &Summary, kind: FailureKind) -> u64 {
    summary.failures.get(&kind).copied().unwrap_or(0)
}

/// What holds of every summary after the end.
fn check(summary: &Summary) {
    assert_eq!(summary.in_flight, 0);
    assert_eq!(summary.requests, summary.ok + summary.failed);
    assert_eq!(summary.failed, summary.failures.values().sum::<u64>());
    assert_eq!(
        summary.requests,
        summary.streams.iter().map(|s| s.requests).sum::<u64>()
    );
    let buckets = &summary.timeline.buckets;
    assert_eq!(summary.ok, buckets.iter().map(|b| b.ok).sum::<u64>());
    assert_eq!(summary.failed, buckets.iter().map(|b| b.failed).sum::<u64>());
    assert_eq!(summary.latency.is_some(), summary.ok > 0);
}
