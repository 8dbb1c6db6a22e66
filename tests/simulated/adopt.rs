//! An nginx file that somebody else has written is taken over, and any fault on the way leaves users served, and either
//! their file or zdt's.

use zdt::exec::Outcome;
use zdt::world::Files;
use zdt::world::simulated::{Answers, Behaviour, Image, ImageKind};

use crate::matrix::{Subject, upgrade_of};
use crate::shop::{DIR, NEW, OLD, Shop};

const CONFIG: &str = "/srv/shop/nginx/default.conf";

fn config(shop: &Shop) -> String {
    String::from_utf8(shop.world.read(CONFIG.as_ref()).unwrap()).unwrap()
}

/// As if zdt had never been there: its private server is not in nginx's file, and it has no notes.
fn theirs() -> Shop {
    let shop = Shop::with(&["app_1", "app_2"]);
    let text = config(&shop);
    let name = text.find("server_name zdt-").unwrap();
    let begins = text[..name].rfind("server {").unwrap();
    shop.world.someone_writes(CONFIG, &text[..begins]);
    shop.docker("exec zerodowntime-proxy-1 nginx -s reload");
    shop.world.pass(std::time::Duration::from_secs(2));
    for name in shop.world.list(format!("{DIR}/.zdt/journal").as_ref()).unwrap() {
        shop.world
            .remove(format!("{DIR}/.zdt/journal/{name}").as_ref())
            .unwrap();
    }
    shop.world.remove(format!("{DIR}/.zdt/state.json").as_ref()).unwrap();
    shop
}

fn taken_over(image: &str, end: Outcome, step: usize) {
    let shop = theirs();
    shop.world.publish(Image::app("zdt/sample-app:0.0.2"));
    let ill = Behaviour {
        answers: Answers::Unhealthy,
        ..Behaviour::default()
    };
    shop.world
        .publish(Image::new("zdt/sample-app:ill", ImageKind::App(ill)));
    let before = config(&shop);
    let text = format!(
        "include app.zdt\nparam version\ntask adopt {{\npull {image}\nup adopt=true\nfor app in $backends {{\ndrain $app\n\
         recreate $app image={image}\nawait healthy $app timeout=10s\nenable $app\n}}\n}}\n"
    );
    let run = |shop: &Shop| shop.run_text(&text);
    let old = |shop: &Shop| match config(shop) == before {
        true => shop.is_all(OLD),
        false => Err(format!("theirs is not back: {}", config(shop))),
    };
    let runs = Subject {
        run: &run,
        end,
        old: &old,
        new: &|shop| shop.is_all(NEW),
        ..upgrade_of(shop)
    }
    .every(step);
    println!("{runs} runs");
}

#[test]
fn any_fault_on_the_way() {
    taken_over("zdt/sample-app:0.0.2", Outcome::Done, 11);
}

#[test]
fn any_fault_on_the_way_back() {
    taken_over("zdt/sample-app:ill", Outcome::RolledBack, 11);
}
