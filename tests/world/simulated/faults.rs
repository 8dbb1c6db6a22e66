//! What goes wrong: crashes, faults, ill apps, interrupts.

use super::*;

#[test]
fn a_crash_can_fall_between_the_steps_of_a_recreate() {
    let after = |events: usize| {
        let world = up();
        ok(&world, "docker pull shop:0.0.2");
        write(&world, "/srv/shop/docker-compose.yml", &compose_file("0.0.2"));
        world.fail_at(Nth::Mutating(world.mutation_count() + 1), Fault::CrashAfter { events });
        let crash = catch_unwind(AssertUnwindSafe(|| compose(&world, "up -d --no-deps app_1")));
        assert!(crash.unwrap_err().downcast_ref::<Crashed>().is_some());
        // Nothing has an effect any more ...
        assert!(catch_unwind(AssertUnwindSafe(|| world.read(Path::new(CONF)))).is_err());
        // ... until another zdt comes.
        world.revive();
        let id = inspect(&world, "shop-app_2-1")["Id"].as_str().unwrap().len();
        assert_eq!(id, 64);
        let all = names(&world);
        let is_new = |name: &str| inspect(&world, name)["Config"]["Image"] == "shop:0.0.2";
        let states: Vec<String> = all
            .iter()
            .filter(|name| name.contains("app_1"))
            .map(|name| {
                let aside = if name.contains("_shop-app_1-1") { "aside" } else { "own" };
                let new = if is_new(name) { "new" } else { "old" };
                format!(
                    "{new} {aside} {}",
                    inspect(&world, name)["State"]["Status"].as_str().unwrap()
                )
            })
            .collect();
        (states, world)
    };
    let sorted = |mut states: Vec<String>| {
        states.sort();
        states
    };
    assert_eq!(after(0).0, ["old own running"]);
    assert_eq!(sorted(after(1).0), ["new aside created", "old own running"]);
    assert_eq!(sorted(after(2).0), ["new aside created", "old own exited"]);
    assert_eq!(after(3).0, ["new aside created"]);
    assert_eq!(after(4).0, ["new own created"]);
    assert_eq!(after(5).0, ["new own running"]);
    // As compose 2.40 does it: of several one that is up to date is kept, under whatever name; a recreate gives the name back.
    let (_, world) = after(1);
    compose(&world, "up -d --no-deps app_1");
    let left = || {
        names(&world)
            .into_iter()
            .filter(|name| name.contains("app_1"))
            .collect::<Vec<_>>()
    };
    assert_eq!(left().len(), 1);
    assert!(left()[0].ends_with("_shop-app_1-1"), "{:?}", left());
    assert_eq!(inspect(&world, &left()[0])["State"]["Status"], "running");
    compose(&world, "up -d --no-deps --force-recreate app_1");
    assert_eq!(left(), ["shop-app_1-1"]);
    let (_, world) = after(1);
    write(&world, "/srv/shop/docker-compose.yml", &compose_file("0.0.1"));
    compose(&world, "up -d --no-deps app_1");
    assert_eq!(names(&world), ["shop-app_1-1", "shop-app_2-1", "shop-proxy-1"]);
    assert_eq!(inspect(&world, "shop-app_1-1")["Config"]["Image"], "shop:0.0.1");
}

#[test]
fn ill_apps_behave_as_described() {
    let with = |behaviour: Behaviour| {
        let world = site().image(Image::new("ill:1", ImageKind::App(behaviour)));
        write(
            &world,
            "/srv/shop/docker-compose.yml",
            "services: { app: { image: 'ill:1', networks: { default: { ipv4_address: 172.17.0.9 } } } }",
        );
        ok(&world, "docker compose -p shop -f /srv/shop/docker-compose.yml up -d");
        world.pause(Duration::from_secs(1));
        world
    };
    let ping = |world: &Simulated| get(world, "http://172.17.0.9:3000/ping", None).map(|answer| answer.status);
    let limit = Duration::from_secs(2);
    assert_eq!(ping(&with(Behaviour::default())), Ok(200));
    assert_eq!(
        ping(&with(Behaviour {
            boots_in: limit,
            ..Behaviour::default()
        })),
        Err(NetError::Refused)
    );
    assert_eq!(
        ping(&with(Behaviour {
            answers: Answers::Unhealthy,
            ..Behaviour::default()
        })),
        Ok(503)
    );
    assert_eq!(
        ping(&with(Behaviour {
            answers: Answers::Moved,
            ..Behaviour::default()
        })),
        Ok(301)
    );
    let hangs = with(Behaviour {
        answers: Answers::Never,
        ..Behaviour::default()
    });
    let before = hangs.now();
    assert_eq!(ping(&hangs), Err(NetError::TimedOut(limit)));
    assert!(hangs.now() - before >= limit);
    let sick = with(Behaviour {
        sick_after: Some(limit),
        ..Behaviour::default()
    });
    assert_eq!(ping(&sick), Ok(200));
    sick.pause(limit);
    assert_eq!(ping(&sick), Ok(500));

    let death = Death {
        after: Duration::from_millis(100),
        code: 3,
        log: "no database\ngood bye".into(),
        out_of_memory: true,
        once: false,
    };
    let dead = with(Behaviour {
        dies: Some(death),
        ..Behaviour::default()
    });
    assert_eq!(ping(&dead), Err(NetError::TimedOut(limit)));
    let state = &inspect(&dead, "shop-app-1")["State"];
    assert_eq!(
        (&state["Status"], &state["ExitCode"], &state["OOMKilled"]),
        (&"exited".into(), &3.into(), &true.into())
    );
    assert_eq!(run(&dead, "docker logs --tail 1 shop-app-1").stderr, "good bye\n");
}

