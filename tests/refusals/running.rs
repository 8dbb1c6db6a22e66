//! What would hurt the users of an application that runs.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::common::{Sandbox, golden};
use crate::shop::{refused, shop, stable};

fn steps(steps: &str) -> Vec<&str> {
    vec!["-c", steps, "-f", "recipes/app.zdt"]
}

#[test]
fn the_last_backend_is_not_drained() {
    let shop = shop();
    refused(&shop, "drain-all", 5, || shop.zdt(&steps("drain app_1 app_2")));
    refused(&shop, "drain-second", 5, || {
        shop.zdt(&steps("drain app_1; drain app_2"))
    });
}

#[test]
fn a_backend_in_traffic_is_not_touched() {
    let shop = shop();
    refused(&shop, "recreate-enabled", 5, || {
        shop.zdt(&steps("recreate app_1 image=zdt/sample-app:0.0.2"))
    });
    refused(&shop, "stop-enabled", 5, || shop.zdt(&steps("stop app_1")));
    refused(&shop, "restart-enabled", 5, || shop.zdt(&steps("restart app_1")));
    refused(&shop, "down", 5, || shop.zdt(&steps("down")));
}

/// Nobody is there to ask.
#[test]
fn a_confirm_without_a_terminal() {
    let shop = shop();
    refused(&shop, "confirm", 5, || {
        shop.zdt(&steps("confirm 'really?'; drain app_1"))
    });
}

#[test]
fn a_health_path_that_redirects() {
    let shop = shop();
    refused(&shop, "redirect", 5, || {
        shop.zdt(&[&steps("await healthy app_1")[..], &["--set", "health=/old-ping"]].concat())
    });
    refused(&shop, "redirect-upgrade", 5, || {
        shop.zdt(&[
            "recipes/upgrade.zdt",
            "--set",
            "version=0.0.2",
            "--set",
            "health=/old-ping",
        ])
    });
}

#[test]
fn a_configuration_that_somebody_edited() {
    let sandbox = Sandbox::new("edited");
    sandbox.provision("0.0.1");
    let edited = format!("{}# by hand\n", sandbox.config());
    let path = sandbox.dir.join("nginx/default.conf");
    let file = std::fs::OpenOptions::new()
        .append(true)
        .open(&path)
        .and_then(|mut file| file.write_all(b"# by hand\n"));
    file.expect("it can be written");
    refused(&sandbox, "edited", 5, || sandbox.upgrade("0.0.2"));
    assert_eq!(sandbox.config(), edited);
}

/// A request that takes longer than the drain may (here until the test goes on with it): the backend serves again,
/// and the request is answered.
#[test]
fn a_drain_that_takes_too_long_is_taken_back() {
    let sandbox = Sandbox::new("long");
    sandbox.provision("0.0.1");
    let containers = sandbox.containers();
    let mut slow = TcpStream::connect(("127.0.0.1", sandbox.port)).expect("the proxy listens");
    let head = "POST /orders HTTP/1.1\r\nHost: shop\r\nConnection: close\r\nContent-Length: 4\r\n\
                Expect: 100-continue\r\n\r\n";
    slow.write_all(head.as_bytes()).expect("the proxy reads");
    let mut go_on = [0; 25];
    slow.read_exact(&mut go_on)
        .expect("a worker of the proxy has the request and answers");
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    let run = sandbox.zdt(&steps("drain app_1 timeout=1s"));
    golden("refusals/golden/drain-timeout.txt", &stable(&sandbox, &run));
    run.exits(3);
    sandbox.assert_all_enabled();
    assert_eq!(sandbox.containers(), containers);
    slow.write_all(b"slow").expect("the proxy reads");
    let mut answer = String::new();
    slow.read_to_string(&mut answer).expect("the answer is text");
    assert!(
        answer.starts_with("HTTP/1.1 201") && answer.contains("order slow app_"),
        "{answer}"
    );
}
