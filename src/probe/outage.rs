//! Outages of one stream, in the order in which its requests were due.

use std::collections::VecDeque;
use std::time::Duration;

use serde::Serialize;

use super::options::Stream;
use super::summary::ms;

/// A span in which no request of a stream succeeded; see the [module](super) for what exactly that means.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Outage {
    pub stream: Stream,
    /// When the first failed request was due, from the start of the probe. JSON: `began_ms`.
    #[serde(rename = "began_ms", serialize_with = "ms")]
    pub began: Duration,
    /// JSON: `lasted_ms`.
    #[serde(rename = "lasted_ms", serialize_with = "ms")]
    pub lasted: Duration,
    /// The requests of the stream that failed in it.
    pub failed: u64,
    /// Whether a request has succeeded since; if not, it may have lasted longer than the probe saw.
    pub ended: bool,
}

/// How a request ended, as far as outages are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Ok,
    Failed,
    /// Never sent: it says nothing about the server.
    Unknown,
}

/// Puts requests back into order and finds the longest outage. Holds no more than what is in flight, and what ended
/// after the oldest of those was due.
pub(super) struct Outages {
    stream: Stream,
    /// Number of the request at the front of `open`.
    first: u64,
    open: VecDeque<(Duration, Option<End>)>,
    present: Option<Outage>,
    longest: Option<Outage>,
}

impl Outages {
    pub fn new(stream: Stream) -> Self {
        Outages {
            stream,
            first: 0,
            open: VecDeque::new(),
            present: None,
            longest: None,
        }
    }

    /// Notes that a request is due, and numbers it.
    pub fn begin(&mut self, due: Duration) -> u64 {
        self.open.push_back((due, None));
        self.first + self.open.len() as u64 - 1
    }

    /// Notes how a request ended; `false` when that was known before.
    pub fn end(&mut self, number: u64, end: End) -> bool {
        let slot = number
            .checked_sub(self.first)
            .and_then(|at| self.open.get_mut(at as usize));
        let Some((_, slot @ None)) = slot else {
            return false;
        };
        *slot = Some(end);
        while let Some(&(due, Some(end))) = self.open.front() {
            self.open.pop_front();
            self.first += 1;
            self.judge(due, end);
        }
        true
    }

    fn judge(&mut self, due: Duration, end: End) {
        match (end, &mut self.present) {
            (End::Failed, Some(outage)) => {
                outage.lasted = due - outage.began;
                outage.failed += 1;
            }
            (End::Failed, None) => {
                let lasted = Duration::ZERO;
                self.present = Some(Outage {
                    stream: self.stream,
                    began: due,
                    lasted,
                    failed: 1,
                    ended: false,
                });
            }
            (End::Ok, Some(outage)) => {
                (outage.lasted, outage.ended) = (due - outage.began, true);
                self.longest = longer(self.longest.take(), self.present.take());
            }
            (End::Ok, None) | (End::Unknown, _) => {}
        }
    }

    /// Numbers and times of the requests whose end is not known.
    pub fn in_flight(&self) -> impl Iterator<Item = (u64, Duration)> {
        let numbered = (self.first..).zip(&self.open);
        numbered
            .filter(|(_, (_, end))| end.is_none())
            .map(|(number, (due, _))| (number, *due))
    }

    /// The longest outage, the present one included. While requests are in flight that one counts only as far as it is
    /// known; `until`, the end of all requests, closes it.
    pub fn longest(&self, until: Option<Duration>) -> Option<Outage> {
        let mut present = self.present;
        if let (Some(outage), Some(until)) = (&mut present, until) {
            outage.lasted = outage.lasted.max(until.saturating_sub(outage.began));
        }
        longer(self.longest, present)
    }
}

/// The longer of two; the earlier when they are equal.
pub(super) fn longer(one: Option<Outage>, other: Option<Outage>) -> Option<Outage> {
    match (one, other) {
        (Some(one), Some(other)) if other.lasted > one.lasted => Some(other),
        (Some(one), _) => Some(one),
        (None, other) => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: Duration = Duration::from_millis(20);

    /// One request each 20 ms: `.` succeeds, `x` fails, `o` is not sent. They end in the order given by `order`.
    fn run(ends: &str, order: impl Fn(usize) -> usize, until: Option<u32>) -> Option<(u128, u128, u64, bool)> {
        let mut outages = Outages::new(Stream::Fresh);
        let numbers: Vec<u64> = (0..ends.len()).map(|n| outages.begin(STEP * n as u32)).collect();
        let mut turns: Vec<usize> = (0..ends.len()).collect();
        turns.sort_by_key(|&n| order(n));
        for n in turns {
            let end = match ends.as_bytes()[n] {
                b'.' => End::Ok,
                b'x' => End::Failed,
                _ => End::Unknown,
            };
            assert!(outages.end(numbers[n], end), "known once");
            assert!(!outages.end(numbers[n], end), "and only once");
        }
        assert_eq!(outages.in_flight().count(), 0);
        let longest = outages.longest(until.map(|n| STEP * n))?;
        Some((
            longest.began.as_millis(),
            longest.lasted.as_millis(),
            longest.failed,
            longest.ended,
        ))
    }

    #[test]
    fn it_lasts_to_the_next_success() {
        let cases = [
            ("....", None),
            (".x..", Some((20, 20, 1, true))),
            (".xxx.x.", Some((20, 60, 3, true))),
            (".x.xx.", Some((60, 40, 2, true))),
            ("x.x.x.", Some((0, 20, 1, true))),
            (".xooo.", Some((20, 80, 1, true))),
            ("ooo.", None),
            ("oox.", Some((40, 20, 1, true))),
        ];
        for (ends, expected) in cases {
            assert_eq!(run(ends, |n| n, None), expected, "{ends}");
            assert_eq!(
                run(ends, |n| ends.len() - n, None),
                expected,
                "{ends}, answered backwards"
            );
            assert_eq!(run(ends, |n| n * 5 % 7, None), expected, "{ends}, answered in disorder");
        }
    }

    #[test]
    fn one_that_does_not_end_lasts_to_the_end_of_the_probe() {
        assert_eq!(run(".xx", |n| n, Some(10)), Some((20, 180, 2, false)));
        assert_eq!(
            run(".xx", |n| n, None),
            Some((20, 20, 2, false)),
            "and no further than is known before that"
        );
    }

    #[test]
    fn a_request_in_flight_holds_back_what_came_after_it() {
        let mut outages = Outages::new(Stream::Post);
        let numbers: Vec<u64> = (0..3).map(|n| outages.begin(STEP * n)).collect();
        outages.end(numbers[1], End::Failed);
        outages.end(numbers[2], End::Ok);
        assert_eq!(outages.longest(None), None);
        assert_eq!(outages.in_flight().collect::<Vec<_>>(), [(0, Duration::ZERO)]);
        outages.end(numbers[0], End::Failed);
        let longest = outages.longest(None).expect("an outage");
        assert_eq!((longest.lasted, longest.stream), (STEP * 2, Stream::Post));
        assert!(!outages.end(99, End::Ok));
    }
}
