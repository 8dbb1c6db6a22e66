//! The recipes that are held against each other, one after the other on the same application.

use crate::account::{Account, difference, stable};
use crate::common::{Builder, Compose, Sandbox, repository};
use crate::planned::planned;
use crate::real;
use crate::simulated::Twin;

const PROVISION: &str = "recipes/provision.zdt";
const UPGRADE: &str = "recipes/upgrade.zdt";

#[test]
fn an_upgrade_and_what_can_become_of_it() {
    let mut both = Both::new(Sandbox::named("parity"));
    both.agree("a first provision", PROVISION, "0.0.1");
    both.agree("a second one, which changes nothing", PROVISION, "0.0.1");
    // Between a drain and the new container.
    both.killed_before(UPGRADE, "0.0.2", "--force-recreate --pull never app_1");
    both.resumed();
    both.rolled_back();
    both.agree("an upgrade", UPGRADE, "0.0.2");
    both.worlds_agree("an image that dies, and back", UPGRADE, "0.0.3-dies", 3);
    both.worlds_agree("an image that does not exist", UPGRADE, "9.9.9", 3);
    both.assert();
}

#[test]
fn verbs_of_containers_and_files() {
    let mut both = Both::new(Sandbox::named("verbs"));
    both.worlds_agree("a provision", PROVISION, "0.0.1", 0);
    let verbs = both.recipe(
        "verbs.zdt",
        "drain app_1
         stop app_1
         start app_1
         await healthy app_1
         enable app_1
         drain app_2
         restart app_2
         await healthy app_2 for=200ms
         enable app_2
         exec proxy nginx -v
         mkdir $dir/more
         copy page.html $dir/html/unavailable.html overwrite=true
         copy page.html $dir/more/page.html
         render page.html $dir/more/rendered.html
         say \"that was $version\"",
    );
    both.write("page.html", "<p>of {{project}}</p>\n");
    both.agree("verbs", &verbs, "0.0.1");
    let fails = both.recipe(
        "fails.zdt",
        "drain app_1
         recreate app_1 image=$repo:$version
         copy other.html $dir/html/unavailable.html overwrite=true
         fail \"no more\"",
    );
    both.write("other.html", "<p>another</p>\n");
    both.worlds_agree("a run that fails in the middle", &fails, "0.0.2", 3);
    let down = both.recipe("down.zdt", "down allow=downtime volumes=true");
    both.agree("down", &down, "0.0.1");
    both.assert();
}

#[test]
fn an_old_compose_and_an_old_proxy() {
    let mut both = Both::new(Sandbox::named("old").compose(Compose::V1).old_proxy());
    // No plan of it: which nginx is in an image that never ran here is not known before.
    both.worlds_agree("a provision", PROVISION, "0.0.1", 0);
    both.agree("an upgrade", UPGRADE, "0.0.2");
    both.assert();
}

const OWN_COMPOSE: &str = include_str!("../common/own_compose.yml");

/// Names instead of pinned addresses, and variables in `.env` instead of a template.
#[test]
fn a_compose_file_of_the_users_own() {
    let mut both = Both::new(Sandbox::named("own"));
    both.write("app/docker-compose.yml", OWN_COMPOSE);
    let image = "zdt/sample-app:0.0.1";
    let port = both.sandbox.port;
    let env = format!("WEB_PORT={port}\nAPP_1_IMAGE={image}\nAPP_2_IMAGE={image}\n");
    both.write("app/.env", &env);
    let declared = format!(
        "param dir path\nparam project\nparam http_port int\nparam proxy_image\nparam version\n\
         compose $dir/docker-compose.yml project=$project\n\
         proxy nginx service=proxy template={}/docker/nginx/default.conf.hbs config=$dir/nginx/default.conf\n\
         backend app_1 port=3000 health=/ping set=APP_1_IMAGE\n\
         backend app_2 port=3000 health=/ping set=APP_2_IMAGE\n",
        repository().display()
    );
    let begin = both.write("begin.zdt", &format!("{declared}up\nawait healthy $backends\n"));
    let upgrade = both.write(
        "upgrade.zdt",
        &format!(
            "{declared}for app in $backends {{\ndrain $app\nrecreate $app image=zdt/sample-app:$version\n\
             await healthy $app contains=@$version\nenable $app\n}}\n"
        ),
    );
    both.agree("a beginning", &begin, "0.0.1");
    both.agree("an upgrade", &upgrade, "0.0.2");
    both.assert();
}

