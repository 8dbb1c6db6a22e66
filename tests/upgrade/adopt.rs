//! An application that somebody has brought up with plain compose and an nginx file of their own, and a recipe for it.

use std::path::PathBuf;

use zdt::probe::Stream;

use crate::common::{Action, Run, Running, Sandbox, Shim, Traffic, repository};

const COMPOSE: &str = include_str!("../common/own_compose.yml");

/// What nginx has before zdt comes.
const THEIRS: &str = "upstream web {\n    server app_1:3000;\n    server app_2:3000;\n}\nserver {\n    listen 80;\n    \
                      keepalive_min_timeout 10s;\n    location / {\n        proxy_pass http://web;\n        proxy_http_version 1.1;\n        \
                      proxy_set_header Connection \"\";\n    }\n}\n";

pub struct Shop {
    pub sandbox: Sandbox,
    pub recipe: String,
}

impl Shop {
    /// At 0.0.1 and serving, and zdt has never been there.
    pub fn new(name: &str) -> Shop {
        Self::with(name, COMPOSE, THEIRS)
    }

    fn with(name: &str, compose: &str, theirs: &str) -> Shop {
        let sandbox = Sandbox::new(name);
        sandbox.write("app/docker-compose.yml", compose);
        let image = "zdt/sample-app:0.0.1";
        let env = format!("WEB_PORT={}\nAPP_1_IMAGE={image}\nAPP_2_IMAGE={image}\n", sandbox.port);
        sandbox.write("app/.env", &env);
        sandbox.write("app/nginx/default.conf", theirs);
        sandbox.compose(&["up", "-d"]);
        let serves = format!("await http {}", sandbox.url("/ping"));
        sandbox.plain(&["-c", &serves]).ok();
        let shipped =
            std::fs::read_to_string(repository().join("docker/nginx/default.conf.hbs")).expect("it is shipped");
        sandbox.write("app/site.conf.hbs", &shipped.replace("http://backend", "http://web"));
        let recipe = format!(
            "param version = 0.0.2\n\
             compose docker-compose.yml project={}\n\
             proxy nginx service=proxy template=site.conf.hbs config=nginx/default.conf\n\
             backend app_1 port=3000 health=/ping set=APP_1_IMAGE upstream=web\n\
             backend app_2 port=3000 health=/ping set=APP_2_IMAGE upstream=web\n\
             task upgrade {{ for app in $backends {{ drain $app; recreate $app image=zdt/sample-app:$version; \
             await healthy $app contains=@$version; enable $app }} }}\n",
            sandbox.project
        );
        let recipe = sandbox.write("app/deploy.zdt", &recipe).display().to_string();
        Shop { sandbox, recipe }
    }

    pub fn say(&self, words: &str) -> Run {
        self.sandbox.plain(&["-f", &self.recipe, "-c", words])
    }

    /// A third backend is declared, in the compose file and in the recipe.
    pub fn gets_a_third(&self) {
        let second = "  app_2:\n    image: ${APP_2_IMAGE}\n";
        let third = second.replace("app_2", "app_3").replace("APP_2", "APP_3");
        self.changed("docker-compose.yml", second, &format!("{third}{second}"));
        let third = "backend app_3 port=3000 health=/ping set=APP_3_IMAGE upstream=web\n";
        self.changed("deploy.zdt", "backend app_2 ", &format!("{third}backend app_2 "));
    }

    /// The recipe, or the template, with one text in the place of another.
    pub fn changed(&self, file: &str, from: &str, to: &str) -> PathBuf {
        let text = self.sandbox.read(file);
        assert!(text.contains(from), "{text}");
        self.sandbox.write(&format!("app/{file}"), &text.replace(from, to))
    }
}

#[test]
fn it_is_taken_over_moved_and_brought_back() {
    let shop = Shop::new("adopt");
    let sandbox = &shop.sandbox;
    let traffic = Traffic::start(sandbox);
    sandbox.plain(&[&shop.recipe]).exits(5).says("up adopt=true");
    shop.say("up").exits(5).says("was not written by zdt");
    let status = sandbox.plain(&["status", &shop.recipe]).ok();
    assert!(!status.stdout.contains("unhealthy"), "{}", status.stdout);
    shop.say("up adopt=true").ok().says("default.conf.before-zdt-1");
    assert_eq!(sandbox.read(".zdt/default.conf.before-zdt-1"), THEIRS);
    shop.say("up").ok().says("all is there already");
    sandbox.plain(&[&shop.recipe]).ok();
    sandbox.assert_version("0.0.2");
    let dir = sandbox.dir.display().to_string();
    sandbox.plain(&["rollback", "--dir", &dir]).ok();
    sandbox.assert_version("0.0.1");
    traffic.assert_no_failures();
}

