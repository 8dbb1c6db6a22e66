//! Any recipe of the grammar's statements, any one fault, then resume or rollback: somebody always serves, and the
//! world is what the outcome says.

use proptest::collection::vec;
use proptest::prelude::*;
use zdt::exec::Outcome;
use zdt::world::simulated::Fault;

use crate::matrix::short;
use crate::shop::{After, Ran, Shop};

const BACKENDS: [&str; 3] = ["app_1", "app_2", "app_3"];

fn backends() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => prop::sample::select(&BACKENDS[..]).prop_map(str::to_string),
        1 => Just("app_1 app_3".to_string()),
    ]
}

fn statement() -> impl Strategy<Value = String> {
    let simple = (0..9usize, backends()).prop_map(|(verb, backends)| match verb {
        0 | 1 => format!("drain {backends}"),
        2 => format!("enable {backends}"),
        3 => format!("recreate {backends} image=$repo:$version"),
        4 => format!("recreate {backends}"),
        5 => format!("stop {backends}"),
        6 => format!("start {backends}"),
        7 => format!("restart {backends}"),
        _ => format!("await healthy {backends} timeout=5s"),
    });
    let turn = backends().prop_map(|backends| {
        format!(
            "drain {backends}\nrecreate {backends} image=$repo:$version\nawait healthy {backends} timeout=5s\nenable {backends}"
        )
    });
    let leaf = prop_oneof![4 => simple, 3 => turn, 1 => Just("up".to_string())];
    leaf.prop_recursive(2, 6, 3, |inner| {
        let block = vec(inner, 1..3).prop_map(|lines| lines.join("\n"));
        prop_oneof![
            block
                .clone()
                .prop_map(|block| format!("retry 2 every=1s {{\n{block}\n}}")),
            block
                .clone()
                .prop_map(|block| format!("if exists /nowhere {{\nsay no\n}} else {{\n{block}\n}}")),
            block.prop_map(|block| format!("timeout 5m {{\n{block}\n}}")),
        ]
    })
}

fn recipe() -> impl Strategy<Value = String> {
    vec(statement(), 1..6).prop_map(|lines| {
        format!(
            "include app.zdt\nparam version\ntask any {{\npull $repo:$version\n{}\n}}\n",
            lines.join("\n")
        )
    })
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        Just(Fault::Error),
        Just(Fault::ErrorAfter),
        Just(Fault::Hang),
        Just(Fault::Interrupt),
        Just(Fault::Crash),
        Just(Fault::Torn),
        (1..6usize).prop_map(|events| Fault::CrashAfter { events }),
    ]
}

/// Runs it to an end that zdt itself calls one.
fn to_the_end(shop: &Shop, text: &str, after: After) -> (Ran, bool) {
    let ran = shop.run_text(text);
    match shop.unfinished() {
        true => (shop.after(after), true),
        false => (ran, false),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_recipe_with_any_fault(
        text in recipe(), at in any::<prop::sample::Index>(), fault in fault(), resume in any::<bool>(),
    ) {
        let start = Shop::three();
        let before = start.picture();
        let plain = start.twin();
        let calls = plain.world.mutation_count();
        let without = plain.run_text(&text);
        prop_assert!(plain.unharmed(1).is_ok(), "{:?}\n{}\n{}", plain.unharmed(1), text, short(&without));
        if !matches!(without, Ran::Ended(Outcome::Done, _)) {
            prop_assert_eq!(plain.picture(), before.clone(), "{}\n{}", text, short(&without));
        }
        let shop = start.twin();
        let calls = plain.world.mutation_count() - calls;
        shop.fail(at.index(calls.max(1)) + 1, fault);
        let after = if resume { After::Resume } else { After::Rollback };
        let (ran, went_on) = to_the_end(&shop, &text, after);
        let told = format!("{text}\n{fault:?}, went on: {went_on} {after:?}\n{}\n{}", short(&ran), short(&without));
        prop_assert!(shop.unharmed(1).is_ok(), "{:?}\n{}", shop.unharmed(1), told);
        match &ran {
            Ran::Ended(Outcome::Done, _) => {
                if matches!(without, Ran::Ended(Outcome::Done, _)) {
                    prop_assert_eq!(shop.picture(), plain.picture(), "{}", told);
                }
            }
            Ran::Ended(Outcome::RolledBack | Outcome::WentBack | Outcome::Refused, _) | Ran::Refused(_) => {
                prop_assert_eq!(shop.picture(), before, "{}", told);
            }
            // Finished by the crash's last write, or never begun.
            Ran::Crashed => {
                let now = shop.picture();
                prop_assert!(now == before || now == plain.picture(), "{:?}\n{}", now, told);
            }
            Ran::Ended(Outcome::Failed | Outcome::Interrupted, _) | Ran::Nothing => {
                prop_assert_eq!(shop.picture(), before, "{}", told);
            }
        }
    }
}

fn cases() -> u32 {
    std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(48)
}
