//! A summary for people: plain text, at most 60 columns.

use std::time::Duration;

use super::failure::FailureKind;
use super::outage::Outage;
use super::summary::{Latency, Summary};

const WIDTH: usize = 60;
/// From here on the probe's own delays are worth a word.
const LATE: Duration = Duration::from_millis(50);

/// The summary as lines of text, with a newline at the end.
pub fn report(summary: &Summary) -> String {
    let mut lines = vec![summary.url.clone(), totals(summary), String::new()];
    if summary.requests > 0 {
        figures(summary, &mut lines);
    }
    notes(summary, &mut lines);
    let cut = lines.iter().map(|line| fit(line) + "\n");
    cut.collect::<String>().trim_end_matches('\n').to_string() + "\n"
}

fn totals(summary: &Summary) -> String {
    let streams = summary.streams.iter().filter(|stream| stream.requests > 0);
    let streams: Vec<String> = streams
        .map(|s| format!("{} {}", number(s.requests), s.stream))
        .collect();
    let total = format!("{} in {}", count(summary.requests, "request"), span(summary.elapsed));
    if streams.len() > 1 {
        format!("{total}: {}", streams.join(", "))
    } else {
        total
    }
}

fn figures(summary: &Summary, lines: &mut Vec<String>) {
    let failed = if summary.failed == 0 {
        "none".to_string()
    } else {
        number(summary.failed)
    };
    lines.push(row("availability", &format!("{} %, {failed} failed", percent(summary))));
    lines.push(row(
        "longest outage",
        &summary.longest_outage.as_ref().map_or("none".to_string(), outage),
    ));
    if let Some(Latency { p50, p99, max }) = summary.latency {
        lines.push(row(
            "latency",
            &format!("p50 {} · p99 {} · max {}", span(p50), span(p99), span(max)),
        ));
    }
    table(
        "failures",
        summary.failures.iter().map(|(kind, n)| (kind.to_string(), number(*n))),
        lines,
    );
    let mut versions: Vec<_> = summary.versions.iter().collect();
    versions.truncate(8);
    let seen = versions.iter().map(|seen| {
        let when = format!("{} to {}", span(seen.first_seen), span(seen.last_seen));
        (seen.version.clone(), format!("{}, {when}", number(seen.count)))
    });
    table("versions", seen, lines);
    if summary.versions.len() > versions.len() {
        lines.push(row("", "and more"));
    }
    if !summary.accepted.is_empty() {
        lines.push(row(
            "orders",
            &format!("{} accepted", number(summary.accepted.len() as u64)),
        ));
    }
}

fn outage(outage: &Outage) -> String {
    let at_least = if outage.ended { "" } else { "at least " };
    let (lasted, began) = (span(outage.lasted), span(outage.began));
    format!("{at_least}{lasted}, began at {began} ({})", outage.stream)
}

fn notes(summary: &Summary, lines: &mut Vec<String>) {
    if summary.requests == 0 {
        lines.push("nothing was measured".to_string());
    }
    let late = summary.lateness.filter(|lateness| lateness.p99 >= LATE);
    let unsent = summary.failures.get(&FailureKind::NotSent);
    if late.is_some() || unsent.is_some() {
        lines.push(String::new());
    }
    if let Some(late) = late {
        lines.push("note: this machine was busy, the probe itself was up to".to_string());
        lines.push(format!("      {} late, which is part of the latency", span(late.max)));
    }
    if unsent.is_some() {
        lines.push("note: requests that were not sent say more about".to_string());
        lines.push("      the load of the probe than about the server".to_string());
    }
}

fn table(name: &str, entries: impl Iterator<Item = (String, String)>, lines: &mut Vec<String>) {
    let entries: Vec<(String, String)> = entries.collect();
    let width = entries
        .iter()
        .map(|(key, _)| key.chars().count())
        .max()
        .unwrap_or(0)
        .min(27);
    for (index, (key, value)) in entries.iter().enumerate() {
        let name = if index == 0 { name } else { "" };
        lines.push(row(name, &format!("{:width$}  {value}", shorten(key, 27))));
    }
}

fn row(name: &str, value: &str) -> String {
    format!("{name:<16}{value}")
}