/// A step behind it fails: all is as it was, their configuration too.
#[test]
fn what_fails_later_gives_it_back() {
    let shop = Shop::new("given-back");
    let sandbox = &shop.sandbox;
    let traffic = Traffic::start(sandbox);
    let steps = "up adopt=true; drain app_1; recreate app_1 image=zdt/sample-app:0.0.3-dies; await healthy app_1";
    shop.say(steps).exits(3).says("the proxy's own configuration");
    assert_eq!(sandbox.read("nginx/default.conf"), THEIRS);
    sandbox.assert_version("0.0.1");
    shop.say("up").exits(5).says("was not written by zdt");
    traffic.assert_no_failures();
}

/// Whoever serves under a name that the recipe has no more is not dropped.
#[test]
fn a_backend_that_has_got_another_name_serves_on() {
    let shop = Shop::new("renamed");
    shop.say("up adopt=true").ok();
    let traffic = Traffic::start(&shop.sandbox);
    shop.changed("deploy.zdt", "backend app_2 ", "backend web_2 service=app_2 ");
    shop.say("up").exits(5).says("nginx sends requests to `app_2`");
    assert!(!shop.sandbox.config().contains(" down"));
    traffic.assert_no_failures();
}

/// nginx refuses what the template makes: theirs comes back, and serves all the time.
#[test]
fn what_nginx_refuses_is_not_adopted() {
    let shop = Shop::new("unadopted");
    let traffic = Traffic::start(&shop.sandbox);
    shop.changed("site.conf.hbs", "keepalive 32;", "keepalive thirty-two;");
    shop.say("up adopt=true").exits(3).says("thirty-two");
    assert_eq!(shop.sandbox.read("nginx/default.conf"), THEIRS);
    traffic.assert_no_failures();
}

/// Declarations that look well and are not: a drain would take nobody out of traffic, an upgrade would change nothing, a
/// reload would send everybody to a closed port, or drop a backend.
#[test]
fn what_does_not_fit_is_refused_before_anything_is_touched() {
    let shop = Shop::new("unfit");
    shop.say("up adopt=true").ok();
    let traffic = Traffic::start(&shop.sandbox);
    let template = shop.sandbox.read("site.conf.hbs");
    let cases = [
        (
            "site.conf.hbs",
            "server {{{server}}};",
            "server {{name}}:3000;",
            "does not list `app_1`",
        ),
        (
            "deploy.zdt",
            "set=APP_2_IMAGE",
            "set=APP_2IMAGE",
            "did you mean `set=APP_2_IMAGE`",
        ),
        (
            "site.conf.hbs",
            "proxy_pass http://web;",
            "set $there app_1:3000; proxy_pass http://$there;",
            "reaches `app_1` by another way",
        ),
        (
            "deploy.zdt",
            "set=APP_2_IMAGE",
            "",
            "`docker-compose.yml` has no template",
        ),
        (
            "docker-compose.yml",
            "${APP_2_IMAGE}",
            "zdt/sample-app:0.0.1",
            "`set=APP_2_IMAGE` does not change",
        ),
        (
            "deploy.zdt",
            "app_2 port=3000",
            "app_2 port=8000",
            "nothing listens at its port 8000",
        ),
        (
            "deploy.zdt",
            "backend app_2 ",
            "backend web_2 service=app_2 ",
            "nginx sends requests to `app_2`",
        ),
    ];
    for (file, from, to, said) in cases {
        let before = shop.sandbox.read(file);
        shop.changed(file, from, to);
        let run = shop.sandbox.plain(&[&shop.recipe]).exits(5);
        let told = run.stderr.replace(&format!("{}/", shop.sandbox.dir.display()), "");
        assert!(told.contains(said), "{from} → {to}: {}", run.stderr);
        shop.sandbox.write(&format!("app/{file}"), &before);
    }
    assert_eq!(shop.sandbox.read("site.conf.hbs"), template);
    shop.sandbox.assert_version("0.0.1");
    traffic.assert_no_failures();
}

/// What a plan that begins with `up` could not be refused for before, it is before its first drain.
#[test]
fn a_plan_that_brings_the_application_up_is_looked_at_as_well() {
    let shop = Shop::new("late");
    shop.say("up adopt=true").ok();
    let traffic = Traffic::start(&shop.sandbox);
    let other = "server { listen 8080; location / { proxy_pass http://app_1:3000; } }\n";
    shop.sandbox.write("app/nginx/other.conf", other);
    shop.say("up; upgrade").exits(5).says("reaches `app_1` by another way");
    shop.sandbox.assert_version("0.0.1");
    traffic.assert_no_failures();
}

