//! New versions that are not well: the old one serves again, and nobody noticed.

use std::time::Duration;

use zdt::exec::{Event, Outcome};
use zdt::world::simulated::{Answers, Behaviour, Death, Image, ImageKind};
use zdt::world::{Clock, Interrupt};

use crate::matrix::{Subject, short, upgrade_of};
use crate::shop::{OLD, Ran, Shop};

fn offered(behaviour: Behaviour) -> Shop {
    let shop = Shop::up();
    let image = Image::new("zdt/sample-app:0.0.2", ImageKind::App(behaviour));
    shop.world.publish(image);
    shop
}

fn dies(after: u64) -> Behaviour {
    Behaviour {
        dies: Some(Death {
            after: Duration::from_millis(after),
            code: 3,
            log: "no database".into(),
            out_of_memory: false,
            once: false,
        }),
        ..Behaviour::default()
    }
}

fn answering(answers: Answers) -> Behaviour {
    Behaviour {
        answers,
        ..Behaviour::default()
    }
}

#[test]
fn every_illness_ends_with_the_old_version_everywhere() {
    let sick = Behaviour {
        sick_after: Some(Duration::from_millis(400)),
        ..Behaviour::default()
    };
    let wrong = Behaviour {
        body: "pong from {service}@0.0.20\n".into(),
        ..Behaviour::default()
    };
    let ills = [
        dies(100),
        answering(Answers::Unhealthy),
        answering(Answers::Never),
        answering(Answers::Moved),
        sick,
        wrong,
    ];
    for ill in ills {
        let shop = offered(ill.clone());
        let ran = shop.upgrade();
        assert!(
            matches!(ran, Ran::Ended(Outcome::RolledBack, _)),
            "{ill:?}: {}",
            short(&ran)
        );
        shop.is_all(OLD).unwrap();
        shop.unharmed(1).unwrap();
        shop.at_rest().unwrap();
    }
}

/// It dies again and again before it ever answers, and whenever zdt looks it may just be running: that the engine has
/// started it again is enough, and its next death tells the exit code.
#[test]
fn one_that_dies_before_it_is_healthy_is_not_waited_for() {
    for after in (50..2000).step_by(130) {
        let shop = offered(Behaviour {
            boots_in: Duration::from_secs(30),
            ..dies(after)
        });
        let Ran::Ended(Outcome::RolledBack, events) = shop.upgrade() else {
            panic!("{after} ms: it was not rolled back");
        };
        let failed = events.iter().find_map(|event| match event {
            Event::StepFailed { failure, took, .. } => Some((failure, *took)),
            _ => None,
        });
        let (failure, took) = failed.expect("a step failed");
        assert!(
            took < Duration::from_millis(2 * after + 1000),
            "{after} ms: {took:?}, {failure:?}"
        );
        assert!(failure.message.contains("(exit code "), "{after} ms: {failure:?}");
        assert!(
            failure.notes.iter().any(|note| note.contains("no database")),
            "{failure:?}"
        );
        shop.is_all(OLD).unwrap();
    }
}

/// The version that runs is ill, and the one that shall mend it dies: what ran serves again, as ill as it was.
#[test]
fn a_sick_version_comes_back_as_it_was() {
    let shop = offered(dies(300));
    assert!(shop.world.behave("zdt/sample-app:0.0.1", answering(Answers::Unhealthy)));
    let before = shop.picture();
    let ran = shop.upgrade();
    assert!(matches!(ran, Ran::Ended(Outcome::RolledBack, _)), "{}", short(&ran));
    assert_eq!(shop.picture(), before);
    assert!(!shop.unfinished());
}

/// One backend ends over and over, and what shall mend it is ill: it is as it was, at whatever moment one looks.
#[test]
fn a_crash_loop_comes_back_as_it_was() {
    for moment in [0, 50, 130, 400, 1100] {
        let shop = Shop::up();
        shop.offers();
        let move_first = |image: &str| {
            format!(
                "include app.zdt\nparam version\ntask first {{\npull zdt/sample-app:{image}\ndrain app_1\n\
                 recreate app_1 image=zdt/sample-app:{image}\nawait healthy app_1 timeout=10s\nenable app_1\n}}\n"
            )
        };
        let ran = shop.run_text(&move_first("0.0.2"));
        assert!(matches!(ran, Ran::Ended(Outcome::Done, _)), "{}", short(&ran));
        assert!(shop.world.behave("zdt/sample-app:0.0.2", dies(100)));
        shop.world.pass(Duration::from_millis(20_000 + moment));
        let ran = shop.run_text(&move_first("ill"));
        assert!(
            matches!(ran, Ran::Ended(Outcome::RolledBack, _)),
            "{moment}: {}",
            short(&ran)
        );
        assert!(!shop.unfinished());
    }
}

