//! Templates by which a drained backend would go on getting requests are refused before anything is touched; what only
//! looks like that is not.

use zdt::exec::Outcome;

use crate::matrix::short;
use crate::shop::{NEW, OLD, Ran, Shop};

const TEMPLATE: &str = "/docker/nginx/default.conf.hbs";

/// What an upgrade says where the template has `more` before its private server; nothing where it ends well.
fn refusal(shop: &Shop, more: &str) -> Option<String> {
    let shop = shop.twin();
    let private = "{{{private_server}}}";
    let text = shop.file(TEMPLATE).replace(private, &format!("{more}\n{private}"));
    shop.world.someone_writes(TEMPLATE, text);
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
