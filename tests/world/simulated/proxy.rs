//! nginx and its users.

use super::*;

/// By hand what zdt does: drain, recreate, await, enable.
fn upgrade(world: &Simulated, n: u8) {
    write(world, CONF, &conf(Some(n), "drained"));
    ok(world, "docker exec shop-proxy-1 nginx -t");
    let before = top(world);
    ok(world, "docker kill -s HUP shop-proxy-1");
    assert_eq!(
        get(world, "http://127.0.0.1:8080/nonce", Some("secret")).unwrap().body,
        "drained"
    );
    let workers: Vec<u32> = before.iter().skip(1).map(|(pid, _)| *pid).collect();
    assert_eq!(workers.len(), 2);
    assert!(workers.iter().all(|pid| world.title(*pid).is_some()));
    world.pause(Duration::from_millis(150));
    let leaving = |(_, title): &(u32, String)| title == "nginx: worker process is shutting down";
    let during = top(world);
    assert!(during.iter().any(leaving), "{during:?}");
    while workers.iter().any(|pid| world.title(*pid).is_some()) {
        world.pause(Duration::from_millis(10));
    }
    compose(world, &format!("up -d --no-deps app_{n}"));
    let url = format!("http://172.30.0.1{n}:3000/ping");
    assert_eq!(get(world, &url, None), Err(NetError::Refused));
    while get(world, &url, None).is_err() {
        world.pause(Duration::from_millis(50));
    }
    assert!(get(world, &url, None).unwrap().body.ends_with("@0.0.2\n"));
    write(world, CONF, &conf(None, "enabled"));
    ok(world, "docker exec shop-proxy-1 nginx -s reload");
    world.pause(Duration::from_secs(1));
}

#[test]
fn a_rolling_upgrade_by_hand_is_never_down() {
    let world = up();
    world.start_watching();
    ok(&world, "docker pull shop:0.0.2");
    write(&world, "/srv/shop/docker-compose.yml", &compose_file("0.0.2"));
    write(&world, "/srv/shop/.env", "TAG=0.0.2");
    upgrade(&world, 1);
    upgrade(&world, 2);
    assert_eq!((world.outages(), world.cuts()), (vec![], vec![]));
    assert_eq!(world.min_served(), Some(1));
    assert_eq!(world.serving().unwrap()["shop"], 2);
    assert!(
        world
            .calls()
            .iter()
            .any(|call| call.kind == Kind::Write && call.mutates && call.content.is_some())
    );
}

#[test]
fn a_stop_without_a_drain_is_seen() {
    let world = up();
    world.start_watching();
    ok(&world, "docker stop shop-app_1-1");
    assert_eq!(world.cuts().len(), 1);
    assert_eq!(world.cuts()[0].container, "shop-app_1-1");
    assert_eq!(world.outages(), vec![]);
    ok(&world, "docker stop shop-app_2-1");
    let outages = world.outages();
    assert_eq!(
        (outages.len(), outages[0].upstream.as_str(), outages[0].to),
        (1, "shop", None)
    );
    assert_eq!(outages[0].cause, "`shop-app_2-1` stopped");
    assert_eq!(get(&world, "http://127.0.0.1:8080/", None).unwrap().status, 502);
    // It serves again when it has booted, not when it was started.
    ok(&world, "docker start shop-app_2-1");
    assert_eq!(world.outages()[0].to, None);
    let started = world.now();
    world.pause(Duration::from_secs(5));
    let to = world.outages()[0].to.unwrap();
    assert!(to > started && to < started + Duration::from_secs(1), "{to:?}");
    assert_eq!(world.min_served(), Some(0));
}

#[test]
fn a_stop_while_the_old_workers_live_is_a_cut() {
    let stop_after = |wait: Duration| {
        let world = up().in_flight(Duration::from_secs(5));
        world.start_watching();
        write(&world, CONF, &conf(Some(1), "2"));
        ok(&world, "docker kill -s HUP shop-proxy-1");
        world.pause(wait);
        ok(&world, "docker stop shop-app_1-1");
        world.cuts()
    };
    let cuts = stop_after(Duration::from_secs(4));
    assert!(cuts[0].cause.contains("an old worker"), "{cuts:?}");
    assert_eq!(stop_after(Duration::from_secs(6)), vec![]);
}

#[test]
fn workers_that_leave_at_their_limit_cut_requests() {
    let world = up().in_flight(Duration::from_secs(100));
    world.start_watching();
    ok(&world, "docker kill -s HUP shop-proxy-1");
    assert!(world.cuts()[0].cause.contains("worker_shutdown_timeout"));
    let count = |world: &Simulated| top(world).len();
    world.pause(Duration::from_secs(59));
    assert_eq!(count(&world), 1 + 4);
    world.pause(Duration::from_secs(2));
    assert_eq!(count(&world), 1 + 2);
}