/// The same application in both worlds, and what was found different between them.
struct Both {
    sandbox: Sandbox,
    twin: Twin,
    differences: Vec<String>,
}

impl Both {
    fn new(builder: Builder) -> Self {
        let sandbox = builder.build();
        let twin = Twin::of(&sandbox);
        Self {
            sandbox,
            twin,
            differences: Vec::new(),
        }
    }

    /// A recipe of the test's own, with the shipped `app.zdt`.
    fn recipe(&self, name: &str, steps: &str) -> String {
        let app = repository().join("recipes/app.zdt");
        let text = format!("include {}\nparam version\n{steps}\n", app.display());
        self.write(name, &text)
    }

    /// A file beside the application, in both worlds.
    fn write(&self, name: &str, text: &str) -> String {
        let path = self.sandbox.write(name, text);
        self.twin.write(&path, text);
        path.display().to_string()
    }

    /// Plans a recipe, runs it, and runs it in the simulated world.
    #[track_caller]
    fn agree(&mut self, name: &str, recipe: &str, version: &str) {
        let before = self.sandbox.snapshot();
        let dry = real::run(&self.sandbox, &[recipe, "--set", &set(version), "--dry-run"], 0);
        assert_eq!(dry.deeds, "", "{name}: a dry run changed something");
        assert_eq!(self.sandbox.snapshot(), before, "{name}: a dry run changed something");
        let deeds = self.worlds_agree(name, recipe, version, 0);
        let plan = stable(&self.sandbox, &planned(&dry.events));
        let name = format!("{name}, as planned and as it went");
        self.differences
            .extend(difference(&name, &plan, &stable(&self.sandbox, &deeds)));
    }

    /// Runs a recipe in both worlds, and gives what was really done.
    #[track_caller]
    fn worlds_agree(&mut self, name: &str, recipe: &str, version: &str, code: i32) -> String {
        let seen = real::run(&self.sandbox, &[recipe, "--set", &set(version)], code);
        let deeds = seen.deeds.clone();
        let simulated = self.twin.run(&self.sandbox, recipe, version);
        self.compare(name, seen, &simulated);
        deeds
    }

    /// Begins a recipe in both worlds, and kills zdt just before a call.
    #[track_caller]
    fn killed_before(&mut self, recipe: &str, version: &str, call: &str) {
        let args = [recipe, "--set", &set(version)];
        let pattern = format!("*{}*", call.replace(' ', "\\ "));
        let seen = real::killed(&self.sandbox, &args, &pattern);
        let simulated = self.twin.killed(&self.sandbox, recipe, version, call);
        let [real, simulated] = [&seen.deeds, &simulated].map(|deeds| stable(&self.sandbox, deeds));
        self.differences.extend(difference("a killed run", &real, &simulated));
    }

    #[track_caller]
    fn resumed(&mut self) {
        let dir = self.sandbox.dir.display().to_string();
        let seen = real::run(&self.sandbox, &["resume", "--dir", &dir], 0);
        let simulated = self.twin.resume(&self.sandbox);
        self.compare("a resumed run", seen, &simulated);
    }

    #[track_caller]
    fn rolled_back(&mut self) {
        let dir = self.sandbox.dir.display().to_string();
        let seen = real::run(&self.sandbox, &["rollback", "--dir", &dir], 0);
        let simulated = self.twin.rollback(&self.sandbox);
        self.compare("a rollback", seen, &simulated);
    }

    fn compare(&mut self, name: &str, seen: real::Seen, simulated: &Account) {
        let real = real::account(&self.sandbox, seen).text(&self.sandbox);
        let simulated = simulated.text(&self.sandbox);
        let name = format!("{name}, really and simulated");
        self.differences.extend(difference(&name, &real, &simulated));
    }

    #[track_caller]
    fn assert(&self) {
        assert!(self.differences.is_empty(), "{}", self.differences.join("\n"));
    }
}

fn set(version: &str) -> String {
    format!("version={version}")
}
