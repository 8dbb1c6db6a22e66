//! Requests over time, in a bounded number of buckets.

use std::time::Duration;

use serde::Serialize;

use super::summary::ms;

/// Ten minutes by the second, then twenty by two seconds, and so on.
const MAX_BUCKETS: usize = 600;

/// Requests by the time they were due. Bucket `n` begins `n * seconds` after the start.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Timeline {
    /// Width of a bucket; 1, until a long run doubles it.
    pub seconds: u32,
    pub buckets: Vec<Bucket>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Bucket {
    pub ok: u64,
    pub failed: u64,
    /// The slowest successful answer. JSON: `slowest_ms`.
    #[serde(rename = "slowest_ms", serialize_with = "ms")]
    pub slowest: Duration,
}

impl Timeline {
    pub(super) fn new() -> Self {
        Timeline {
            seconds: 1,
            buckets: Vec::new(),
        }
    }

    /// `latency` is that of a success, `None` a failure.
    pub(super) fn add(&mut self, due: Duration, latency: Option<Duration>) {
        let second = due.as_secs();
        while second / u64::from(self.seconds) >= MAX_BUCKETS as u64 {
            self.halve();
        }
        let index = (second / u64::from(self.seconds)) as usize;
        if index >= self.buckets.len() {
            self.buckets.resize(index + 1, Bucket::default());
        }
        let bucket = &mut self.buckets[index];
        match latency {
            Some(latency) => {
                bucket.ok += 1;
                bucket.slowest = bucket.slowest.max(latency);
            }
            None => bucket.failed += 1,
        }
    }

    fn halve(&mut self) {
        let merged = self.buckets.chunks(2).map(|pair| {
            pair.iter().fold(Bucket::default(), |sum, one| Bucket {
                ok: sum.ok + one.ok,
                failed: sum.failed + one.failed,
                slowest: sum.slowest.max(one.slowest),
            })
        });
        self.buckets = merged.collect();
        self.seconds *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_run_widens_the_buckets_and_loses_nothing() {
        let mut timeline = Timeline::new();
        for second in 0..5_000 {
            let slow = Duration::from_millis(second);
            timeline.add(Duration::from_secs(second), (second % 10 != 0).then_some(slow));
        }
        assert_eq!(timeline.seconds, 16);
        assert!(timeline.buckets.len() <= MAX_BUCKETS);
        assert_eq!(timeline.buckets.iter().map(|b| b.ok).sum::<u64>(), 4_500);
        assert_eq!(timeline.buckets.iter().map(|b| b.failed).sum::<u64>(), 500);
        let first = timeline.buckets[0];
        assert_eq!(
            (first.ok, first.failed, first.slowest),
            (14, 2, Duration::from_millis(15))
        );
    }
}
