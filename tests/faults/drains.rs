//! Requests that will not end: a backend is never called drained before the last of them is answered, and none is cut.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use crate::common::{Sandbox, await_fact, repository};
use crate::ground::{Ground, Steps, USUAL, lost_within};

/// Workers of the proxy by pid; the machine's own engine shows them as they are here.
fn workers(sandbox: &Sandbox) -> Vec<String> {
    let text = sandbox.docker(&["top", &sandbox.container("proxy").id, "-eo", "pid,args"]);
    let of = text.lines().filter(|line| line.contains("nginx: worker process"));
    of.filter_map(|line| line.split_whitespace().next().map(str::to_string))
        .collect()
}

fn connect(sandbox: &Sandbox) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", sandbox.port)).expect("the proxy listens");
    // A bound for what hangs.
    let limit = Some(Duration::from_secs(120));
    stream.set_read_timeout(limit).expect("it is no zero");
    stream
}

/// Sends a request's head, and the rest when told to.
fn begin(sandbox: &Sandbox, head: &str) -> TcpStream {
    let mut stream = connect(sandbox);
    stream.write_all(head.as_bytes()).expect("the proxy reads");
    stream
}

fn status(mut stream: TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("the proxy answers");
    text.lines().next().unwrap_or_default().to_string()
}

/// Requests that last, so many that each backend has one: they take turns.
fn slow(sandbox: &Sandbox, seconds: u32) -> Vec<TcpStream> {
    let head = format!("GET /slow?delay={seconds}s HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n");
    (0..6).map(|_| begin(sandbox, &head)).collect()
}

#[test]
fn a_request_longer_than_the_limit() {
    let ground = Ground::new("longer");
    let recipe = ground.recipe(&Steps {
        drain: "timeout=3s",
        ..USUAL
    });
    let waiting: Vec<_> = slow(&ground.sandbox, 25)
        .into_iter()
        .map(|stream| thread::spawn(move || status(stream)))
        .collect();
    let run = ground.start(&recipe, "0.0.2").wait().exits(3);
    run.says("not drained after 3s").says("app_1 serves again");
    for request in waiting {
        assert_eq!(request.join().expect("it ends"), "HTTP/1.1 200 OK");
    }
    ground.ends("0.0.1");
}

/// Until these old workers have ended nothing was drained: `said` must not have been printed while one lives.
fn not_before_they_are_gone(ground: &Ground, release: impl FnOnce()) {
    let old = workers(&ground.sandbox);
    let recipe = ground.recipe(&USUAL);
    let mut run = ground.start(&recipe, "0.0.2");
    // The new generation is live, and the old worker is still there.
    await_fact("the first reload", || {
        (workers(&ground.sandbox).len() > old.len()).then_some(())
    });
    assert!(!run.stdout().contains("✓ drain"), "{}", run.stdout());
    release();
    run.await_text("✓ drain app_1");
    let left: Vec<String> = workers(&ground.sandbox)
        .into_iter()
        .filter(|pid| old.contains(pid))
        .collect();
    assert!(left.is_empty(), "called drained while {left:?} still worked");
    run.wait().ok();
}

#[test]
fn a_silent_connection() {
    let ground = Ground::new("silent");
    let silent = connect(&ground.sandbox);
    not_before_they_are_gone(&ground, || {});
    drop(silent);
    ground.ends("0.0.2");
}

#[test]
fn a_slow_upload() {
    let ground = Ground::new("upload");
    let head = "POST /orders HTTP/1.1\r\nHost: shop\r\nConnection: close\r\nContent-Length: 8\r\n\r\nslow";
    let uploads: Vec<TcpStream> = (0..4).map(|_| begin(&ground.sandbox, head)).collect();
    not_before_they_are_gone(&ground, || {
        for (n, mut upload) in uploads.into_iter().enumerate() {
            write!(upload, "-00{n}").expect("the proxy reads");
            assert_eq!(status(upload), "HTTP/1.1 201 Created");
        }
    });
    ground.ends("0.0.2");
}

/// Somebody reloads nginx while it has long requests, and zdt drains a little later: nginx cuts them at its own limit,
/// which began before the drain. They are lost, and no drain says that all is well. The limit is long enough for a machine
/// that stands still for some seconds between the reload and the drain.
#[test]
fn nginx_cuts_workers_that_were_leaving_before() {
    let sandbox = Sandbox::new("cut");
    let compose = include_str!("../common/own_compose.yml").replace("shutdown_timeout 90s", "shutdown_timeout 20s");
    sandbox.write("app/docker-compose.yml", &compose);
    let image = "zdt/sample-app:0.0.1";
    let env = format!("WEB_PORT={}\nAPP_1_IMAGE={image}\nAPP_2_IMAGE={image}\n", sandbox.port);
    sandbox.write("app/.env", &env);
    let app = format!(
        "compose app/docker-compose.yml project={}\n\
         proxy nginx service=proxy template={}/docker/nginx/default.conf.hbs config=app/nginx/default.conf\n\
         backend app_1 port=3000 health=/ping set=APP_1_IMAGE\n\
         backend app_2 port=3000 health=/ping set=APP_2_IMAGE\n",
        sandbox.project,
        repository().display()
    );
    let app = sandbox.write("app.zdt", &app).display().to_string();
    sandbox.plain(&["-f", &app, "-c", "up; await healthy $backends"]).ok();
    let requests = slow(&sandbox, 60);
    let before = workers(&sandbox);
    let proxy = sandbox.container("proxy").id;
    let ages = || {
        let text = sandbox.docker(&["top", &proxy, "-eo", "pid,etimes,args"]);
        let of = text.lines().filter(|line| line.contains("nginx: worker process"));
        let age = |line: &str| {
            let mut words = line.split_whitespace();
            Some((words.next()?.to_string(), words.next()?.parse::<u32>().ok()?))
        };
        of.filter_map(age).collect::<Vec<_>>()
    };
    // The engine counts whole seconds.
    await_fact("workers of another second", || {
        ages().iter().all(|(_, age)| *age >= 2).then_some(())
    });
    sandbox.docker(&["exec", &proxy, "nginx", "-s", "reload"]);
    await_fact("somebody's reload, two seconds ago", || {
        let new = ages().into_iter().find(|(pid, age)| !before.contains(pid) && *age >= 2);
        new.map(drop)
    });
    let run = sandbox.plain(&["-f", &app, "-c", "drain app_1 timeout=19s"]).exits(3);
    run.says("nginx cut its last requests after 20s")
        .says("app_1 serves again");
    drop(requests);
}

/// Nobody is served until it is back, so nothing is waited for any longer.
#[test]
fn the_proxy_is_stopped_meanwhile() {
    let ground = Ground::new("stopped");
    let recipe = ground.recipe(&USUAL);
    let before = workers(&ground.sandbox);
    let requests = slow(&ground.sandbox, 25);
    let run = ground.start(&recipe, "0.0.2");
    await_fact("the first reload", || {
        (workers(&ground.sandbox).len() > before.len()).then_some(())
    });
    let now = || {
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_millis()
    };
    let from = now();
    ground
        .sandbox
        .docker(&["stop", "-t", "1", &ground.sandbox.container("proxy").id]);
    let run = run
        .wait()
        .exits(3)
        .says("is not running")
        .says("had been stopped: started it");
    assert!(!run.stdout.contains("not drained after"), "{}", run.stdout);
    drop(requests);
    let times = format!("{from}\n{}", now());
    lost_within(&ground.ends_with_losses("0.0.1"), &times);
}
