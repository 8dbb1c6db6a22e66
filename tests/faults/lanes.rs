//! A fault at every call of an upgrade, on several applications side by side.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use crate::common::{Sandbox, Shim};
use crate::ground::{Ground, USUAL};

/// How many applications are broken side by side.
const LANES: usize = 3;

/// What a matrix found.
#[derive(Default)]
pub struct Found {
    pub faults: usize,
    pub requests: u64,
    pub failures: Vec<String>,
}

/// One case: an upgrade from `old` to `new` behind `shim`, in which the fault happens at call `n`.
pub struct Case<'a> {
    pub ground: &'a Ground,
    pub recipe: &'a Path,
    pub shim: &'a Shim,
    pub n: usize,
    pub old: &'a str,
    pub new: &'a str,
}

/// How a case ended: the version that serves now, and whether the fault happened at all.
pub struct Done {
    pub version: String,
    pub happened: bool,
}

/// A way to break things at call `n`: its name, the shim that does it, and what must follow.
pub struct Fault<'a> {
    pub name: &'a str,
    pub shim: &'a (dyn Fn(Shim, usize) -> Shim + Sync),
    pub case: &'a (dyn Fn(&Case) -> Done + Sync),
}

/// Runs each fault at each call until one is beyond an upgrade's last. `ZDT_FAULTS_FROM` and `ZDT_FAULTS_TO` name a
/// part of the calls, to look at it again.
pub fn at_every_call(name: &str, faults: &[Fault]) {
    let first = number("ZDT_FAULTS_FROM").unwrap_or(1);
    let last = number("ZDT_FAULTS_TO").unwrap_or(usize::MAX);
    let found = std::thread::scope(|scope| {
        let lanes: Vec<_> = (0..LANES)
            .map(|lane| scope.spawn(move || self::lane(&format!("{name}{lane}"), lane, first..=last, faults)))
            .collect();
        lanes
            .into_iter()
            .map(|lane| lane.join().expect("a lane reports"))
            .fold(Found::default(), add)
    });
    let (faults, requests, failures) = (found.faults, found.requests, found.failures);
    println!(
        "{name}: {faults} faults, {requests} requests, {} cases failed",
        failures.len()
    );
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    assert!(faults > 0, "nothing ever happened");
}

fn add(mut all: Found, one: Found) -> Found {
    all.faults += one.faults;
    all.requests += one.requests;
    all.failures.extend(one.failures);
    all
}

fn number(name: &str) -> Option<usize> {
    std::env::var(name).ok()?.parse().ok()
}

pub fn other(version: &str) -> &'static str {
    if version == "0.0.1" { "0.0.2" } else { "0.0.1" }
}

/// Every `LANES`th call. After a case that failed it goes on with a new application.
fn lane(name: &str, lane: usize, calls: std::ops::RangeInclusive<usize>, faults: &[Fault]) -> Found {
    let mut found = Found::default();
    let mut turn = 0;
    let mut beside = || {
        turn += 1;
        Ground::beside(Sandbox::new(&format!("{name}-{turn}")))
    };
    let mut ground = beside();
    let mut old = String::from("0.0.1");
    for n in calls.filter(|n| n % LANES == lane) {
        let mut happened = false;
        let mut calls = 0;
        for fault in faults {
            let recipe = ground.recipe(&USUAL);
            let shim = (fault.shim)(Shim::new(&ground.sandbox), n);
            let result = catch_unwind(AssertUnwindSafe(|| {
                let (recipe, new) = (&recipe, other(&old));
                let (ground, shim, old) = (&ground, &shim, &old);
                let done = (fault.case)(&Case {
                    ground,
                    recipe,
                    shim,
                    n,
                    old,
                    new,
                });
                ground.nothing_lost("a case lost requests");
                done
            }));
            match result {
                Ok(done) => {
                    happened |= done.happened;
                    calls = calls.max(shim.calls().len());
                    found.faults += usize::from(done.happened);
                    old = done.version;
                }
                Err(why) => {
                    happened = true;
                    let call = shim.calls().get(n - 1).cloned().unwrap_or_default();
                    println!("FAILED {} at call {n}: {call}", fault.name);
                    found
                        .failures
                        .push(format!("{} at call {n}: {call}\n{}", fault.name, text(&*why)));
                    found.requests += ground.count().0;
                    ground = beside();
                    old = String::from("0.0.1");
                }
            }
        }
        println!("{name}: call {n} done");
        if !happened && calls < n {
            break;
        }
    }
    found.requests += ground.count().0;
    found
}

fn text(panic: &(dyn std::any::Any + Send)) -> String {
    match panic.downcast_ref::<String>() {
        Some(text) => text.clone(),
        None => panic
            .downcast_ref::<&str>()
            .map_or_else(String::new, |text| (*text).to_string()),
    }
}
