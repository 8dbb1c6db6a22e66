//! Which directive may stand where, and how often.

use super::config::{Directive, Emerg};
use super::directives::{EVENTS, FREE, HTTP, LOCATION, SERVER, UPSTREAM, only_once, places, since};

/// Known, in a place where it may stand, and as often as it may.
pub(super) fn check(block: &[Directive], place: u8, version: (u32, u32, u32)) -> Result<(), Emerg> {
    let mut seen: Vec<&str> = Vec::new();
    for directive in block {
        let name = directive.name.as_str();
        let known = places(name).filter(|_| since(name).is_none_or(|first| version >= first));
        let Some(allowed) = known else {
            return Err(directive.error(&format!("unknown directive \"{name}\"")));
        };
        if allowed & place == 0 {
            return Err(directive.error(&format!("\"{name}\" directive is not allowed here")));
        }
        if only_once(name) {
            if seen.contains(&name) {
                return Err(directive.error(&format!("\"{name}\" directive is duplicate")));
            }
            seen.push(name);
        }
        let inner = match name {
            "events" => EVENTS,
            "http" => HTTP,
            "upstream" => UPSTREAM,
            "server" if place == HTTP => SERVER,
            "location" | "if" | "limit_except" => LOCATION,
            "types" | "map" | "geo" | "split_clients" | "stream" | "mail" => FREE,
            _ => 0,
        };
        match (&directive.block, inner) {
            (Some(_), FREE) | (None, 0) => {}
            (Some(block), 1..) => check(block, inner, version)?,
            (Some(_), 0) => {
                return Err(directive.error(&format!("directive \"{name}\" is not terminated by \";\"")));
            }
            (None, _) => {
                return Err(directive.error(&format!("directive \"{name}\" has no opening \"{{\"")));
            }
        }
        if inner == 0
            && directive.args.is_empty()
            && !matches!(
                name,
                "least_conn" | "ip_hash" | "internal" | "break" | "random" | "stub_status" | "empty_gif"
            )
        {
            return Err(directive.error(&format!("invalid number of arguments in \"{name}\" directive")));
        }
    }
    Ok(())
}
