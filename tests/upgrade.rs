//! Upgrades on a real engine under real traffic.

mod common;

#[path = "upgrade/adopt.rs"]
mod adopt;
#[path = "upgrade/back.rs"]
mod back;
#[path = "upgrade/forms.rs"]
mod forms;
#[path = "upgrade/load.rs"]
mod load;
#[path = "upgrade/own_compose.rs"]
mod own_compose;
#[path = "upgrade/rest.rs"]
mod rest;
#[path = "upgrade/values.rs"]
mod values;
