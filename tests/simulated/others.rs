//! Other plans than the plain upgrade, and more than one death.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use zdt::exec::Outcome;
use zdt::world::simulated::{Behaviour, Death, Fault, Image, ImageKind};

use crate::matrix::{Subject, each, faults, short, upgrade_of};
use crate::shop::{After, NEW, OLD, Ran, Shop};

const UPGRADE: &str = "include app.zdt\nparam version\ntask upgrade {\npull $repo:$version\nfor app in $backends batch=2 {\n\
     drain $app\nrecreate $app image=$repo:$version\nawait healthy $app\nenable $app\n}\n}\n";

#[test]
fn three_backends_two_at_a_time() {
    let run = |shop: &Shop| shop.run_text(UPGRADE);
    let runs = Subject {
        run: &run,
        ..upgrade_of(Shop::with(&["app_1", "app_2", "app_3"]))
    }
    .all();
    println!("{runs} runs");
}

#[test]
fn two_upstreams() {
    let runs = upgrade_of(Shop::with(&["app_1", "app_2", "api_1@api", "api_2@api"])).all();
    println!("{runs} runs");
}

#[test]
fn a_pause_leaves_the_choice() {
    let text = format!("{UPGRADE}policy pause\n").replace(" batch=2", "");
    let run = |shop: &Shop| shop.run_text(&text);
    let runs = Subject {
        run: &run,
        ..upgrade_of(Shop::up())
    }
    .all();
    println!("{runs} runs");
}

/// After any fault in a provision either it went on, or a resume or another provision ends well.
#[test]
fn a_provision_can_be_repeated() {
    let provision = |shop: &Shop| shop.run("/recipes/provision.zdt", OLD);
    let bare = Shop::bare(vec!["app_1", "app_2"]);
    let calls = Subject {
        run: &provision,
        least: 0,
        new: &|shop| shop.is_all(OLD),
        ..upgrade_of(bare.twin())
    };
    let shop = bare.recording();
    assert!(matches!(provision(&shop), Ran::Ended(Outcome::Done, _)));
    let calls_made = shop.world.calls();
    let changing = calls_made.iter().filter(|call| call.mutates);
    let mut cases = Vec::new();
    for (at, call) in changing.enumerate() {
        cases.extend(faults(call).into_iter().map(|fault| (at + 1, fault)));
    }
    each(&cases, |(n, fault)| {
        let shop = bare.twin();
        shop.fail(*n, *fault);
        let ran = provision(&shop);
        let ends = |ran: Ran, way: &str, shop: &Shop| {
            let why = |why: String| format!("{fault:?} at call {n}, then {way}: {why}\n    {}", short(&ran));
            match ran {
                Ran::Ended(Outcome::Done, _) => (calls.new)(shop).and_then(|()| shop.at_rest()).map_err(why),
                _ => Err(why(String::new())),
            }
        };
        if matches!(ran, Ran::Ended(Outcome::Done, _)) {
            return ends(ran, "nothing", &shop);
        }
        if !shop.unfinished() {
            return ends(provision(&shop), "again", &shop);
        }
        let back = shop.twin();
        ends(shop.after(After::Resume), "resume", &shop)?;
        let ran = back.after(After::Rollback);
        if back.unfinished() {
            return Err(format!(
                "{fault:?} at call {n}: unfinished after a rollback: {}",
                short(&ran)
            ));
        }
        ends(provision(&back), "rollback and again", &back)
    });
    println!("{} cases", cases.len());
}

/// Killed, and killed again while it resumes or rolls back.
#[test]
fn two_deaths() {
    let subject = upgrade_of(Shop::up());
    let calls = subject.calls().len();
    let firsts = 1..=calls;
    let cases: Vec<(usize, After)> = firsts
        .flat_map(|n| [(n, After::Resume), (n, After::Rollback)])
        .collect();
    let runs = AtomicUsize::new(0);
    each(&cases, |(n, after)| {
        let first = subject.shop.twin();
        first.fail(*n, Fault::CrashAfter { events: 2 });
        if !matches!((subject.run)(&first), Ran::Crashed) {
            return Err(format!("call {n} of {calls} did not crash"));
        }
        for m in 1.. {
            let second = first.twin();
            second.world.revive();
            second.fail(m, Fault::CrashAfter { events: 2 });
            runs.fetch_add(4, Ordering::Relaxed);
            if !matches!(second.after(*after), Ran::Crashed) {
                break;
            }
            subject
                .both_ways(&second)
                .map_err(|why| format!("crash at {n}, {after:?} crashed at {m}: {why}"))?;
        }
        Ok(())
    });
    println!("{} runs, from {OLD} to {NEW}", runs.into_inner());
}

/// A `zdt rollback` of a run that ended well, killed at each of its calls: the next zdt goes on with it. With any other
/// fault it ends all old or all new by itself.
#[test]
fn a_rollback_is_broken_too() {
    let shop = Shop::up();
    assert!(matches!(shop.upgrade(), Ran::Ended(Outcome::Done, _)));
    shop.world.pass(Duration::from_secs(5));
    let whole = shop.recording();
    let ran = whole.back();
    assert!(matches!(ran, Ran::Ended(Outcome::Done, _)), "{}", short(&ran));
    whole.is_all(OLD).unwrap();
    let calls = whole.world.calls();
    let calls: Vec<_> = calls.iter().filter(|call| call.mutates).collect();
    let mut cases = Vec::new();
    for (at, call) in calls.iter().enumerate() {
        cases.extend(faults(call).into_iter().map(|fault| (at + 1, fault)));
    }
    each(&cases, |(n, fault)| {
        let broken = shop.twin();
        broken.world.start_watching();
        broken.fail(*n, *fault);
        let mut ran = broken.back();
        if broken.unfinished() {
            ran = broken.after(After::Resume);
        }
        let why = |why: String| format!("{fault:?} at call {n}: {why}\n    {}", short(&ran));
        broken
            .is_all(OLD)
            .or_else(|_| broken.is_all(NEW))
            .and_then(|()| broken.at_rest())
            .map_err(why)?;
        match broken.world.min_served() {
            Some(1..) => Ok(()),
            served => Err(why(format!("{served:?} served"))),
        }
    });
    println!("{} cases", cases.len());
}

