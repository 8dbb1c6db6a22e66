//! Counts and latencies of one stream, or of all.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::failure::FailureKind;
use super::summary::Latency;

/// One request's end.
pub(super) type Outcome = Result<Option<String>, FailureKind>;

#[derive(Default)]
pub(super) struct Tally {
    pub ok: u64,
    pub failures: BTreeMap<FailureKind, u64>,
    pub latency: Spread,
    pub slowest_failure: Duration,
}

impl Tally {
    pub fn add(&mut self, outcome: &Outcome, latency: Duration) {
        match outcome {
            Ok(_) => {
                self.ok += 1;
                self.latency.add(latency);
            }
            Err(kind) => {
                *self.failures.entry(*kind).or_default() += 1;
                self.slowest_failure = self.slowest_failure.max(latency);
            }
        }
    }

    pub fn failed(&self) -> u64 {
        self.failures.values().sum()
    }
}

/// Durations in a histogram of fixed size: exact to 1 %, the largest exact.
pub(super) struct Spread {
    /// In microseconds.
    histogram: Option<Histogram<u32>>,
    max: Duration,
}

const LONGEST_MICROS: u64 = 3_600_000_000;

impl Default for Spread {
    fn default() -> Self {
        // Fails only for bounds that make no sense; these do.
        Spread {
            histogram: Histogram::new_with_bounds(1, LONGEST_MICROS, 2).ok(),
            max: Duration::ZERO,
        }
    }
}

impl Spread {
    pub fn add(&mut self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(LONGEST_MICROS);
        if let Some(histogram) = &mut self.histogram {
            histogram.saturating_record(micros);
        }
        self.max = self.max.max(duration);
    }

    /// `None` when nothing was added.
    pub fn summary(&self) -> Option<Latency> {
        let histogram = self.histogram.as_ref().filter(|h| !h.is_empty())?;
        let at = |quantile| Duration::from_micros(histogram.value_at_quantile(quantile)).min(self.max);
        Some(Latency {
            p50: at(0.5),
            p99: at(0.99),
            max: self.max,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_exact_to_one_percent() {
        let mut spread = Spread::default();
        assert_eq!(spread.summary(), None);
        (1..=1000).for_each(|n| spread.add(Duration::from_millis(n)));
        spread.add(Duration::from_secs(100_000));
        let found = spread.summary().expect("something was added");
        for (value, exact) in [(found.p50, 0.5), (found.p99, 0.99)] {
            assert!((value.as_secs_f64() / exact - 1.0).abs() < 0.012, "{value:?}");
        }
        assert_eq!(found.max, Duration::from_secs(100_000));
    }
}
