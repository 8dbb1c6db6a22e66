//! nginx, as far as a deploy can see it: its configuration, its processes, its answers.

pub(super) mod answer;
mod check;
pub(super) mod cli;
pub(super) mod config;
pub(super) mod directives;
pub(super) mod inside;
pub(super) mod load;
pub(super) mod model;
mod parts;
pub(super) mod server;
