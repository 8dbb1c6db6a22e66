//! The traffic probe: steady requests against a URL, and a record of what users would have felt.
//!
//! [`ProbeOptions`] go in, a [`Summary`] comes out, and nothing in between prints. Inside, data flows one way:
//!
//! ```text
//! schedule → crew (threads) → client → wire/answer (HTTP/1.1) → recorder → summary → report, JSON
//! ```
//!
//! # The load: an open loop
//!
//! Requests are sent at times fixed in advance (`n / rate` after the start), however long earlier ones take, so a slow
//! server is not asked more gently than a fast one. **Every latency counts from the scheduled time**, not from the moment
//! a thread got round to it, so that no wait is left out. How late the probe itself was is reported beside it as
//! [`Summary::lateness`]; when that is large, the machine was short of processor time and latencies say so too.
//!
//! Three streams are kept apart ([`Stream`]): `fresh` opens a TCP connection for each request and closes it after, `pooled`
//! shares keep-alive connections as a client library would (in turn; when all are busy one more is opened and closed after), `post` sends orders with unique ids on fresh connections.
//!
//! # What is a failure
//!
//! A request fails when no connection can be made, when the connection is reset or closed before or inside the answer,
//! when the answer is not complete within the timeout, is not HTTP, or has a status outside [`ProbeOptions::expect_status`].
//! Nothing is tried twice. [`FailureKind`] lists the kinds. Redirects are not followed; by default they count as answers.
//!
//! A keep-alive connection that the server closed while it was *idle* is reopened without a word when that can be seen
//! before the request is written, as every client library does. Closed after that, it is a failure: the user had it.
//!
//! A request that the probe could not send (all its threads busy, no local port
//! left) counts as failed too, as [`FailureKind::NotSent`]. It is never dropped in silence.
//!
//! # Availability and outages
//!
//! Availability is the share of finished requests that did not fail, over all streams.
//!
//! An **outage** is a run of failed requests of one stream, in the order of their scheduled times, with no success in
//! between. It lasts from the scheduled time of the first of them to the scheduled time of the next request that succeeded,
//! or, when none did, to the end of the probe. So:
//!
//! - the order in which answers arrive does not matter, and slow answers are not an outage;
//! - one failed request among good ones is an outage as long as the gap to the next request: what is shorter than that
//!   gap cannot be seen, and the true outage may have begun up to one gap earlier;
//! - streams are judged apart, and the longest one is reported with its stream: a site that answers readers and loses
//!   every order is down for those who order;
//! - when every other request fails, outages are short and availability is 50 %: read both;
//! - `NotSent` says nothing about the server, so it neither begins nor ends an outage.

mod answer;
mod args;
mod client;
mod command;
mod crew;
mod duration;
mod ending;
mod engine;
mod error;
mod failure;
mod incoming;
mod live;
mod options;
mod orders;
mod outage;
mod pool;
mod process;
mod recorder;
mod report;
mod schedule;
mod summary;
mod tally;
mod target;
mod timeline;
mod versions;
mod wire;

pub use args::{Percent, ProbeArgs};
pub use command::{run, run_with};
pub use duration::parse_duration;
pub use engine::Probe;
pub use error::ProbeError;
pub use failure::FailureKind;
pub use options::{Method, ProbeOptions, Stream, VersionSource};
pub use orders::AcceptedOrders;
pub use outage::Outage;
pub use report::report;
pub use summary::{Latency, StreamSummary, Summary};
pub use timeline::{Bucket, Timeline};
pub use versions::VersionSeen;
