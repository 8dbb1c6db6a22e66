//! The matrix: a run, a fault at each of its mutating calls, and what follows when zdt was killed by it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use zdt::exec::{Event, Outcome};
use zdt::world::simulated::{Call, Fault, Kind};

use crate::shop::{After, NEW, OLD, Ran, Shop};

/// What is broken, over and over.
pub struct Subject<'a> {
    pub shop: Shop,
    pub run: &'a (dyn Fn(&Shop) -> Ran + Sync),
    /// The least number of backends that must serve, whatever happens.
    pub least: usize,
    /// How it ends when nothing goes wrong but the image itself.
    pub end: Outcome,
    /// Versions before and after.
    pub old: &'a (dyn Fn(&Shop) -> Result<(), String> + Sync),
    pub new: &'a (dyn Fn(&Shop) -> Result<(), String> + Sync),
    /// In the end a plain `compose up -d` changes nothing.
    pub rest: bool,
}

/// A subject that moves all backends from the old to the new version.
pub fn upgrade_of(shop: Shop) -> Subject<'static> {
    Subject {
        shop,
        run: &Shop::upgrade,
        least: 1,
        end: Outcome::Done,
        old: &|shop| shop.is_all(OLD),
        new: &|shop| shop.is_all(NEW),
        rest: true,
    }
}

impl Subject<'_> {
    /// The mutating calls of a run in which nothing goes wrong.
    pub fn calls(&self) -> Vec<Call> {
        let shop = self.shop.recording();
        let ran = (self.run)(&shop);
        assert!(
            matches!(&ran, Ran::Ended(outcome, _) if *outcome == self.end),
            "{}",
            short(&ran)
        );
        self.ended(&shop).unwrap();
        shop.unharmed(self.least).unwrap();
        shop.world.calls().into_iter().filter(|call| call.mutates).collect()
    }

    fn ended(&self, shop: &Shop) -> Result<(), String> {
        match self.end {
            Outcome::Done => (self.new)(shop),
            _ => (self.old)(shop),
        }
    }

    fn at_rest(&self, shop: &Shop) -> Result<(), String> {
        if self.rest { shop.at_rest() } else { Ok(()) }
    }

    /// Every fault at every call; gives how many runs that were.
    pub fn all(&self) -> usize {
        let calls = self.calls();
        let mut cases = Vec::new();
        for (at, call) in calls.iter().enumerate() {
            cases.extend(faults(call).into_iter().map(|fault| (at + 1, fault)));
        }
        let runs = AtomicUsize::new(0);
        each(&cases, |(n, fault)| {
            let what = || format!("{fault:?} at call {n}, `{}`", calls[n - 1].what);
            let count = self.one(*n, *fault).map_err(|why| format!("{}: {why}", what()))?;
            runs.fetch_add(count, Ordering::Relaxed);
            Ok(())
        });
        runs.into_inner()
    }

    fn one(&self, n: usize, fault: Fault) -> Result<usize, String> {
        let shop = self.shop.twin();
        shop.fail(n, fault);
        let ran = (self.run)(&shop);
        match ran {
            Ran::Crashed => {
                self.both_ways(&shop)?;
                Ok(3)
            }
            Ran::Nothing => Err("nothing was run".to_string()),
            other => self.agrees(&shop, &other),
        }
    }

    /// After a crash, or a run that says that something is left: each way leads to an end.
    pub fn both_ways(&self, shop: &Shop) -> Result<(), String> {
        for after in [After::Resume, After::Rollback] {
            let shop = shop.twin();
            let why = |why: String| format!("then {after:?}: {why}");
            let ran = shop.after(after);
            match (&ran, after) {
                (Ran::Nothing, _) => {
                    (self.old)(&shop).or_else(|old| (self.new)(&shop).map_err(|new| format!("{old}; {new}")))
                }
                (Ran::Ended(outcome, _), After::Resume) if *outcome == self.end => self.ended(&shop),
                (Ran::Ended(Outcome::WentBack, _), After::Rollback) => (self.old)(&shop),
                _ => Err(short(&ran)),
            }
            .and_then(|()| shop.unharmed(self.least))
            .and_then(|()| self.at_rest(&shop))
            .map_err(|end| why(format!("{end}\n    {}", short(&ran))))?;
        }
        Ok(())
    }

    /// The reported outcome is what the world shows.
    fn agrees(&self, shop: &Shop, ran: &Ran) -> Result<usize, String> {
        let end = match ran {
            Ran::Ended(Outcome::Done, _) => (self.new)(shop).and_then(|()| self.at_rest(shop)),
            Ran::Refused(_) if shop.unfinished() => return self.both_ways(shop).map(|()| 3),
            Ran::Ended(Outcome::RolledBack | Outcome::WentBack | Outcome::Refused, _) | Ran::Refused(_) => {
                (self.old)(shop).and_then(|()| self.at_rest(shop))
            }
            Ran::Ended(Outcome::Failed | Outcome::Interrupted, _) if shop.unfinished() => {
                return self
                    .both_ways(shop)
                    .map(|()| 3)
                    .map_err(|why| format!("{why}\n    after {}", short(ran)));
            }
            Ran::Ended(Outcome::Failed | Outcome::Interrupted, _) => (self.old)(shop),
            Ran::Crashed | Ran::Nothing => Err("no end".to_string()),
        };
        end.and_then(|()| shop.unharmed(self.least))
            .map(|()| 1)
            .map_err(|why| format!("{why}\n    {}", short(ran)))
    }
}

