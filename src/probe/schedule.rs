//! When which request is due: fixed in advance, so that nothing a server does can slow it down.

use std::time::Duration;

use super::options::{ProbeOptions, Stream};

/// The times of all requests in order, without end.
pub(super) struct Schedule {
    rate: f64,
    posts: f64,
    fresh: bool,
    pooled: bool,
    sent: u64,
    posted: u64,
}

impl Schedule {
    pub fn new(options: &ProbeOptions) -> Self {
        Schedule {
            rate: options.rate,
            posts: options.posts_per_second,
            fresh: options.fresh,
            pooled: options.pooled > 0,
            sent: 0,
            posted: 0,
        }
    }

    /// The time from the start, and the stream, of the next request.
    pub fn next(&mut self) -> (Duration, Stream) {
        // Posts stand half a step off, so that they do not always meet a steady request.
        let steady = at(self.sent as f64, self.rate);
        let post = at(self.posted as f64 + 0.5, self.posts);
        if post < steady {
            self.posted += 1;
            return (post, Stream::Post);
        }
        self.sent += 1;
        (steady, self.steady_stream())
    }

    fn steady_stream(&self) -> Stream {
        match (self.fresh, self.pooled) {
            (true, true) if self.sent.is_multiple_of(2) => Stream::Pooled,
            (true, _) => Stream::Fresh,
            (false, _) => Stream::Pooled,
        }
    }
}

/// A rate of 0 is never due.
fn at(number: f64, rate: f64) -> Duration {
    Duration::try_from_secs_f64(number / rate).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(count: usize, change: impl FnOnce(&mut ProbeOptions)) -> Vec<(u128, Stream)> {
        let mut options = ProbeOptions::new("http://x/");
        change(&mut options);
        let mut schedule = Schedule::new(&options);
        (0..count)
            .map(|_| schedule.next())
            .map(|(at, stream)| (at.as_millis(), stream))
            .collect()
    }

    #[test]
    fn fresh_and_pooled_take_turns_and_posts_come_between() {
        let seen = first(6, |o| (o.rate, o.posts_per_second) = (10.0, 5.0));
        use Stream::{Fresh, Pooled, Post};
        assert_eq!(seen[..2], [(0, Fresh), (100, Pooled)]);
        assert_eq!(
            seen.iter().filter(|(at, stream)| (*at, *stream) == (300, Post)).count(),
            1
        );
        assert!(seen.is_sorted_by_key(|(at, _)| *at));
    }

    #[test]
    fn one_kind_alone_takes_all() {
        assert!(first(4, |o| o.pooled = 0).iter().all(|(_, s)| *s == Stream::Fresh));
        assert!(first(4, |o| o.fresh = false).iter().all(|(_, s)| *s == Stream::Pooled));
        let posts = first(3, |o| (o.rate, o.posts_per_second) = (0.0, 10.0));
        assert_eq!(posts, [(50, Stream::Post), (150, Stream::Post), (250, Stream::Post)]);
    }

    #[test]
    fn it_does_not_drift() {
        let seen = first(301, |o| (o.rate, o.pooled) = (3.0, 0));
        assert_eq!(seen.last(), Some(&(100_000, Stream::Fresh)));
    }
}
