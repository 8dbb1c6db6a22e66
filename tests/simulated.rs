//! zdt's promises, held against the simulated world: every single fault, at every call.

#[path = "simulated/adopt.rs"]
mod adopt;
#[path = "simulated/back.rs"]
mod back;
#[path = "simulated/fits.rs"]
mod fits;
#[path = "simulated/ill.rs"]
mod ill;
#[path = "simulated/journal.rs"]
mod journal;
#[path = "simulated/machine.rs"]
mod machine;
#[path = "simulated/matrix.rs"]
mod matrix;
#[path = "simulated/others.rs"]
mod others;
#[path = "simulated/own.rs"]
mod own;
#[path = "simulated/properties.rs"]
mod properties;
#[path = "simulated/shop.rs"]
mod shop;
#[path = "simulated/upgrade.rs"]
mod upgrade;
