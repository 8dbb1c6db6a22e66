//! What a probe saw meanwhile, as a picture: answers and failures over time, which version gave them, and where steps began.

use std::fmt::Write;
use std::time::{Duration, SystemTime};

use super::{Escaped, Span};
use crate::probe::Summary;

/// Of the drawing, in its own units; the page scales it.
const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 120.0;
/// Of the band of one version, below.
const BAND: f64 = 18.0;

pub(super) fn section(probe: &Summary, steps: &[(SystemTime, String)]) -> String {
    let available = probe
        .availability
        .map_or("nothing was measured".to_string(), |percent| {
            // Rounded down: 100 % means that nothing failed.
            format!("{:.3} % available", (percent * 1000.0).floor() / 1000.0)
        });
    let mut facts = format!("{} requests, {} failed · {available}", probe.requests, probe.failed);
    if let Some(outage) = &probe.longest_outage {
        let at_least = if outage.ended { "" } else { "at least " };
        let _ = write!(facts, " · longest outage {at_least}{} ms", outage.lasted.as_millis());
    }
    if let Some(latency) = &probe.latency {
        let (p99, max) = (latency.p99.as_secs_f64() * 1e3, latency.max.as_secs_f64() * 1e3);
        let _ = write!(facts, " · p99 {p99:.1} ms, worst {max:.0} ms");
    }
    let class = if probe.failed == 0 { "done" } else { "failed" };
    let kinds = probe
        .failures
        .iter()
        .map(|(kind, count)| format!("<li class=failed>{count} × {}</li>", Escaped(&kind.to_string())));
    format!(
        "<h2>traffic</h2>\n<p><code>{}</code> <span class={class}>{}</span></p>\n<ul>{}</ul>\n{}",
        Escaped(&probe.url),
        Escaped(&facts),
        kinds.collect::<String>(),
        picture(probe, steps)
    )
}

fn picture(probe: &Summary, steps: &[(SystemTime, String)]) -> String {
    let buckets = &probe.timeline.buckets;
    let seconds = Duration::from_secs(u64::from(probe.timeline.seconds));
    let span = Span {
        start: probe.started,
        length: (seconds * u32::try_from(buckets.len()).unwrap_or(u32::MAX)).max(probe.elapsed),
    };
    let x = |percent: f64| percent * WIDTH / 100.0;
    let most = buckets
        .iter()
        .map(|bucket| bucket.ok + bucket.failed)
        .max()
        .unwrap_or(0)
        .max(1);
    let height = HEIGHT + BAND * probe.versions.len() as f64;
    let mut out = format!("<svg viewBox=\"0 0 {WIDTH} {height}\" role=img aria-label=\"requests over time\">\n");
    let wide = x(span.share(seconds));
    for (index, bucket) in buckets.iter().enumerate() {
        let left = wide * index as f64;
        let tall = |count: u64| count as f64 * (HEIGHT - 6.0) / most as f64;
        // One failure among thousands must be seen.
        let failed = if bucket.failed > 0 {
            tall(bucket.failed).max(6.0)
        } else {
            0.0
        };
        let ok = tall(bucket.ok).min(HEIGHT - failed);
        let title = format!(
            "{}s: {} ok, {} failed, slowest {} ms",
            index as u64 * seconds.as_secs(),
            bucket.ok,
            bucket.failed,
            bucket.slowest.as_millis()
        );
        let gap = if wide > 4.0 { 1.0 } else { 0.0 };
        let _ = writeln!(
            out,
            "<g><title>{title}</title>{}{}</g>",
            rect("ok", left, HEIGHT - ok, wide - gap, ok),
            rect("bad", left, HEIGHT - ok - failed, wide - gap, failed)
        );
    }
    for (time, title) in steps {
        let at = x(span.at(*time));
        let _ = writeln!(
            out,
            "<path class=step d=\"M{at:.1} 0V{HEIGHT}\"><title>{}</title></path>",
            Escaped(title)
        );
    }
    for (index, seen) in probe.versions.iter().enumerate() {
        let top = HEIGHT + BAND * index as f64 + 3.0;
        let (from, to) = (x(span.share(seen.first_seen)), x(span.share(seen.last_seen)));
        let (anchor, at) = if from > WIDTH / 2.0 {
            ("end", from - 6.0)
        } else {
            ("start", from + 6.0)
        };
        let _ = writeln!(
            out,
            "{}<text x=\"{at:.1}\" y=\"{:.1}\" text-anchor={anchor}>{}</text>",
            rect("version", from, top, (to - from).max(2.0), BAND - 4.0),
            top + 11.0,
            Escaped(&format!("{} ({})", seen.version, seen.count))
        );
    }
    out + "</svg>\n<p class=dim>a bar for each time, red what failed; a dotted line where a step began; below, the versions that answered</p>\n"
}

fn rect(class: &str, x: f64, y: f64, width: f64, height: f64) -> String {
    if height <= 0.0 {
        return String::new();
    }
    format!("<rect class={class} x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>")
}
