//! Templates of the user's own.

use crate::common::{Sandbox, repository};
use crate::shop::{refused, shop};

/// The shipped compose template and proxy template, changed by the test; gives the recipe.
fn recipe(
    sandbox: &Sandbox,
    name: &str,
    compose: impl Fn(String) -> String,
    proxy: impl Fn(String) -> String,
) -> String {
    let read =
        |path: &str| std::fs::read_to_string(repository().join("docker").join(path)).expect("it is in the repository");
    sandbox.write(
        &format!("{name}/compose.yml.hbs"),
        &compose(read("docker-compose.yml.hbs")),
    );
    sandbox.write(
        &format!("{name}/default.conf.hbs"),
        &proxy(read("nginx/default.conf.hbs")),
    );
    let app = std::fs::read_to_string(repository().join("recipes/app.zdt")).expect("it is in the repository");
    let app = app
        .replace("../docker/docker-compose.yml.hbs", "compose.yml.hbs")
        .replace("../docker/nginx/", "");
    let steps =
        "\ntask move { drain app_1; recreate app_1 image=zdt/sample-app:0.0.2; await healthy app_1; enable app_1 }\n";
    sandbox
        .write(&format!("{name}/recipe.zdt"), &(app + steps))
        .display()
        .to_string()
}

fn same(text: String) -> String {
    text
}

#[test]
fn that_are_broken() {
    let shop = shop();
    let broken = recipe(&shop, "broken", |text| text.replace("{{/each}}", "{{/eech}}"), same);
    refused(&shop, "template-broken", 2, || shop.zdt(&[&broken]));
    std::fs::remove_file(shop.home().join("broken/compose.yml.hbs")).expect("it is there");
    refused(&shop, "template-missing", 2, || shop.zdt(&[&broken]));
}

#[test]
fn that_ask_for_what_does_not_exist() {
    let shop = shop();
    let compose = recipe(
        &shop,
        "unknown",
        |text| text.replace("{{db_image}}", "{{db_imge}}"),
        same,
    );
    refused(&shop, "template-unknown", 5, || shop.zdt(&[&compose]));
    let proxy = recipe(&shop, "unknown-proxy", same, |text| {
        text.replace("{{name}} 256k", "{{nam}} 256k")
    });
    refused(&shop, "template-unknown-proxy", 5, || shop.zdt(&[&proxy]));
}

#[test]
fn without_the_private_server() {
    let shop = shop();
    let recipe = recipe(&shop, "public", same, |text| text.replace("{{{private_server}}}", ""));
    refused(&shop, "template-no-private-server", 5, || shop.zdt(&[&recipe]));
}

#[test]
fn without_a_declared_service() {
    let sandbox = Sandbox::new("lacking");
    let recipe = recipe(
        &sandbox,
        "lacking",
        |text| text.replace("  {{service}}:", "  {{service}}_x:"),
        same,
    );
    refused(&sandbox, "no-service", 5, || {
        sandbox.zdt(&["-c", "up image=zdt/sample-app:0.0.1", "-f", &recipe])
    });
}

/// It renders and nginx does not take it: the good one stays, in the file and in the running nginx.
#[test]
fn that_nginx_refuses() {
    let shop = shop();
    let recipe = recipe(&shop, "invalid", same, |text| {
        text.replace("proxy_http_version 1.1;", "proxy_http_version 1.1")
    });
    refused(&shop, "nginx-refuses", 5, || shop.zdt(&[&recipe]));
    shop.assert_all_enabled();
}

/// nginx would read the next word in its place.
#[test]
fn a_value_that_is_empty() {
    let shop = shop();
    let recipe = recipe(&shop, "empty", same, |text| {
        text.replace("location / {", "location {{health}}{{compose_command}} {")
    });
    refused(&shop, "template-empty", 5, || shop.zdt(&[&recipe]));
}

/// A value that would end its place in the file and begin something else.
#[test]
fn a_value_that_means_something_in_the_file() {
    let shop = shop();
    refused(&shop, "template-value", 5, || {
        shop.zdt(&[
            "recipes/provision.zdt",
            "--set",
            "version=0.0.1",
            "--set",
            "db_image=redis\n  evil: true",
        ])
    });
}
