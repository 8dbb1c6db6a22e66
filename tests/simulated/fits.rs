//! Templates by which a drained backend would go on getting requests, or lose those it has, are refused before anything is
//! touched; what only looks like that is not.

use zdt::exec::Outcome;

use crate::matrix::short;
use crate::shop::{NEW, OLD, Ran, Shop};

const TEMPLATE: &str = "/docker/nginx/default.conf.hbs";
/// nginx reads it beside zdt's.
const OTHER: &str = "/srv/shop/nginx/other.conf";

/// The template has `more` before its private server.
fn with(shop: &Shop, more: &str) -> Shop {
    let shop = shop.twin();
    let private = "{{{private_server}}}";
    let text = shop.file(TEMPLATE).replace(private, &format!("{more}\n{private}"));
    shop.world.someone_writes(TEMPLATE, text);
    shop
}

/// What an upgrade says then; nothing where it ends well.
fn refusal(shop: &Shop, more: &str) -> Option<String> {
    let shop = with(shop, more);
    match shop.upgrade() {
        Ran::Ended(Outcome::Done, _) => {
            let images = format!("{:?}", shop.picture().0);
            assert_eq!(images.matches(NEW).count(), 2, "{more}: {images}");
            None
        }
        Ran::Refused(failure) => {
            shop.is_all(OLD).unwrap();
            Some(failure.message)
        }
        ran => panic!("{more}: {}", short(&ran)),
    }
}

/// The shop, whose backends listen at this port.
fn at_port(port: &str) -> Shop {
    let shop = Shop::bare(vec!["app_1", "app_2"]);
    let app = shop
        .file("/recipes/app.zdt")
        .replace("port=$port", &format!("port={port}"));
    shop.world.someone_writes("/recipes/app.zdt", app);
    let ran = shop.run("/recipes/provision.zdt", OLD);
    assert!(matches!(ran, Ran::Ended(Outcome::Done, _)), "{}", short(&ran));
    shop
}

/// nginx would cut the requests that the drain still waits for, and the drain would be called a good one.
#[test]
fn a_drain_that_nginx_cuts_short() {
    let compose = "/docker/docker-compose.yml.hbs";
    let drained = |limit: &str| {
        let shop = Shop::bare(vec!["app_1", "app_2"]);
        let text = shop.file(compose).replace("timeout 90s;", &format!("timeout {limit};"));
        shop.world.someone_writes(compose, text);
        let ran = shop.run("/recipes/provision.zdt", OLD);
        assert!(matches!(ran, Ran::Ended(Outcome::Done, _)), "{limit}: {}", short(&ran));
        let steps = "drain app_1 timeout=120s; enable app_1";
        shop.run_text(&format!("include app.zdt\nparam version\ntask t {{ {steps} }}\n"))
    };
    let cut = "a drain may last 2m, but nginx cuts what its old workers still have after 90s";
    let unread = "`worker_shutdown_timeout 1.5m` of nginx is no time that zdt can read";
    for (limit, said) in [("1m30s", cut), ("'1m 30s'", cut), ("1.5m", unread)] {
        match drained(limit) {
            Ran::Refused(failure) => assert_eq!(failure.message, said),
            ran => panic!("{limit}: {}", short(&ran)),
        }
    }
    for limit in ["2m1s", "0"] {
        let ran = drained(limit);
        assert!(matches!(ran, Ran::Ended(Outcome::Done, _)), "{limit}: {}", short(&ran));
    }
}

#[test]
fn another_upstream_that_no_drain_reaches() {
    let (shop, at_80) = (Shop::up(), at_port("80"));
    let cases = [
        (&shop, "app_1:3000"),
        (&shop, "zerodowntime-app_1-1:3000"),
        (&shop, "app_1:3000 backup"),
        (&at_80, "app_1"),
    ];
    for (shop, server) in cases {
        let said = refusal(shop, &format!("upstream ws {{ server {server}; }}"));
        let wanted = format!("the proxy's template reaches `app_1` by another way as well: `server {server}`");
        assert_eq!(said, Some(wanted));
    }
    for listed in [
        "server app_1:3001;",
        "server app_1;",
        "server app_1:3000 down; server 127.0.0.1:9;",
        "{{#each upstreams}}{{#each servers}}server {{{server}}};{{/each}}{{/each}}",
    ] {
        let said = refusal(&shop, &format!("upstream ws {{ {listed} }}"));
        assert_eq!(said, None, "{listed}");
    }
}

/// By a variable, as an nginx needs it that shall start without the backend: with the port beside it or in it, from a map,
/// and one whose number only the request knows.
#[test]
fn a_way_past_the_upstream_by_a_variable() {
    let shop = Shop::up();
    let cases = [
        ("set $up app_1; proxy_pass http://$up:3000;", "set $up app_1"),
        ("set $p 3000; proxy_pass http://app_1:$p;", "set $p 3000"),
        ("proxy_pass http://$canary:3000;", "~1 app_1"),
        ("set $n $arg_n; proxy_pass http://app_$n:3000;", "set $n $arg_n"),
    ];
    let server = |inside: &str| {
        let table = "map $arg_x $canary { default 127.0.0.1; ~1 app_1; }";
        format!("{table}\nserver {{ listen 81; location / {{ {inside} }} }}")
    };
    for (inside, named) in cases {
        let said = refusal(&shop, &server(inside));
        let wanted = format!("the proxy's template reaches `app_1` by another way as well: `{named}`");
        assert_eq!(said, Some(wanted), "{inside}");
    }
    for inside in [
        "set $up app_1; proxy_pass http://$up:9100;",
        "set $name app_1; add_header x-name $name; proxy_pass http://backend;",
        "set $up backend; proxy_pass http://$up;",
        "proxy_pass http://$canary:9100;",
        "proxy_pass http://$host:3000;",
        "proxy_pass http://backend$uri;",
    ] {
        assert_eq!(refusal(&shop, &server(inside)), None, "{inside}");
    }
}

/// The same in a file that zdt does not write.
#[test]
fn a_way_past_the_upstream_in_another_file() {
    let shop = Shop::up();
    let other = "server { listen 81; location / { set $up app_1; proxy_pass http://$up:3000; } }\n";
    shop.world.someone_writes(OTHER, other);
    let said = refusal(&shop, "").expect("it is refused");
    let wanted = "the proxy reaches `app_1` by another way as well: `set $up app_1` at /etc/nginx/conf.d/other.conf:1";
    assert_eq!(said, wanted);
}

/// Half of it there and half of it in a template that is not installed yet.
#[test]
fn a_way_past_the_upstream_that_another_file_completes() {
    let shop = Shop::up();
    shop.world.someone_writes(OTHER, "map $arg_x $up { default app_1; }\n");
    let said = refusal(
        &shop,
        "server { listen 81; location / { proxy_pass http://$up:3000; } }",
    );
    let wanted = "the proxy's template reaches `app_1` by another way as well: `proxy_pass http://$up:3000`";
    assert_eq!(said.as_deref(), Some(wanted));
}
