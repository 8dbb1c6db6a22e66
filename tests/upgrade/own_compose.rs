//! A compose file of the user's own: zdt changes variables in `.env` and nothing else.

use crate::common::{Running, Sandbox, Traffic, repository};

const COMPOSE: &str = include_str!("../common/own_compose.yml");

#[test]
fn its_variables_move_and_the_rest_stays() {
    let sandbox = Sandbox::new("own");
    sandbox.write("app/docker-compose.yml", COMPOSE);
    let env = format!(
        "# mine\nWEB_PORT={}\nAPP_1_IMAGE=zdt/sample-app:0.0.1\nAPP_2_IMAGE=zdt/sample-app:0.0.1\nOTHER=kept\n",
        sandbox.port
    );
    sandbox.write("app/.env", &env);
    let recipe = format!(
        "compose app/docker-compose.yml project={}\n\
         proxy nginx service=proxy template={}/docker/nginx/default.conf.hbs config=app/nginx/default.conf\n\
         backend app_1 port=3000 health=/ping set=APP_1_IMAGE\n\
         backend app_2 port=3000 health=/ping set=APP_2_IMAGE\n\
         param version = 0.0.2\n\
         task begin {{ up; await healthy $backends }}\n\
         task upgrade {{\n\
         for app in $backends {{ drain $app; recreate $app image=zdt/sample-app:$version; \
         await healthy $app contains=@$version; enable $app }}\n\
         }}\n",
        sandbox.project,
        repository().display()
    );
    let recipe = sandbox.write("own.zdt", &recipe).display().to_string();
    sandbox.plain(&[&recipe, "begin"]).ok();
    sandbox.assert_version("0.0.1");

    let traffic = Traffic::start(&sandbox);
    // It would come before `.env`: found out before anything is touched, and by a dry run.
    for dry in [&[][..], &["--dry-run"]] {
        let mut hidden = sandbox.bare(&[&[recipe.as_str(), "upgrade"][..], dry].concat());
        hidden.env("APP_1_IMAGE", "zdt/sample-app:0.0.1");
        Running::start(hidden, None).wait().exits(5).says("`unset APP_1_IMAGE`");
    }
    assert_eq!(sandbox.read(".env"), env);

    sandbox.plain(&[&recipe, "upgrade"]).ok();
    traffic.assert_no_failures();
    sandbox.assert_version("0.0.2");
    assert_eq!(sandbox.read(".env"), env.replace("0.0.1", "0.0.2"));
    assert_eq!(sandbox.read("docker-compose.yml"), COMPOSE);

    let before = sandbox.containers();
    sandbox.compose(&["up", "-d"]);
    assert_eq!(sandbox.containers(), before);
}

/// The README's application as it stands there, but for names that only its user has: images, ports, a health path. The
/// sample application wants a database, too.
#[test]
fn the_one_of_the_readme() {
    let sandbox = Sandbox::new("readme");
    let readme = std::fs::read_to_string(repository().join("README.md")).expect("it is there");
    let block = |language: &str, about: &str| {
        let fence = format!("```{language}\n");
        let mut blocks = readme.split(&fence).skip(1);
        let found = blocks.find_map(|rest| rest.split("```").next().filter(|block| block.contains(about)));
        found
            .unwrap_or_else(|| panic!("no {language} with {about}"))
            .to_string()
    };
    let compose = block("yaml", "SHOP_1_IMAGE")
        .replace(
            "services:\n",
            "services:\n  db: { image: zdt/redis:debian, restart: always }\n",
        )
        .replace("nginx:1.29", "zdt/nginx:new")
        .replace("80:80", &format!("{}:80", sandbox.port));
    sandbox.write("app/docker-compose.yml", &compose);
    let recipe = block("zdt", "shop.conf.hbs")
        .replace("registry.example.com/shop", "zdt/sample-app")
        .replace("project=shop", &format!("project={}", sandbox.project))
        .replace("port=8000 health=/health", "port=3000 health=/ping");
    let recipe = sandbox.write("app/deploy.zdt", &recipe).display().to_string();
    sandbox.write("app/shop.conf.hbs", &block("nginx", "private_server"));

    let first = sandbox
        .plain(&["-f", &recipe, "-c", "up image=zdt/sample-app:0.0.1"])
        .ok();
    assert!(!first.stdout.contains("  ! "), "{}", first.stdout);
    sandbox.plain(&["-f", &recipe, "-c", "await healthy $backends"]).ok();
    let traffic = Traffic::start(&sandbox);
    sandbox.plain(&[&recipe, "--set", "version=0.0.2"]).ok();
    traffic.assert_no_failures();
    let status = sandbox.plain(&["status", &recipe]).ok();
    for shop in ["shop_1", "shop_2"] {
        let line = format!("{shop}   zdt/sample-app:0.0.2");
        assert!(status.stdout.contains(&line), "{}", status.stdout);
    }
    assert!(!status.stdout.contains("drift"), "{}", status.stdout);
}