/// A template may leave out who is not in traffic, and add what it likes to the others.
#[test]
fn a_template_lists_only_those_that_serve() {
    let shop = Shop::new("enabled");
    let before = "# before: upstream web { server app_1:3000; server app_2:3000; }\nupstream {{";
    shop.changed("site.conf.hbs", "upstream {{", before);
    let listed = "{{#if enabled}}server   {{{server}}} weight=2;{{/if}}";
    shop.changed("site.conf.hbs", "server {{{server}}};", listed);
    shop.say("up adopt=true").ok();
    let traffic = Traffic::start(&shop.sandbox);
    shop.sandbox.plain(&[&shop.recipe]).ok();
    shop.sandbox.assert_version("0.0.2");
    traffic.assert_no_failures();
}

/// Who is marked down in their file is not put into traffic.
#[test]
fn a_server_that_is_down_stays_down() {
    let down = THEIRS.replace("server app_2:3000;", "server app_2:3000 down;");
    let shop = Shop::with("down", COMPOSE, &down);
    shop.say("up adopt=true").ok().says("not in traffic yet: app_2");
    assert!(shop.sandbox.config().contains("app_2:3000 resolve down;"));
    let status = shop.sandbox.plain(&["status", &shop.recipe]).ok();
    assert!(!status.stdout.contains("drift"), "{}", status.stdout);
}

/// What an override adds would be gone from the next container.
#[test]
fn an_application_of_several_files_is_refused() {
    let shop = Shop::new("override");
    let more = "services: { app_1: { environment: { APP_GRACEFUL: '1' } } }\n";
    shop.sandbox.write("app/docker-compose.override.yml", more);
    let both = [
        "-f",
        "docker-compose.yml",
        "-f",
        "docker-compose.override.yml",
        "up",
        "-d",
        "app_1",
    ];
    shop.sandbox.compose(&both);
    shop.say("up adopt=true").exits(5).says("several compose files");
}

/// A backend that comes new beside others serves nobody until somebody says so.
#[test]
fn a_new_backend_is_not_in_traffic_by_itself() {
    let shop = Shop::new("third");
    shop.say("up adopt=true").ok();
    let traffic = Traffic::start(&shop.sandbox);
    shop.gets_a_third();
    shop.say("up image=zdt/sample-app:0.0.3-never")
        .ok()
        .says("not in traffic yet: app_3");
    shop.say("await healthy app_3 timeout=2s; enable app_3").exits(3);
    traffic.assert_no_failures();
}

/// An nginx that resolves names only when it reads its file starts and reloads also while a drained backend has no
/// container: zdt was killed while it was replaced.
#[test]
fn an_nginx_that_resolves_names_once_starts_without_a_drained_backend() {
    let compose = COMPOSE.replace("zdt/nginx:new", "zdt/nginx:old");
    let shop = Shop::with("names", &compose, &THEIRS.replace("keepalive_min_timeout 10s;", ""));
    let sandbox = &shop.sandbox;
    // A name that no variable of nginx could have.
    shop.changed("deploy.zdt", "backend app_2 ", "backend app-2 service=app_2 ");
    shop.say("up adopt=true").ok();
    let shim = Shim::new(sandbox).on("docker-compose*force-recreate*", 1, Action::kill_zdt_before());
    let mut killed = sandbox.bare(&[&shop.recipe]);
    shim.stand_before(&mut killed);
    Running::start(killed, None).wait();
    sandbox.docker(&["rm", "-f", &sandbox.container("app_1").id]);
    sandbox.docker(&["restart", "-t", "2", &sandbox.container("proxy").id]);
    let serves = format!("await http {} timeout=20s", sandbox.url("/ping"));
    sandbox.plain(&["-c", &serves]).ok();
    let dir = sandbox.dir.display().to_string();
    let back = ["rollback", "--dir", &dir, "--lock-wait", "60s"];
    sandbox.plain(&back).ok().says("rolled back in");
    sandbox.assert_version("0.0.1");
    let traffic = Traffic::start(sandbox);
    sandbox.plain(&[&shop.recipe]).ok();
    sandbox.assert_version("0.0.2");
    // Kept connections may be reset by this nginx, as zdt warns.
    traffic.assert_none_failed_of(&[Stream::Fresh, Stream::Post]);
}
