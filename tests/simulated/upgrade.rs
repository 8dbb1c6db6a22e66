//! The upgrade when nothing goes wrong.

use std::time::Instant;

use zdt::exec::Outcome;

use crate::matrix::upgrade_of;
use crate::shop::{NEW, Ran, Shop};

#[test]
fn two_backends_move_to_the_new_version() {
    let shop = Shop::up();
    let (start, calls) = (Instant::now(), shop.world.call_count());
    let ran = shop.upgrade();
    assert!(matches!(ran, Ran::Ended(Outcome::Done, _)), "{ran:#?}");
    println!("{:?}, {} calls", start.elapsed(), shop.world.call_count() - calls);
    shop.is_all(NEW).unwrap();
    shop.unharmed(1).unwrap();
    shop.at_rest().unwrap();
    assert!(!shop.unfinished());
}

#[test]
fn any_fault_at_any_call_of_an_upgrade() {
    let start = Instant::now();
    let runs = upgrade_of(Shop::up()).all();
    println!("{runs} runs in {:?}", start.elapsed());
}