/// Provisions, and does `then`.
fn site(then: &str) -> String {
    format!(
        "include app.zdt\nparam version\ntask site {{\nmkdir $dir\ncopy ../docker/bootstrap $dir\nup image=$repo:{OLD}\n\
         await healthy $backends\n{then}\n}}\n"
    )
}

const MOVE: &str = "pull $repo:$version\nfor app in $backends {\ndrain $app\nrecreate $app image=$repo:$version\n\
     await healthy $app\nenable $app\n}";

/// Provisioned and moved on in one run: what it began with and found well is what it goes back to.
#[test]
fn one_run_goes_back_to_what_it_has_provisioned() {
    let dies = Behaviour {
        dies: Some(Death {
            after: Duration::from_millis(100),
            code: 3,
            log: "no database".into(),
            out_of_memory: false,
            once: false,
        }),
        ..Behaviour::default()
    };
    let bare = Shop::bare(vec!["app_1", "app_2"]);
    let ill = bare.twin();
    ill.world
        .publish(Image::new("zdt/sample-app:0.0.2", ImageKind::App(dies)));
    let ran = ill.run_text(&site(MOVE));
    assert!(matches!(ran, Ran::Ended(Outcome::RolledBack, _)), "{}", short(&ran));
    ill.is_all(OLD).unwrap();
    ill.at_rest().unwrap();
    assert!(!ill.unfinished());

    // Where nothing came after it there is nothing to go back to, and that is said.
    let failed = bare.twin();
    let ran = failed.run_text(&site("fail 'enough'"));
    assert!(matches!(ran, Ran::Ended(Outcome::Failed, _)), "{}", short(&ran));
    failed.is_all(OLD).unwrap();
    assert!(!failed.unfinished());
}

/// The same run, killed: it can be finished, and what it has found well before it moved on comes back.
#[test]
fn one_run_that_provisions_and_moves_on_is_killed() {
    let bare = Shop::bare(vec!["app_1", "app_2"]);
    let whole = bare.recording();
    let ran = whole.run_text(&site(MOVE));
    assert!(matches!(ran, Ran::Ended(Outcome::Done, _)), "{}", short(&ran));
    whole.is_all(NEW).unwrap();
    let calls = whole.world.calls().into_iter().filter(|call| call.mutates).count();
    let cases: Vec<usize> = (1..=calls).collect();
    let back = AtomicUsize::new(0);
    each(&cases, |n| {
        let shop = bare.twin();
        shop.fail(*n, Fault::CrashAfter { events: 2 });
        shop.run_text(&site(MOVE));
        if !shop.unfinished() {
            return Ok(());
        }
        let (resumed, undone) = (shop.twin(), shop);
        let ran = resumed.after(After::Resume);
        let why = |why: String, ran: &Ran| format!("call {n} of {calls}: {why}\n    {}", short(ran));
        match &ran {
            Ran::Ended(Outcome::Done, _) => resumed.is_all(NEW).map_err(|end| why(end, &ran))?,
            _ => return Err(why("not resumed".to_string(), &ran)),
        }
        let ran = undone.after(After::Rollback);
        match &ran {
            // Before any container was made.
            Ran::Ended(Outcome::WentBack, _) if undone.picture().0.is_empty() => Ok(()),
            Ran::Ended(Outcome::WentBack, _) => {
                back.fetch_add(1, Ordering::Relaxed);
                undone.is_all(OLD).map_err(|end| why(end, &ran))
            }
            Ran::Ended(Outcome::Failed, _) if !undone.unfinished() => Ok(()),
            _ => Err(why("not undone".to_string(), &ran)),
        }
    });
    let back = back.into_inner();
    assert!(back > cases.len() / 4, "{back} of {} went back", cases.len());
}

/// Killed together with an engine that comes back and leaves everything down, as `unless-stopped` allows it to:
/// whichever way is taken, all that should serve does.
#[test]
fn the_engine_dies_too() {
    let subject = upgrade_of(Shop::up());
    let cases: Vec<usize> = (1..=subject.calls().len()).collect();
    each(&cases, |n| {
        let killed = subject.shop.twin();
        killed.fail(*n, Fault::CrashAfter { events: 1 });
        (subject.run)(&killed);
        killed.world.revive();
        let rows = killed.world.someone_asks("/containers/json");
        for row in rows.as_array().unwrap() {
            killed.docker(&format!("stop {}", row["Id"].as_str().unwrap()));
        }
        for (after, end) in [(After::Resume, subject.new), (After::Rollback, subject.old)] {
            let shop = killed.twin();
            let ran = shop.after(after);
            if matches!(ran, Ran::Nothing) {
                continue;
            }
            end(&shop)
                .and_then(|()| shop.at_rest())
                .map_err(|why| format!("call {n}, then {after:?}: {why}\n    {}", short(&ran)))?;
        }
        Ok(())
    });
    println!("{} cases", cases.len());
}
