//! One recipe, three ways: as a dry run shows it, as it really goes, as it goes in the simulated world. The dry run shows
//! every command and every changed line of the real run, and does nothing; the two worlds agree on everything that can
//! be told of a run.

mod common;

#[path = "parity/account.rs"]
mod account;
#[path = "parity/deeds.rs"]
mod deeds;
#[path = "parity/planned.rs"]
mod planned;
#[path = "parity/real.rs"]
mod real;
#[path = "parity/recipes.rs"]
mod recipes;
#[path = "parity/session.rs"]
mod session;
#[path = "parity/simulated.rs"]
mod simulated;
