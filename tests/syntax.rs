//! The language: golden trees, golden errors, and properties that hold for every text.

#[path = "syntax/dump.rs"]
mod dump;
#[path = "syntax/golden.rs"]
mod golden;
#[path = "syntax/properties.rs"]
mod properties;