/// What can go wrong with this kind of call.
pub fn faults(call: &Call) -> Vec<Fault> {
    let mut faults = vec![Fault::Error, Fault::ErrorAfter, Fault::Interrupt, Fault::Crash];
    let all = Fault::CrashAfter { events: usize::MAX };
    match call.kind {
        Kind::Append => faults.extend([Fault::Torn, all]),
        Kind::Run { .. } => {
            faults.extend([Fault::Hang, all]);
            if call.what.contains("compose") {
                faults.extend((1..=6).map(|events| Fault::CrashAfter { events }));
            }
        }
        Kind::Ask => faults.extend([Fault::Hang, all]),
        Kind::Write | Kind::Remove | Kind::Read | Kind::Folder | Kind::Net => faults.push(all),
    }
    faults
}

/// Runs `one` for each case, on all cores, and tells the first failures.
pub fn each<T: Sync>(cases: &[T], one: impl Fn(&T) -> Result<(), String> + Sync) {
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(why) = one(case) {
                        failed.lock().unwrap().push(why);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    let shown = std::env::var("SHOW")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(8);
    assert!(
        failed.is_empty(),
        "{} of {} cases failed:\n{}",
        failed.len(),
        cases.len(),
        failed
            .iter()
            .take(shown)
            .map(|why| format!("- {why}\n"))
            .collect::<String>()
    );
}

/// An end in a few lines.
pub fn short(ran: &Ran) -> String {
    let (outcome, events) = match ran {
        Ran::Ended(outcome, events) => (outcome, events),
        Ran::Refused(failure) => return format!("refused: {} {:?}", failure.message, failure.notes),
        Ran::Crashed | Ran::Nothing => return format!("{ran:?}"),
    };
    let told = events.iter().filter_map(|event| match event {
        Event::StepFailed { title, failure, .. } => Some(format!("{title}: {} {:?}", failure.message, failure.notes)),
        Event::UndoFailed { title, failure } => Some(format!("undo {title}: {} {:?}", failure.message, failure.notes)),
        Event::Undone { title, .. } => Some(format!("undone: {title}")),
        Event::Warned { line } => Some(line.clone()),
        _ => None,
    });
    format!("{outcome:?}: {}", told.collect::<Vec<_>>().join("\n      "))
}