#[test]
fn a_restart_policy_tries_again_and_again() {
    let world = up();
    let death = Death {
        after: Duration::from_millis(100),
        code: 1,
        log: String::new(),
        out_of_memory: false,
        once: false,
    };
    assert!(world.behave(
        "shop:0.0.1",
        Behaviour {
            dies: Some(death),
            ..Behaviour::default()
        }
    ));
    world.pause(Duration::from_secs(10));
    let app = inspect(&world, "shop-app_1-1");
    assert!(app["RestartCount"].as_u64().unwrap() >= 3, "{app}");
    // A stop ends that.
    ok(&world, "docker stop shop-app_1-1");
    let count = inspect(&world, "shop-app_1-1")["RestartCount"].clone();
    world.pause(Duration::from_secs(300));
    assert_eq!(inspect(&world, "shop-app_1-1")["RestartCount"], count);
}

#[test]
fn faults_strike_the_call_they_are_planned_for() {
    let world = up();
    let next = || Nth::Mutating(world.mutation_count() + 1);
    let stop = || world.run(&command("docker stop shop-app_1-1"));
    let status = || inspect(&world, "shop-app_1-1")["State"]["Status"].clone();
    world.fail_at(next(), Fault::Error);
    ask(&world, "/version");
    assert_eq!(stop().unwrap().status, Status::Exited(1));
    assert_eq!(status(), "running");
    world.fail_at(next(), Fault::Hang);
    let before = world.now();
    assert!(matches!(stop(), Err(ProcessError::TimedOut { .. })));
    assert!(world.now() - before >= Duration::from_secs(60));
    world.fail_at(next(), Fault::Interrupt);
    assert!(matches!(stop(), Err(ProcessError::Interrupted { .. })));
    assert_eq!(world.pending(), Some(Interrupt::Int));
    assert!(!world.pause(Duration::from_secs(1)));
    world.acknowledge();
    assert_eq!(status(), "running");
    world.fail_at(next(), Fault::ErrorAfter);
    assert_eq!(stop().unwrap().status, Status::Exited(1));
    assert_eq!(status(), "exited");

    let journal = Path::new("/srv/shop/journal");
    world.append(journal, b"first\n").unwrap();
    world.fail_at(next(), Fault::Torn);
    assert!(catch_unwind(AssertUnwindSafe(|| world.append(journal, b"second\n"))).is_err());
    world.revive();
    assert_eq!(world.read(journal).unwrap(), b"first\nsec");
    // In a program that cannot unwind a crash is an error without effect.
    let world = world.clone().crash_by_error(true);
    world.fail_at(Nth::Mutating(world.mutation_count() + 1), Fault::Crash);
    assert!(world.append(journal, b"third\n").is_err());
    assert!(world.run(&command("docker start shop-app_1-1")).is_err());
    assert!(world.crashed());
    world.revive();
    assert_eq!(world.read(journal).unwrap(), b"first\nsec");
}

#[test]
fn an_interrupt_ends_a_pause_when_it_comes() {
    let world = Simulated::empty();
    world.interrupt_at(Duration::from_secs(5), Interrupt::Term);
    assert!(world.pause(Duration::from_secs(4)));
    assert!(!world.pause(Duration::from_secs(4)));
    assert_eq!(
        (world.now(), world.pending()),
        (Duration::from_secs(5), Some(Interrupt::Term))
    );
    // Whoever goes on all the same does so at his own pace.
    let look = Duration::from_millis(10);
    assert!(!world.pause(look));
    assert!(!world.pause(Duration::from_secs(4)));
    assert_eq!(world.now(), Duration::from_secs(5) + look + PENDING);
    world.acknowledge();
    assert!(world.pause(Duration::from_secs(4)));
}
