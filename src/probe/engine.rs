//! The running probe: one thread keeps the schedule, crews of threads send what is due.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use super::client::{Client, Judge, request};
use super::crew::{Crew, Work};
use super::error::ProbeError;
use super::failure::FailureKind;
use super::options::{Method, ProbeOptions, Stream};
use super::pool::Pool;
use super::recorder::{Recorder, Ticket};
use super::schedule::Schedule;
use super::summary::Summary;
use super::tally::Outcome;
use super::target::Target;

/// Beyond their deadline only a lookup of a name can hold requests up; then they are given up on.
const GRACE: Duration = Duration::from_millis(500);

/// Requests on their way, until [`stop`](Probe::stop). When dropped it stops too, without waiting for answers.
pub struct Probe {
    desk: Arc<Desk>,
}

/// What all threads share.
struct Desk {
    started: Instant,
    timeout: Duration,
    state: Mutex<State>,
    /// Rung when the probe is told to stop, and after that when the last request has ended.
    bell: Condvar,
}

struct State {
    recorder: Recorder,
    stopped: bool,
}

impl Probe {
    /// Starts sending.
    ///
    /// # Errors
    /// When a URL or an option makes no sense, or when no thread can be started. A server that does not answer is a finding,
    /// not an error.
    pub fn start(options: ProbeOptions) -> Result<Probe, ProbeError> {
        options.check()?;
        let target = Target::parse(&options.url)?;
        let post_target = options.post_url.as_deref().map(Target::parse).transpose()?;
        let recorder = Recorder::new(&options, SystemTime::now());
        let desk = Arc::new(Desk {
            started: Instant::now(),
            timeout: options.timeout,
            state: Mutex::new(State {
                recorder,
                stopped: false,
            }),
            bell: Condvar::new(),
        });
        let crews = Crews::start(&options, &desk, target, post_target).map_err(ProbeError::Thread)?;
        let (at_desk, schedule) = (desk.clone(), Schedule::new(&options));
        let thread = thread::Builder::new().name("probe".into());
        thread
            .spawn(move || at_desk.keep(schedule, &crews))
            .map_err(ProbeError::Thread)?;
        Ok(Probe { desk })
    }

    /// What is known so far.
    pub fn snapshot(&self) -> Summary {
        self.desk.lock().recorder.summary(self.desk.now())
    }

    /// Sends no more, waits for what is in flight (up to its timeout), and tells all.
    pub fn stop(self) -> Summary {
        self.desk.stop();
        let patience = self.desk.timeout + GRACE;
        let state = self.desk.lock();
        let waited = self
            .desk
            .bell
            .wait_timeout_while(state, patience, |state| state.recorder.in_flight() > 0);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let now = self.desk.now();
        state.recorder.give_up(now);
        state.recorder.summary(now)
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.desk.stop();
    }
}

impl Desk {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    fn stop(&self) {
        let now = self.now();
        let mut state = self.lock();
        state.stopped = true;
        state.recorder.close(now);
        self.bell.notify_all();
    }

    /// Hands out requests when they are due, until told to stop.
    fn keep(&self, mut schedule: Schedule, crews: &Crews) {
        loop {
            let (due, stream) = schedule.next();
            let Some(ticket) = self.begin_at(due, stream) else {
                return;
            };
            // After a long sleep of the machine nobody is waiting for these any more.
            let late = self.now() > due + self.timeout;
            if late || !crews.of(stream).is_some_and(|crew| crew.offer(ticket)) {
                let now = self.now();
                self.end(ticket, now, &Err(FailureKind::NotSent));
            }
        }
    }

    fn begin_at(&self, due: Duration, stream: Stream) -> Option<Ticket> {
        let mut state = self.lock();
        loop {
            let wait = due.saturating_sub(self.now());
            match state.stopped {
                true => return None,
                false if wait.is_zero() => return state.recorder.begin(stream, due),
                false => {
                    state = self
                        .bell
                        .wait_timeout(state, wait)
                        .unwrap_or_else(PoisonError::into_inner)
                        .0
                }
            }
        }
    }

    /// Sends one request and notes how it ended.
    fn serve(&self, client: &Client, bytes: &[u8], ticket: Ticket) {
        let taken_up = self.now();
        let deadline = ticket.due + self.timeout;
        let outcome = match taken_up < deadline {
            true => client.ask(bytes, self.started + deadline),
            false => Err(FailureKind::NotSent),
        };
        self.end(ticket, taken_up, &outcome);
    }

    fn end(&self, ticket: Ticket, taken_up: Duration, outcome: &Outcome) {
        let finished = self.now();
        let mut state = self.lock();
        state.recorder.end(ticket, taken_up, finished, outcome);
        if state.stopped && state.recorder.in_flight() == 0 {
            self.bell.notify_all();
        }
    }
}

/// The threads of each stream.
struct Crews {
    fresh: Option<Crew<Ticket>>,
    pooled: Option<Crew<Ticket>>,
    post: Option<Crew<Ticket>>,
}

impl Crews {
    fn start(
        options: &ProbeOptions,
        desk: &Arc<Desk>,
        target: Target,
        post_target: Option<Target>,
    ) -> io::Result<Crews> {
        let judge = Judge {
            expect_status: options.expect_status.clone(),
            version_from: options.version_from.clone(),
        };
        let client = |target: &Target, kept| Client {
            target: target.clone(),
            judge: judge.clone(),
            pool: Pool::new(kept),
        };
        let start = |wanted: bool, rate: f64, work: Work<Ticket>| {
            let (first, max) = threads(rate, options);
            wanted.then(|| Crew::start(first, max, work)).transpose()
        };
        let steadily = options.rate > 0.0;
        let fresh = steady(desk, client(&target, 0), options);
        let pooled = steady(desk, client(&target, options.pooled), options);
        let post = orders(desk, client(&post_target.unwrap_or(target), 0));
        Ok(Crews {
            fresh: start(steadily && options.fresh, options.rate, fresh)?,
            pooled: start(steadily && options.pooled > 0, options.rate, pooled)?,
            post: start(options.posts_per_second > 0.0, options.posts_per_second, post)?,
        })
    }

    fn of(&self, stream: Stream) -> Option<&Crew<Ticket>> {
        match stream {
            Stream::Fresh => self.fresh.as_ref(),
            Stream::Pooled => self.pooled.as_ref(),
            Stream::Post => self.post.as_ref(),
        }
    }
}

/// How many threads to begin with, as if answers took 20 ms, and at most: no more can wait than come within a timeout,
/// and some that are late to give up.
fn threads(rate: f64, options: &ProbeOptions) -> (usize, usize) {
    let needed = |seconds: f64| (rate * seconds).ceil() as usize + 2;
    let most = needed(options.timeout.as_secs_f64() * 1.2) + 8;
    (needed(0.02), most.min(options.max_in_flight))
}

fn steady(desk: &Arc<Desk>, client: Client, options: &ProbeOptions) -> Work<Ticket> {
    let bytes = request(
        options.method,
        &client.target,
        options.body.as_deref(),
        client.pool.keeps(),
    );
    let desk = desk.clone();
    Arc::new(move |ticket| desk.serve(&client, &bytes, ticket))
}

fn orders(desk: &Arc<Desk>, client: Client) -> Work<Ticket> {
    let desk = desk.clone();
    Arc::new(move |ticket: Ticket| {
        let id = desk.lock().recorder.order_id(ticket.number);
        let body = format!("{{\"order\":\"{id}\"}}");
        desk.serve(
            &client,
            &request(Method::Post, &client.target, Some(&body), false),
            ticket,
        );
    })
}
