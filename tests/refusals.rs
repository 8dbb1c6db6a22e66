//! Bad input gets a clear error and its exit code, and changes nothing. The texts are compared as a whole.

mod common;

#[path = "refusals/shop.rs"]
mod shop;

#[path = "refusals/fresh.rs"]
mod fresh;
#[path = "refusals/running.rs"]
mod running;
#[path = "refusals/surroundings.rs"]
mod surroundings;
#[path = "refusals/templates.rs"]
mod templates;