/// In a rollback the old version may take its time: one death while it boots does not make it the wrong one.
#[test]
fn the_old_version_may_die_once_on_its_way_back() {
    let shop = offered(answering(Answers::Unhealthy));
    let mut nervous = dies(300);
    nervous.dies.as_mut().unwrap().once = true;
    // Those that run die and are back; from now on it is the new ones that do.
    assert!(shop.world.behave("zdt/sample-app:0.0.1", nervous));
    shop.world.pass(Duration::from_secs(5));
    shop.world.start_watching();
    let ran = shop.upgrade();
    assert!(matches!(ran, Ran::Ended(Outcome::RolledBack, _)), "{}", short(&ran));
    shop.is_all(OLD).unwrap();
    shop.unharmed(1).unwrap();
    shop.at_rest().unwrap();
}

/// It dies two tenths of a second after its first good answer, while it serves: without `for=` nobody can know that
/// before, but the run does not call it done.
#[test]
fn a_version_that_dies_in_traffic_is_noticed() {
    let shop = offered(dies(700));
    let ran = shop.upgrade();
    assert!(matches!(ran, Ran::Ended(Outcome::RolledBack, _)), "{}", short(&ran));
    shop.is_all(OLD).unwrap();
    shop.at_rest().unwrap();
}

/// Healthy for three seconds, then 500: `for=5s` is what sees it.
#[test]
fn a_late_illness_is_seen_by_a_longer_look() {
    let shop = offered(Behaviour {
        sick_after: Some(Duration::from_secs(3)),
        ..Behaviour::default()
    });
    let ran = shop.run_text(
        "include app.zdt\nparam version\ntask upgrade {\npull $repo:$version\nfor app in $backends {\n\
         drain $app\nrecreate $app image=$repo:$version\nawait healthy $app for=5s timeout=20s\nenable $app\n}\n}\n",
    );
    assert!(matches!(ran, Ran::Ended(Outcome::RolledBack, _)), "{}", short(&ran));
    shop.is_all(OLD).unwrap();
    shop.unharmed(1).unwrap();
}

/// A first interrupt asks for the way back; while zdt is on it, it is asked for nothing else.
#[test]
fn an_interrupt_on_the_way_back_does_not_stop_it() {
    let shop = offered(dies(100));
    let calm = shop.twin();
    let ran = calm.upgrade();
    assert!(matches!(ran, Ran::Ended(Outcome::RolledBack, _)), "{}", short(&ran));
    let whole = calm.world.now() - shop.world.now();
    // From somewhere in the first drain on.
    for at in (5..20).map(|part| whole * part / 20) {
        let shop = shop.twin();
        shop.world.interrupt_at(shop.world.now() + at, Interrupt::Int);
        let ran = shop.upgrade();
        assert!(
            matches!(ran, Ran::Ended(Outcome::RolledBack, _)),
            "{at:?} of {whole:?}: {}",
            short(&ran)
        );
        shop.is_all(OLD).unwrap();
        shop.unharmed(1).unwrap();
    }
}

/// No image of that name anywhere: nothing is touched.
#[test]
fn an_image_that_does_not_exist() {
    let shop = Shop::up();
    let ran = shop.run("/recipes/upgrade.zdt", "9.9.9");
    assert!(
        matches!(
            ran,
            Ran::Refused(_) | Ran::Ended(Outcome::RolledBack | Outcome::Refused, _)
        ),
        "{}",
        short(&ran)
    );
    shop.is_all(OLD).unwrap();
    shop.unharmed(2).unwrap();
}

#[test]
fn a_fault_while_an_ill_version_is_rolled_back() {
    let runs = Subject {
        end: Outcome::RolledBack,
        ..upgrade_of(offered(dies(100)))
    }
    .all();
    println!("{runs} runs");
}

/// What the recipe does about a failure comes after the policy, and knows what that came to.
#[test]
fn on_failure_sees_the_outcome() {
    for (policy, outcome, word) in [
        ("rollback", Outcome::RolledBack, "rolled_back"),
        ("pause", Outcome::Failed, "failed"),
    ] {
        let shop = offered(dies(100));
        let text = format!(
            "include app.zdt\nparam version\npolicy {policy}\ntask upgrade {{\npull $repo:$version\ndrain app_1\n\
             recreate app_1 image=$repo:$version\nawait healthy app_1 timeout=10s\n}}\n\
             on failure {{\nsay \"it is $outcome\"\nif $outcome == {word} {{ say right }} else {{ say wrong }}\n}}\n"
        );
        let Ran::Ended(ended, events) = shop.run_text(&text) else {
            panic!("it did not end");
        };
        assert_eq!(ended, outcome);
        let said = events.iter().filter_map(|event| match event {
            Event::Said { line, .. } => Some(line.as_str()),
            _ => None,
        });
        let said: Vec<&str> = said.collect();
        assert_eq!(said, [format!("it is {word}").as_str(), "right"]);
    }
}
