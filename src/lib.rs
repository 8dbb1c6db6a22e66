//! zdt upgrades docker-compose applications without losing a request.
//!
//! Data flows one way: `syntax` → `plan` → `exec` → `site` → `drivers` → `world`; see ARCHITECTURE.md.

pub mod cli;
pub mod diagnostic;
pub mod drivers;
pub mod exec;
pub mod plan;
pub mod probe;
pub mod report;
pub mod site;
pub mod syntax;
mod tcp;
pub mod template;
pub mod verbs;
pub mod world;

/// The name in `known` that `name` is most likely a slip of.
pub fn near<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.len().max(name.len()) / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `1 request`, `2 requests`.
pub fn count(number: usize, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}