/// Rounded down, so that 100 % means that nothing failed.
fn percent(summary: &Summary) -> String {
    let thousandths = u128::from(summary.ok) * 100_000 / u128::from(summary.requests.max(1));
    let text = format!("{}.{:03}", thousandths / 1000, thousandths % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

fn fit(line: &str) -> String {
    shorten(line, WIDTH)
}

fn shorten(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_string();
    }
    text.chars().take(width - 1).chain(['…']).collect()
}

/// `1 request`, `2 431 requests`.
pub(super) fn count(number_of: u64, what: &str) -> String {
    let plural = if number_of == 1 { "" } else { "s" };
    format!("{} {what}{plural}", number(number_of))
}

fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// `0.4 ms`, `18 ms`, `6.1s`, `2m 05s`.
pub(super) fn span(duration: Duration) -> String {
    let ms = duration.as_secs_f64() * 1000.0;
    match ms {
        ..9.95 => format!("{ms:.1} ms"),
        ..999.5 => format!("{ms:.0} ms"),
        ..59_950.0 => format!("{:.1}s", ms / 1000.0),
        _ => {
            let seconds = (ms / 1000.0).round() as u64;
            format!("{}m {:02}s", seconds / 60, seconds % 60)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::super::options::{ProbeOptions, Stream};
    use super::super::recorder::Recorder;
    use super::super::tally::Outcome;
    use super::*;

    fn summary(url: &str, outcomes: &[Outcome]) -> Summary {
        let options = ProbeOptions {
            post_url: Some(url.into()),
            posts_per_second: 1.0,
            ..ProbeOptions::new(url)
        };
        let mut recorder = Recorder::new(&options, SystemTime::UNIX_EPOCH);
        let step = Duration::from_millis(20);
        for (n, outcome) in outcomes.iter().enumerate() {
            let due = step * n as u32;
            let stream = [Stream::Fresh, Stream::Pooled, Stream::Post][n % 3];
            let ticket = recorder.begin(stream, due).expect("a stream");
            recorder.end(ticket, due, due + Duration::from_millis(4), outcome);
        }
        let end = step * outcomes.len() as u32;
        recorder.close(end);
        recorder.summary(end)
    }

    fn seen(version: &str) -> Outcome {
        Ok(Some(version.to_string()))
    }

    #[test]
    fn it_tells_the_story() {
        let mut outcomes = vec![seen("0.0.1"); 900];
        outcomes.extend(vec![Err(FailureKind::Status(502)); 3]);
        outcomes.extend(vec![seen("0.0.2"); 600]);
        let expected = "\
http://shop/
1 503 requests in 30.1s: 501 fresh, 501 pooled, 501 post

availability    99.8 %, 3 failed
longest outage  60 ms, began at 18.0s (fresh)
latency         p50 4.0 ms · p99 4.0 ms · max 4.0 ms
failures        status 502  3
versions        0.0.1  900, 4.0 ms to 18.0s
                0.0.2  600, 18.1s to 30.0s
orders          500 accepted
";
        assert_eq!(report(&summary("http://shop/", &outcomes)), expected);
    }

    #[test]
    fn it_never_gets_wide_and_never_flatters() {
        let long = "v".repeat(200);
        let mut outcomes: Vec<Outcome> = (0..200).map(|n| seen(&format!("{n}{long}"))).collect();
        outcomes.extend(vec![Ok(None); 400_000]);
        outcomes.push(Err(FailureKind::NotSent));
        let text = report(&summary(&format!("http://shop/{long}"), &outcomes));
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert!(text.contains("99.999 %, 1 failed"), "{text}");
        assert!(text.contains("not sent"), "{text}");
        let nothing = report(&summary("http://shop/", &[]));
        assert!(nothing.ends_with("nothing was measured\n"), "{nothing}");
    }

    #[test]
    fn spans_read_well() {
        let cases = [
            (0, "0.0 ms"),
            (9_940, "9.9 ms"),
            (18_400, "18 ms"),
            (6_100_000, "6.1s"),
            (125_000_000, "2m 05s"),
        ];
        for (micros, text) in cases {
            assert_eq!(span(Duration::from_micros(micros)), text);
        }
    }
}
