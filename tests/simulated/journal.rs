//! Journals on their own: which run they give, and what of it stands in them.

use std::path::Path;
use std::time::Duration;

use zdt::drivers::Failure;
use zdt::exec::journal::{self, Ended, Head, Journal, Past, new_id};
use zdt::world::Files;
use zdt::world::simulated::Simulated;

use crate::shop::{DIR, NEW, Shop};

fn begin<'w>(world: &'w Simulated, id: &str, secrets: &[&str]) -> Journal<'w> {
    let head = Head {
        id: id.to_string(),
        ..Head::default()
    };
    let secrets: Vec<String> = secrets.iter().map(ToString::to_string).collect();
    Journal::create(world, Some(Path::new(DIR)), &head, &secrets).unwrap()
}

fn id(past: Option<Past>) -> Option<String> {
    Some(past?.head?.id)
}

fn newest(world: &Simulated) -> Option<String> {
    id(journal::newest(world, Path::new(DIR)).unwrap())
}

fn unfinished(world: &Simulated) -> Option<String> {
    id(journal::unfinished(world, Path::new(DIR)).unwrap())
}

#[test]
fn runs_of_one_second_are_in_the_order_of_their_beginning() {
    let world = Simulated::empty();
    let second = journal::seconds(&world);
    // As zdt named them before.
    let mut ids = vec![format!("{second:010}-ffffff")];
    for nonce in ["ffffffff", "88888888", "00000000"] {
        ids.push(new_id(&world, nonce));
        world.pass(Duration::from_micros(1));
    }
    assert_eq!(journal::seconds(&world), second);
    ids.push(format!("{:010}-000000", second + 1));
    assert!(ids.is_sorted(), "{ids:?}");
    for id in &ids {
        begin(&world, id, &[]);
        assert_eq!(newest(&world).as_ref(), Some(id));
    }
}

#[test]
fn a_killed_run_is_found_behind_runs_that_ended() {
    let world = Simulated::empty();
    for (id, ends) in [("1-a", false), ("2-b", false), ("3-c", true), ("4-d", true)] {
        let journal = begin(&world, id, &[]);
        if ends {
            journal.finish(Ended::Done).unwrap();
        }
    }
    assert_eq!(newest(&world).as_deref(), Some("4-d"));
    for id in ["2-b", "1-a"] {
        let past = journal::unfinished(&world, Path::new(DIR)).unwrap().unwrap();
        assert_eq!(past.head.as_ref().unwrap().id, id);
        let again = Journal::reopen(&world, Path::new(DIR), &past, &[], "abandon").unwrap();
        again.finish(Ended::Abandoned).unwrap();
    }
    assert_eq!(unfinished(&world), None);
}

#[test]
fn a_file_without_a_head_is_no_run() {
    let world = Simulated::empty();
    begin(&world, "1-a", &[]);
    let folder = journal::folder(Path::new(DIR));
    world.someone_writes(folder.join("2-b.jsonl"), "");
    world.someone_writes(folder.join("3-c.jsonl"), r#"{"record":"run","id":"3-c","at":17"#);
    assert_eq!(newest(&world).as_deref(), Some("1-a"));
    assert_eq!(unfinished(&world).as_deref(), Some("1-a"));
    assert_eq!(journal::all(&world, Path::new(DIR)).unwrap().len(), 1);
}

/// What stands in a journal after a step, an output and an end.
fn written(secrets: &[&str], text: &str) -> String {
    let world = Simulated::empty();
    let journal = begin(&world, "1-a", secrets);
    journal.begin("step").unwrap().end(Ok(text)).unwrap();
    let failure = Failure::new(text).note(text);
    journal.begin("other").unwrap().end(Err(&failure)).unwrap();
    journal.output("step/$(7)", text).unwrap();
    journal.mark_irreversible(text).unwrap();
    journal.finish(Ended::Failed).unwrap();
    let path = journal::folder(Path::new(DIR)).join("1-a.jsonl");
    String::from_utf8(world.read(&path).unwrap()).unwrap()
}

#[test]
fn no_part_of_a_secret_is_written() {
    let key = "-----BEGIN KEY-----\nMIIBcode\tq\"uote'$1\n-----END KEY-----\n";
    for secret in key.lines().chain([key]) {
        for text in [secret.to_string(), format!("{secret:?}"), secret.replace('\'', r"'\''")] {
            let written = written(&["MIIB", key], &text);
            for part in ["KEY", "MIIB", "code", "uote"] {
                assert!(!written.contains(part), "{text}: {part} in\n{written}");
            }
        }
    }
}

#[test]
fn a_secret_that_is_a_common_word_leaves_a_journal_that_can_be_read() {
    let words = [
        "run", "record", "end", "begin", "ok", "true", "a", "step", "1", "at", "\"", ":", "{", "\\", "n",
    ];
    for word in words {
        let (world, text) = (Simulated::empty(), format!("<{word}>"));
        let journal = begin(&world, "1-a", &[word]);
        journal.begin("a/step").unwrap().end(Ok(&text)).unwrap();
        journal.output("a/$(1)", &text).unwrap();
        journal.mark_irreversible(&text).unwrap();
        let past = journal::unfinished(&world, Path::new(DIR)).unwrap().expect(word);
        assert_eq!(past.records.len(), 4, "{word}");
        let again = Journal::reopen(&world, Path::new(DIR), &past, &[word.to_string()], "resume").unwrap();
        assert!(again.is_done("a/step"), "{word}");
        let hidden = "<•••>".to_string();
        // A value with a mask in it is none: it is asked for again.
        assert_eq!(again.outputs().get("a/$(1)"), None);
        assert_eq!(again.irreversible(), Some(hidden));
        again.finish(Ended::Done).unwrap();
        assert_eq!(unfinished(&world), None, "{word}");
    }
}

#[test]
fn a_loop_over_secrets_has_ids_without_them() {
    let text = "include app.zdt\nparam version\nparam tokens list secret = [hunter2 'pass word']\ntask t {\nfor token in $tokens {\nsay hello\n}\n}\n";
    let ready = Shop::up().ready("/recipes/test.zdt", Some(text), NEW);
    let ids: Vec<&str> = ready.plan.steps().iter().map(|(node, _)| node.id.as_str()).collect();
    assert_eq!(ids.len(), 2);
    assert_ne!(ids[0], ids[1]);
    let leak = ids
        .iter()
        .find(|id| ["hunter2", "pass", "word"].iter().any(|part| id.contains(part)));
    assert_eq!(leak, None);
}
