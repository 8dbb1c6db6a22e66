//! A compose file of the user's own: the images stand in `.env`, and any fault leaves that and the containers agreeing.

use zdt::exec::Outcome;

use crate::matrix::{Subject, upgrade_of};
use crate::shop::{DIR, NEW, OLD, Shop};

const COMPOSE: &str = "/srv/shop/docker-compose.yml";
pub const ENV: &str = "/srv/shop/.env";

fn env(version: &str) -> String {
    format!(
        "# mine\nAPP_1_IMAGE=zdt/sample-app:{version} # the first\nOTHER=kept\nAPP_2_IMAGE=zdt/sample-app:{version}\n"
    )
}

/// The shop as if its owner had written the compose file.
pub fn own() -> Shop {
    let shop = Shop::with(&["app_1", "app_2"]);
    shop.offers();
    let mut text = shop.file(COMPOSE);
    for variable in ["${APP_1_IMAGE}", "${APP_2_IMAGE}"] {
        text = text.replacen("image: zdt/sample-app:0.0.1", &format!("image: {variable}"), 1);
    }
    shop.world.someone_writes(COMPOSE, text);
    shop.world.someone_writes(ENV, env(OLD));
    shop.at_rest().unwrap();
    shop
}

/// Its declarations, and one task.
pub fn recipe(steps: &str) -> String {
    format!(
        "compose {COMPOSE} project=zerodowntime\n\
         proxy nginx service=proxy template=/docker/nginx/default.conf.hbs config={DIR}/nginx/default.conf\n\
         backend app_1 port=3000 health=/ping set=APP_1_IMAGE\nbackend app_2 port=3000 health=/ping set=APP_2_IMAGE\n\
         param version\nparam dir\n\
         task move {{\n{steps}}}\n"
    )
}

fn moved(shop: Shop, rest: bool, image: &str, end: Outcome) {
    let text = recipe(&format!(
        "pull {image}\nfor app in $backends {{\ndrain $app\nrecreate $app image={image}\n\
         await healthy $app timeout=10s\nenable $app\n}}\n"
    ));
    let is = |shop: &Shop, version: &str| match shop.file(ENV) == env(version) {
        true => shop.is_all(version),
        false => Err(format!("`.env` is {}", shop.file(ENV))),
    };
    let runs = Subject {
        run: &|shop| shop.run_text(&text),
        end,
        old: &|shop| is(shop, OLD),
        new: &|shop| is(shop, NEW),
        rest,
        ..upgrade_of(shop)
    }
    .all();
    println!("{runs} runs");
}

#[test]
fn any_fault_in_an_upgrade() {
    moved(own(), true, "zdt/sample-app:0.0.2", Outcome::Done);
}

#[test]
fn any_fault_on_the_way_back() {
    moved(own(), true, "zdt/sample-app:ill", Outcome::RolledBack);
}

/// Its owner has changed a definition, and no container has it yet: whoever is brought back gets it, once.
#[test]
fn any_fault_on_the_way_back_with_an_edited_file() {
    let shop = own();
    let text = shop.file(COMPOSE);
    let edited = text.replace("APP_DB: db:6379", "APP_DB: db:6379\n      APP_CACHE: \"1\"");
    assert_ne!(text, edited);
    shop.world.someone_writes(COMPOSE, edited);
    moved(shop, false, "zdt/sample-app:ill", Outcome::RolledBack);
}
