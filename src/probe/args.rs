//! `zdt probe` as it is typed.

use std::str::FromStr;
use std::time::Duration;

use clap::Args;

use super::duration::parse_duration;
use super::error::ProbeError;
use super::options::{Method, ProbeOptions, VersionSource};

/// Send steady requests to a URL and say what users would have felt.
///
/// Requests leave at fixed times, however slow the answers are. Half of them use a new connection each, half share
/// keep-alive connections, because the two suffer from different things. Ends with Ctrl-C unless told otherwise.
#[derive(Args, Clone, Debug)]
pub struct ProbeArgs {
    /// Where to send them, such as http://127.0.0.1:8080/ping
    pub url: String,
    /// Requests a second in total
    #[arg(long, value_name = "N", default_value_t = 50.0)]
    pub rate: f64,
    /// Keep-alive connections that share the pooled half
    #[arg(long, value_name = "N", default_value_t = 8, conflicts_with = "fresh_only")]
    pub connections: usize,
    /// Use a new connection for each request, nothing else
    #[arg(long, conflicts_with = "pooled_only")]
    pub fresh_only: bool,
    /// Use keep-alive connections, nothing else
    #[arg(long)]
    pub pooled_only: bool,
    /// GET or POST; POST when there is --data
    #[arg(long, value_parser = parse_method)]
    pub method: Option<Method>,
    /// Body of each request
    #[arg(long, value_name = "TEXT")]
    pub data: Option<String>,
    /// Also POST orders, each with an id of its own, here
    #[arg(long, value_name = "URL")]
    pub post_url: Option<String>,
    /// Orders a second [default: 5]
    #[arg(long, value_name = "N", requires = "post_url")]
    pub posts: Option<f64>,
    /// Stop after this time, such as 30s
    #[arg(long = "for", value_name = "TIME", value_parser = parse_duration)]
    pub duration: Option<Duration>,
    /// Stop when this process has ended
    #[arg(long, value_name = "PID")]
    pub until_pid: Option<u32>,
    /// How long a user would wait for an answer
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = parse_duration)]
    pub timeout: Duration,
    /// Find the version in the body: the first group, or all that matches
    #[arg(long, value_name = "REGEX", conflicts_with = "version_header")]
    pub version_regex: Option<String>,
    /// Find the version in this header
    #[arg(long, value_name = "NAME")]
    pub version_header: Option<String>,
    /// Exit with 6 when fewer requests succeed, such as 99.9%
    #[arg(long, value_name = "PERCENT", default_value = "100%")]
    pub expect: Percent,
    /// Print one JSON document instead of text
    #[arg(long)]
    pub json: bool,
}

const DEFAULT_POSTS: f64 = 5.0;

impl ProbeArgs {
    pub(super) fn options(&self) -> Result<ProbeOptions, ProbeError> {
        let version_from = match (&self.version_regex, &self.version_header) {
            (Some(pattern), _) => Some(VersionSource::body(pattern)?),
            (None, Some(name)) => Some(VersionSource::Header(name.clone())),
            (None, None) => None,
        };
        let default_method = if self.data.is_some() { Method::Post } else { Method::Get };
        Ok(ProbeOptions {
            rate: self.rate,
            pooled: if self.fresh_only { 0 } else { self.connections },
            fresh: !self.pooled_only,
            method: self.method.unwrap_or(default_method),
            body: self.data.clone(),
            posts_per_second: match &self.post_url {
                Some(_) => self.posts.unwrap_or(DEFAULT_POSTS),
                None => 0.0,
            },
            post_url: self.post_url.clone(),
            timeout: self.timeout,
            version_from,
            ..ProbeOptions::new(self.url.as_str())
        })
    }
}

fn parse_method(text: &str) -> Result<Method, String> {
    match text.to_ascii_uppercase().as_str() {
        "GET" => Ok(Method::Get),
        "POST" => Ok(Method::Post),
        _ => Err("expected GET or POST".to_string()),
    }
}

/// A share from 0 to 100, written `99.9%` or `99.9`.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Percent(pub f64);

impl FromStr for Percent {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.strip_suffix('%').unwrap_or(text);
        match number.parse() {
            Ok(value) if (0.0..=100.0).contains(&value) => Ok(Percent(value)),
            _ => Err("expected a percentage from 0% to 100%".to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser, Debug)]
    struct Line {
        #[command(flatten)]
        args: ProbeArgs,
    }

    fn options(line: &str) -> Result<ProbeOptions, String> {
        let words = std::iter::once("probe").chain(line.split(' '));
        let line = Line::try_parse_from(words).map_err(|e| e.to_string())?;
        line.args.options().map_err(|e| e.to_string())
    }

    #[test]
    fn the_defaults_are_those_of_the_library() {
        let (typed, plain) = (options("http://x/").expect("valid"), ProbeOptions::new("http://x/"));
        assert_eq!(format!("{typed:?}"), format!("{plain:?}"));
    }

    #[test]
    fn options_are_taken_over() {
        let typed = options("http://x/ --rate 9 --fresh-only --data hi --timeout 2s --version-header V");
        let typed = typed.expect("valid");
        assert_eq!(
            (typed.rate, typed.pooled, typed.fresh, typed.method),
            (9.0, 0, true, Method::Post)
        );
        assert_eq!(typed.timeout, Duration::from_secs(2));
        assert!(matches!(typed.version_from, Some(VersionSource::Header(name)) if name == "V"));
        let pooled = options("http://x/ --pooled-only --connections 3 --method get").expect("valid");
        assert_eq!((pooled.pooled, pooled.fresh, pooled.method), (3, false, Method::Get));
        assert_eq!(
            options("http://x/ --post-url http://y/")
                .expect("valid")
                .posts_per_second,
            5.0
        );
        assert_eq!(
            options("http://x/ --post-url http://y/ --posts 2")
                .expect("valid")
                .posts_per_second,
            2.0
        );
    }

    #[test]
    fn contradictions_are_refused() {
        for line in [
            "http://x/ --fresh-only --pooled-only",
            "http://x/ --fresh-only --connections 3",
            "http://x/ --posts 3",
            "http://x/ --version-regex a --version-header b",
            "http://x/ --version-regex (",
            "http://x/ --method PUT",
            "http://x/ --expect 101%",
            "http://x/ --expect NaN",
            "http://x/ --for 3",
        ] {
            assert!(options(line).is_err(), "{line}");
        }
        assert_eq!("99.9%".parse(), Ok(Percent(99.9)));
    }
}
