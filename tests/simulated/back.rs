//! A rollback brings back more than images.

use zdt::exec::{Event, Outcome};
use zdt::world::simulated::Image;

use crate::machine::declared;
use crate::matrix::{Subject, short, upgrade_of};
use crate::own;
use crate::shop::{NEW, OLD, Ran, Shop};

const TEMPLATE: &str = "/docker/docker-compose.yml.hbs";
const PROXIED: &str = "include app.zdt\nparam version\n";

fn rolled_back(ran: &Ran) {
    assert!(matches!(ran, Ran::Ended(Outcome::RolledBack, _)), "{}", short(ran));
}

/// The template was changed: a container made from it is another, whatever its image.
#[test]
fn the_old_definition_comes_back_under_the_same_image() {
    let shop = Shop::with(&["app_1", "app_2"]);
    shop.offers();
    let template = shop.file(TEMPLATE);
    let changed = template.replace("APP_DB: db:6379", "APP_DB: db:6379\n      APP_CACHE: \"1\"");
    assert_ne!(template, changed);
    shop.world.someone_writes(TEMPLATE, changed);
    let text = format!(
        "{PROXIED}task upgrade {{\npull zdt/sample-app:ill\ndrain app_1\nrecreate app_1\nawait healthy app_1\n\
         enable app_1\ndrain app_2\nrecreate app_2 image=zdt/sample-app:ill\nawait healthy app_2 timeout=10s\n\
         enable app_2\n}}\n"
    );
    let runs = Subject {
        run: &|shop| shop.run_text(&text),
        end: Outcome::RolledBack,
        old: &|shop| shop.at_rest().and_then(|()| shop.is_all(OLD)),
        new: &|_| Err("an ill version cannot serve".to_string()),
        ..upgrade_of(shop)
    }
    .all();
    println!("{runs} runs");
}

/// What a step of the run has rendered into `.env` goes; a line that somebody adds meanwhile stays.
#[test]
fn a_rendered_env_comes_back_whole() {
    for added in ["", "MINE=1\n"] {
        let shop = own::own();
        let before = shop.file(own::ENV);
        shop.world.someone_writes(
            "/recipes/env.hbs",
            "APP_1_IMAGE=zdt/sample-app:0.0.1\nAPP_2_IMAGE=zdt/sample-app:0.0.1\nOTHER=new\n",
        );
        let text = own::recipe(&format!(
            "pull zdt/sample-app:ill\nrender env.hbs {}\ndrain app_1\nrecreate app_1 image=zdt/sample-app:ill\n\
             await healthy app_1 timeout=10s\nenable app_1\n",
            own::ENV
        ));
        shop.world.someone_writes(own::ENV, format!("{before}{added}"));
        let before = shop.file(own::ENV);
        rolled_back(&shop.run_text(&text));
        assert_eq!(shop.file(own::ENV), before);
        shop.is_all(OLD).unwrap();
    }
}

/// A backend that the run made beside the old ones leaves traffic again: nobody's requests went to it before.
#[test]
fn a_newcomer_leaves_traffic() {
    let mut shop = Shop::three();
    shop.run_text(&format!("{PROXIED}task out {{\ndrain app_3\n}}\n"));
    shop.docker("rm -f zerodowntime-app_3-1");
    shop.offers();
    let text = format!(
        "{PROXIED}task upgrade {{\npull zdt/sample-app:0.0.2\npull zdt/sample-app:ill\ndrain app_1\n\
         recreate app_1 image=zdt/sample-app:0.0.2\nawait healthy app_1\nenable app_1\nup app_3 image=zdt/sample-app:0.0.2\nawait healthy app_3\nenable app_3\ndrain app_2\n\
         recreate app_2 image=zdt/sample-app:ill\nawait healthy app_2 timeout=10s\nenable app_2\n}}\n"
    );
    let ran = shop.run_text(&text);
    rolled_back(&ran);
    shop.backends.retain(|name| *name != "app_3");
    shop.is_all(OLD).unwrap();
}

/// A set of images may know a backend that the recipe has dropped since, and not know one that is newer.
#[test]
fn a_set_of_other_backends_brings_back_those_it_has_in_common() {
    let mut shop = Shop::three();
    assert!(matches!(shop.upgrade(), Ran::Ended(Outcome::Done, _)));
    shop.run_text(&format!("{PROXIED}task out {{\ndrain app_3\n}}\n"));
    shop.world
        .someone_writes("/recipes/app.zdt", declared(&["app_1", "app_2", "app_4"]));
    shop.world.publish(Image::app("zdt/sample-app:0.0.10"));
    let image = "zdt/sample-app:0.0.10";
    let moved = |app| format!("drain {app}\nrecreate {app} image={image}\nawait healthy {app}\nenable {app}\n");
    let text = format!(
        "{PROXIED}task upgrade {{\npull {image}\nup image={image}\nawait healthy app_4\nenable app_4\n{}{}}}\n",
        moved("app_1"),
        moved("app_2"),
    );
    let ran = shop.run_text(&text);
    assert!(matches!(ran, Ran::Ended(Outcome::Done, _)), "{}", short(&ran));
    // First to how this run found things, with `app_4`; further back are sets with `app_3` and without `app_4`.
    shop.backends = vec!["app_1", "app_2"];
    let back = |_| {
        let ran = shop.back();
        let Ran::Ended(Outcome::Done, events) = &ran else {
            panic!("{}", short(&ran));
        };
        let serving = shop.picture().1.unwrap();
        assert_eq!(serving.values().sum::<usize>(), 3);
        let warned = |event: &&Event| matches!(event, Event::Warned { .. });
        events.iter().filter(warned).count()
    };
    let warnings: Vec<usize> = (0..3).map(back).collect();
    assert_eq!((warnings[0], warnings[2]), (0, 2), "{warnings:?}");
    let on_new = |of: &Vec<String>| *of == [format!("\"zdt/sample-app:{NEW}\" \"running\"")];
    assert!(shop.picture().0.values().all(on_new), "{:?}", shop.picture());
}
