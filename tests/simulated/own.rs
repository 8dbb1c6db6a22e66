//! A compose file of the user's own: the images stand in `.env`, and any fault leaves that and the containers agreeing.

use zdt::exec::Outcome;
use zdt::world::Files;
use zdt::world::simulated::{Answers, Behaviour, Image, ImageKind};

use crate::matrix::{Subject, upgrade_of};
use crate::shop::{DIR, NEW, OLD, Shop};

const COMPOSE: &str = "/srv/shop/docker-compose.yml";
const ENV: &str = "/srv/shop/.env";

fn read(shop: &Shop, path: &str) -> String {
    String::from_utf8(shop.world.read(path.as_ref()).unwrap()).unwrap()
}

fn env(version: &str) -> String {
    format!(
        "# mine\nAPP_1_IMAGE=zdt/sample-app:{version} # the first\nOTHER=kept\nAPP_2_IMAGE=zdt/sample-app:{version}\n"
    )
}

/// The shop as if its owner had written the compose file.
fn own() -> Shop {
    let shop = Shop::with(&["app_1", "app_2"]);
    let mut text = read(&shop, COMPOSE);
    for variable in ["${APP_1_IMAGE}", "${APP_2_IMAGE}"] {
        text = text.replacen("image: zdt/sample-app:0.0.1", &format!("image: {variable}"), 1);
    }
    shop.world.someone_writes(COMPOSE, text);
    shop.world.someone_writes(ENV, env(OLD));
    shop.world.publish(Image::app("zdt/sample-app:0.0.2"));
    let ill = Behaviour {
        answers: Answers::Unhealthy,
        ..Behaviour::default()
    };
    shop.world
        .publish(Image::new("zdt/sample-app:ill", ImageKind::App(ill)));
    shop.at_rest().unwrap();
    shop
}

fn moved(image: &str, end: Outcome, step: usize) {
    let text = format!(
        "compose {COMPOSE} project=zerodowntime\n\
         proxy nginx service=proxy template=/docker/nginx/default.conf.hbs config={DIR}/nginx/default.conf\n\
         backend app_1 port=3000 health=/ping set=APP_1_IMAGE\nbackend app_2 port=3000 health=/ping set=APP_2_IMAGE\n\
         param version\nparam dir\n\
         task move {{\npull {image}\nfor app in $backends {{\ndrain $app\nrecreate $app image={image}\n\
         await healthy $app timeout=10s\nenable $app\n}}\n}}\n"
    );
    let is = |shop: &Shop, version: &str| match read(shop, ENV) == env(version) {
        true => shop.is_all(version),
        false => Err(format!("`.env` is {}", read(shop, ENV))),
    };
    let runs = Subject {
        run: &|shop| shop.run_text(&text),
        end,
        old: &|shop| is(shop, OLD),
        new: &|shop| is(shop, NEW),
        ..upgrade_of(own())
    }
    .every(step);
    println!("{runs} runs");
}

#[test]
fn any_fault_in_an_upgrade() {
    moved("zdt/sample-app:0.0.2", Outcome::Done, 11);
}

#[test]
fn any_fault_on_the_way_back() {
    moved("zdt/sample-app:ill", Outcome::RolledBack, 11);
}