#[test]
fn an_invalid_config_keeps_the_old_one() {
    let world = up();
    let test = "docker exec shop-proxy-1 nginx -t";
    assert!(
        run(&world, test)
            .stderr
            .ends_with("nginx: configuration file /etc/nginx/nginx.conf test is successful\n")
    );
    let before = top(&world);
    let server = |inner: &str| format!("{}server {{ listen 81; {inner} }}\n", conf(None, "1"));
    let cases = [
        (
            server("\n  bogus x;"),
            "unknown directive \"bogus\" in /etc/nginx/conf.d/default.conf:19",
        ),
        (
            conf(None, "1") + "}",
            "unexpected \"}\" in /etc/nginx/conf.d/default.conf:18",
        ),
        (
            conf(None, "1") + "server { listen 81;\n",
            "unexpected end of file, expecting \"}\" in /etc/nginx/conf.d/default.conf:19",
        ),
        (
            server("location / { proxy_pass http://nobody:3000; }"),
            "host not found in upstream \"nobody:3000\" in /etc/nginx/conf.d/default.conf:18",
        ),
        (
            "worker_shutdown_timeout 5s;\n".into(),
            "\"worker_shutdown_timeout\" directive is not allowed here in /etc/nginx/conf.d/default.conf:1",
        ),
        (
            "upstream a { }".into(),
            "no servers are inside upstream in /etc/nginx/conf.d/default.conf:1",
        ),
        (
            "upstream a { server 1.2.3.4:1 bogus=1; }".into(),
            "invalid parameter \"bogus=1\" in /etc/nginx/conf.d/default.conf:1",
        ),
    ];
    for (text, emerg) in cases {
        write(&world, CONF, &text);
        let stderr = fails(&world, test);
        assert!(
            stderr.contains(&format!("nginx: [emerg] {emerg}\n")),
            "{emerg}: {stderr}"
        );
        assert!(stderr.ends_with("nginx: configuration file /etc/nginx/nginx.conf test failed\n"));
        ok(&world, "docker kill -s HUP shop-proxy-1");
        assert!(run(&world, "docker logs --tail 1 shop-proxy-1").stderr.contains(emerg));
    }
    assert_eq!(top(&world), before);
    assert_eq!(
        get(&world, "http://127.0.0.1:8080/nonce", Some("secret")).unwrap().body,
        "1"
    );
    // The next start reads it, and fails.
    ok(&world, "docker restart shop-proxy-1");
    assert_eq!(inspect(&world, "shop-proxy-1")["State"]["ExitCode"], 1);
}

#[test]
fn what_the_master_was_given_counts_with_the_file() {
    let world = up().file("/srv/main.conf", "worker_shutdown_timeout 9s;\nevents { }\nhttp { }\n");
    ok(&world, "docker cp /srv/main.conf shop-proxy-1:/tmp/main.conf");
    ok(&world, "docker exec shop-proxy-1 nginx -t -c /tmp/main.conf");
    let mut both = command("docker exec shop-proxy-1 nginx -t -c /tmp/main.conf -g");
    both.args.push("daemon off; worker_shutdown_timeout 60s;".into());
    assert!(
        world
            .run(&both)
            .unwrap()
            .stderr
            .contains("\"worker_shutdown_timeout\" directive is duplicate in /tmp/main.conf:1")
    );
    let dump = ok(&world, "docker exec shop-proxy-1 nginx -T");
    assert!(dump.starts_with("# configuration file /etc/nginx/nginx.conf:\n"));
    assert!(
        dump.contains("# configuration file /etc/nginx/conf.d/default.conf:\nupstream shop {"),
        "{dump}"
    );
}

#[test]
fn names_resolve_as_they_were_when_read() {
    let world = up();
    let named = |resolve: &str| {
        let server = format!("server app_1:3000{resolve};");
        format!(
            "resolver 127.0.0.11;\nupstream shop {{ zone z 64k; {server} }}\nserver {{ listen 80; location / {{ proxy_pass http://shop; }} }}\n"
        )
    };
    let moved = compose_file("0.0.1").replace("172.30.0.11", "172.30.0.21");
    for (resolve, status) in [("", 502), (" resolve", 200)] {
        let world = world.clone();
        write(&world, CONF, &named(resolve));
        ok(&world, "docker kill -s HUP shop-proxy-1");
        assert_eq!(get(&world, "http://127.0.0.1:8080/", None).unwrap().status, 200);
        write(&world, "/srv/shop/docker-compose.yml", &moved);
        compose(&world, "up -d --no-deps app_1");
        world.pause(Duration::from_secs(1));
        assert_eq!(
            get(&world, "http://127.0.0.1:8080/", None).unwrap().status,
            status,
            "{resolve}"
        );
    }
}

/// The time this thread has computed, whatever else the machine does.
fn computed() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Not a measurement, only a guard against work that grows with what was done before.
#[test]
fn the_cost_of_a_call_does_not_grow() {
    let world = up().recording(false);
    let cycle = |times: usize| {
        let started = computed();
        for n in 0..times {
            write(&world, CONF, &conf(Some(1), &n.to_string()));
            ok(&world, "docker exec shop-proxy-1 nginx -t");
            ok(&world, "docker kill -s HUP shop-proxy-1");
            world.append(Path::new("/srv/shop/journal"), b"step\n").unwrap();
            inspect(&world, "shop-app_1-1");
            compose(&world, "up -d --no-deps --force-recreate app_1");
            world.pause(Duration::from_secs(1));
        }
        computed() - started
    };
    cycle(100);
    let early = cycle(200);
    cycle(600);
    let late = cycle(200);
    eprintln!("7 calls take {:?}", late / 200);
    assert!(late < early * 8, "{early:?} {late:?}");
}
