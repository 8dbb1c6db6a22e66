//! Small parts of directives: addresses, ports, times, versions.

use std::time::Duration;

use super::config::{Directive, Emerg};
use super::model::{Action, Peer};

pub(super) fn returned(directive: &Directive) -> Action {
    let code = directive.args.first().and_then(|code| code.parse().ok());
    let text = directive
        .args
        .get(1)
        .or(directive.args.first())
        .cloned()
        .unwrap_or_default();
    match code {
        Some(code) => Action::Return(code, if directive.args.len() > 1 { text } else { String::new() }),
        None => Action::Return(302, text),
    }
}

pub(super) fn address(text: &str, directive: &Directive) -> Result<Peer, Emerg> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) => {
            let port = port
                .parse()
                .map_err(|_| directive.error(&format!("invalid port in upstream \"{text}\"")))?;
            (host, port)
        }
        None => (text, 80),
    };
    Ok(Peer {
        text: text.to_string(),
        host: host.to_string(),
        port,
        down: false,
        backup: false,
        resolve: false,
        place: format!("{}:{}", directive.file, directive.line),
    })
}

pub(super) fn port_of(listen: &str) -> Option<u16> {
    if listen.starts_with("unix:") {
        return None;
    }
    let last = listen.rsplit(':').next().unwrap_or(listen);
    last.parse().ok().or(Some(80))
}

/// `500ms`, `10s`, `1m30s`, `10`
pub(super) fn time(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let amount: u64 = text[..digits].parse().ok()?;
    let rest = &text[digits..];
    let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
    let part = match &rest[..letters] {
        "ms" => Duration::from_millis(amount),
        "" | "s" => Duration::from_secs(amount),
        "m" => Duration::from_secs(amount * 60),
        "h" => Duration::from_secs(amount * 3600),
        _ => return None,
    };
    match rest[letters..].trim_start() {
        "" => Some(part),
        more => Some(part + time(more)?),
    }
}

pub(super) fn number(version: &str) -> (u32, u32, u32) {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    (next(), next(), next())
}
