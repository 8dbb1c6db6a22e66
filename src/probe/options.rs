//! What a probe is asked to do.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use regex_lite::Regex;
use serde::Serialize;

use super::error::ProbeError;

/// Everything a probe needs to know. Start from [`ProbeOptions::new`] and change what differs.
#[derive(Clone, Debug)]
pub struct ProbeOptions {
    /// Where the steady requests go; `http://` only.
    pub url: String,
    /// Requests a second, fresh and pooled together. 0 is allowed beside a stream of POSTs.
    pub rate: f64,
    /// How many keep-alive connections share the pooled part of the load; 0 for none. When all are busy, one more is
    /// opened for that request only.
    pub pooled: usize,
    /// Whether requests are also sent on connections of their own. With `pooled > 0` the two take turns.
    pub fresh: bool,
    pub method: Method,
    /// Body of the steady requests; JSON is sent as such, anything else as plain text.
    pub body: Option<String>,
    /// POSTs a second in addition to `rate`, each with the body `{"order":"<unique id>"}`; 0 for none.
    pub posts_per_second: f64,
    pub post_url: Option<String>,
    /// How long a user waits, from the scheduled time to the last byte of the answer.
    ///
    /// Only the lookup of a DNS name may take longer, since it cannot be interrupted; it still counts as a timeout.
    pub timeout: Duration,
    pub version_from: Option<VersionSource>,
    /// Which statuses count as an answer.
    pub expect_status: RangeInclusive<u16>,
    /// The most threads, so requests in flight, for each stream. Requests beyond that are
    /// [`NotSent`](super::FailureKind::NotSent).
    pub max_in_flight: usize,
}

impl ProbeOptions {
    /// 50 requests a second, half of them over 8 keep-alive connections, 5 s of patience, statuses 200 to 399.
    pub fn new(url: impl Into<String>) -> Self {
        ProbeOptions {
            url: url.into(),
            rate: 50.0,
            pooled: 8,
            fresh: true,
            method: Method::Get,
            body: None,
            posts_per_second: 0.0,
            post_url: None,
            timeout: Duration::from_secs(5),
            version_from: None,
            expect_status: 200..=399,
            max_in_flight: 512,
        }
    }

    pub(super) fn check(&self) -> Result<(), ProbeError> {
        let number = |name, value: f64| match value {
            v if (0.0..=MAX_RATE).contains(&v) => Ok(()),
            _ => Err(ProbeError::Option(format!(
                "{name} must lie between 0 and {MAX_RATE} a second"
            ))),
        };
        number("the rate", self.rate)?;
        number("the rate of posts", self.posts_per_second)?;
        let wrong = |text: &str| Err(ProbeError::Option(text.to_string()));
        if self.timeout.is_zero() || self.timeout > MAX_TIMEOUT {
            return wrong("the timeout must lie between 1 ms and 1 hour");
        }
        if self.pooled > MAX_CONNECTIONS {
            return wrong("at most 512 pooled connections can be kept");
        }
        if self.max_in_flight == 0 {
            return wrong("at least one request must be allowed in flight");
        }
        if self.posts_per_second > 0.0 && self.post_url.is_none() {
            return wrong("posts need a url to go to");
        }
        if self.rate == 0.0 && self.posts_per_second == 0.0 {
            return wrong("there is nothing to send at a rate of 0");
        }
        if self.rate > 0.0 && !self.fresh && self.pooled == 0 {
            return wrong("requests need fresh connections, pooled ones, or both");
        }
        Ok(())
    }
}

/// Above this one process on a small machine measures itself.
const MAX_RATE: f64 = 10_000.0;
const MAX_TIMEOUT: Duration = Duration::from_secs(3600);
const MAX_CONNECTIONS: usize = 512;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Method::Get => "GET",
            Method::Post => "POST",
        })
    }
}

/// Which kind of client a request plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// A connection of its own for each request.
    Fresh,
    /// One of the keep-alive connections.
    Pooled,
    /// An order: a POST with a unique id, on a connection of its own.
    Post,
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stream::Fresh => "fresh",
            Stream::Pooled => "pooled",
            Stream::Post => "post",
        })
    }
}

/// Where an answer says which version gave it. Only successful answers are asked.
#[derive(Clone, Debug)]
pub enum VersionSource {
    /// The first group of the pattern, or all of its match, in the first 64 KiB of the body.
    Body(Regex),
    /// A header's value.
    Header(String),
}

impl VersionSource {
    /// # Errors
    /// When the pattern is not a regular expression.
    pub fn body(pattern: &str) -> Result<Self, ProbeError> {
        match Regex::new(pattern) {
            Ok(regex) => Ok(VersionSource::Body(regex)),
            Err(error) => Err(ProbeError::Pattern(error.to_string())),
        }
    }
}
