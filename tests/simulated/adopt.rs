//! An nginx file that somebody else has written is taken over, and any fault on the way leaves users served, and either
//! their file or zdt's.

use std::time::Duration;

use zdt::exec::Outcome;
use zdt::world::Files;

use crate::matrix::{Subject, short, upgrade_of};
use crate::shop::{After, DIR, OLD, Ran, Shop};

const CONFIG: &str = "/srv/shop/nginx/default.conf";

/// As if zdt had never been there: its private server is not in nginx's file, and it has no notes.
fn theirs() -> Shop {
    let shop = Shop::with(&["app_1", "app_2"]);
    shop.offers();
    let text = shop.file(CONFIG);
    let name = text.find("server_name zdt-").unwrap();
    let begins = text[..name].rfind("server {").unwrap();
    shop.world.someone_writes(CONFIG, &text[..begins]);
    shop.docker("exec zerodowntime-proxy-1 nginx -s reload");
    shop.world.pass(Duration::from_secs(2));
    let journals = format!("{DIR}/.zdt/journal");
    for name in shop.world.list(journals.as_ref()).unwrap() {
        shop.world.remove(format!("{journals}/{name}").as_ref()).unwrap();
    }
    shop.world.remove(format!("{DIR}/.zdt/state.json").as_ref()).unwrap();
    shop
}

fn taken_over(image: &str, end: Outcome) {
    let shop = theirs();
    let before = shop.file(CONFIG);
    let text = format!(
        "include app.zdt\nparam version\ntask adopt {{\npull {image}\nup adopt=true\nfor app in $backends {{\ndrain $app\n\
         recreate $app image={image}\nawait healthy $app timeout=10s\nenable $app\n}}\n}}\n"
    );
    let runs = Subject {
        run: &|shop| shop.run_text(&text),
        end,
        old: &|shop| match shop.file(CONFIG) == before {
            true => shop.is_all(OLD),
            false => Err(format!("theirs is not back: {}", shop.file(CONFIG))),
        },
        ..upgrade_of(shop)
    }
    .all();
    println!("{runs} runs");
}

#[test]
fn any_fault_on_the_way() {
    taken_over("zdt/sample-app:0.0.2", Outcome::Done);
}

#[test]
fn any_fault_on_the_way_back() {
    taken_over("zdt/sample-app:ill", Outcome::RolledBack);
}

/// Their file needs another one that somebody has taken away meanwhile: nginx does not take it, and zdt's stays, with
/// which nginx can start. Once it can be taken, it comes back.
#[test]
fn what_nginx_would_not_take_is_not_left_there() {
    let extra = format!("{DIR}/nginx/extra.inc");
    let shop = theirs();
    shop.world.someone_writes(&extra, "# theirs\n");
    let before = format!("include /etc/nginx/conf.d/extra.inc;\n{}", shop.file(CONFIG));
    shop.world.someone_writes(CONFIG, &before);
    shop.docker("exec zerodowntime-proxy-1 nginx -s reload");
    shop.world.pass(Duration::from_secs(2));
    let text = "include app.zdt\nparam version\ntask adopt {\npull zdt/sample-app:ill\nup adopt=true\ndrain app_1\n\
                recreate app_1 image=zdt/sample-app:ill\nawait healthy app_1 timeout=10s\n}\npolicy pause\n";
    shop.run_text(text);
    shop.world.remove(extra.as_ref()).unwrap();
    let ran = shop.after(After::Rollback);
    assert!(matches!(ran, Ran::Ended(Outcome::Failed, _)), "{}", short(&ran));
    assert!(shop.file(CONFIG).contains("server_name zdt-"), "{}", shop.file(CONFIG));
    shop.docker("restart zerodowntime-proxy-1");
    shop.is_all(OLD).unwrap();
    shop.world.someone_writes(&extra, "# theirs\n");
    let ran = shop.after(After::Rollback);
    assert!(matches!(ran, Ran::Ended(Outcome::WentBack, _)), "{}", short(&ran));
    assert_eq!(shop.file(CONFIG), before);
    shop.is_all(OLD).unwrap();
}
