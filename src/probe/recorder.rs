//! Where the ends of requests come together.

use std::time::{Duration, SystemTime};

use super::failure::FailureKind;
use super::options::{ProbeOptions, Stream};
use super::orders::AcceptedOrders;
use super::outage::{End, Outages, longer};
use super::summary::{StreamSummary, Summary, availability};
use super::tally::{Outcome, Spread, Tally};
use super::timeline::Timeline;
use super::versions::Versions;

/// A request that is due. Times count from the start of the probe.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticket {
    pub stream: Stream,
    pub number: u64,
    pub due: Duration,
}

pub(super) struct Recorder {
    url: String,
    rate: f64,
    started: SystemTime,
    /// When the last request had been sent.
    ended: Option<Duration>,
    all: Tally,
    streams: Vec<StreamLog>,
    lateness: Spread,
    versions: Versions,
    timeline: Timeline,
    accepted: AcceptedOrders,
    in_flight: u64,
}

struct StreamLog {
    stream: Stream,
    tally: Tally,
    outages: Outages,
}

impl Recorder {
    pub fn new(options: &ProbeOptions, started: SystemTime) -> Self {
        let steady = options.rate > 0.0;
        let asked = [
            (Stream::Fresh, steady && options.fresh),
            (Stream::Pooled, steady && options.pooled > 0),
            (Stream::Post, options.posts_per_second > 0.0),
        ];
        let asked = asked.into_iter().filter(|(_, asked)| *asked).map(|(stream, _)| stream);
        Recorder {
            url: options.url.clone(),
            rate: options.rate,
            started,
            ended: None,
            all: Tally::default(),
            streams: asked.map(StreamLog::new).collect(),
            lateness: Spread::default(),
            versions: Versions::default(),
            timeline: Timeline::new(),
            accepted: AcceptedOrders::of_run(started),
            in_flight: 0,
        }
    }

    pub fn order_id(&self, number: u64) -> String {
        self.accepted.id(number)
    }

    /// Notes that a request is due; `None` for a stream that was not asked for.
    pub fn begin(&mut self, stream: Stream, due: Duration) -> Option<Ticket> {
        let log = self.streams.iter_mut().find(|log| log.stream == stream)?;
        self.in_flight += 1;
        Some(Ticket {
            stream,
            number: log.outages.begin(due),
            due,
        })
    }

    /// Notes how it ended, once: what comes after the probe gave up on it is ignored.
    pub fn end(&mut self, ticket: Ticket, taken_up: Duration, finished: Duration, outcome: &Outcome) {
        let Some(log) = self.streams.iter_mut().find(|log| log.stream == ticket.stream) else {
            return;
        };
        let end = match outcome {
            Ok(_) => End::Ok,
            Err(FailureKind::NotSent) => End::Unknown,
            Err(_) => End::Failed,
        };
        if !log.outages.end(ticket.number, end) {
            return;
        }
        self.in_flight -= 1;
        let latency = finished.saturating_sub(ticket.due);
        log.tally.add(outcome, latency);
        self.all.add(outcome, latency);
        self.lateness.add(taken_up.saturating_sub(ticket.due));
        self.timeline.add(ticket.due, outcome.is_ok().then_some(latency));
        if let Ok(Some(version)) = outcome {
            self.versions.add(version, finished);
        }
        if outcome.is_ok() && ticket.stream == Stream::Post {
            self.accepted.accept(ticket.number);
        }
    }

    /// Notes that no more requests become due.
    pub fn close(&mut self, at: Duration) {
        self.ended.get_or_insert(at);
    }

    pub fn in_flight(&self) -> u64 {
        self.in_flight
    }

    /// Ends what is in flight as timed out.
    pub fn give_up(&mut self, now: Duration) {
        let open = |log: &StreamLog| -> Vec<Ticket> {
            let stream = log.stream;
            log.outages
                .in_flight()
                .map(|(number, due)| Ticket { stream, number, due })
                .collect()
        };
        let tickets: Vec<Ticket> = self.streams.iter().flat_map(open).collect();
        for ticket in tickets {
            self.end(ticket, ticket.due, now, &Err(FailureKind::Timeout));
        }
    }

    pub fn summary(&self, now: Duration) -> Summary {
        let until = self.ended.filter(|_| self.in_flight == 0);
        let streams: Vec<StreamSummary> = self.streams.iter().map(|log| log.summary(until)).collect();
        let requests = self.all.ok + self.all.failed();
        Summary {
            url: self.url.clone(),
            rate: self.rate,
            started: self.started,
            elapsed: self.ended.unwrap_or(now),
            requests,
            ok: self.all.ok,
            failed: self.all.failed(),
            in_flight: self.in_flight,
            availability: availability(self.all.ok, requests),
            failures: self.all.failures.clone(),
            latency: self.all.latency.summary(),
            lateness: self.lateness.summary(),
            slowest_failure: self.all.slowest_failure,
            longest_outage: streams.iter().fold(None, |best, s| longer(best, s.longest_outage)),
            streams,
            versions: self.versions.seen.clone(),
            other_versions: self.versions.others,
            timeline: self.timeline.clone(),
            accepted: self.accepted.clone(),
        }
    }
}

impl StreamLog {
    fn new(stream: Stream) -> Self {
        StreamLog {
            stream,
            tally: Tally::default(),
            outages: Outages::new(stream),
        }
    }

    fn summary(&self, until: Option<Duration>) -> StreamSummary {
        let Tally {
            ok, failures, latency, ..
        } = &self.tally;
        let requests = ok + self.tally.failed();
        StreamSummary {
            stream: self.stream,
            requests,
            ok: *ok,
            failed: self.tally.failed(),
            availability: availability(*ok, requests),
            failures: failures.clone(),
            latency: latency.summary(),
            longest_outage: self.outages.longest(until),
        }
    }
}
