//! The journal: one JSON-lines file a run under `.zdt/journal/`, each record synced before anything relies on it.
//! A step cannot begin without the [`Begun`] handle that its first record gives.

mod past;
mod record;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

pub use past::{Past, all, irreversible_since, newest, read, telling, unfinished};
pub use record::{Ended, Head, Kept, Record};

use crate::drivers::{Failure, FailureKind};
use crate::plan::Mask;
use crate::site::{Before, Keeper, Ran, Resource, state_dir};
use crate::world::World;

/// Proof that a step's beginning is on disk.
pub struct Begun<'a> {
    journal: &'a Journal<'a>,
    node: String,
}

/// A journal open for writing. Without a deployment there is no folder for one: then it keeps records in memory only.
pub struct Journal<'w> {
    world: &'w dyn World,
    path: Option<PathBuf>,
    run: String,
    mask: Mask,
    kept: RefCell<BTreeMap<Resource, Before>>,
    /// Files that a step has written whole, and their hashes then.
    written: RefCell<BTreeMap<PathBuf, String>>,
    /// Resources in the order they were first touched.
    order: RefCell<Vec<Resource>>,
    /// Backends whose old version a rollback has put back, with the hash of its definition.
    put_back: RefCell<BTreeMap<String, Option<String>>>,
    done: RefCell<BTreeSet<String>>,
    /// Its last record is written.
    finished: Cell<bool>,
    /// Done, and then perhaps undone by a rollback.
    undone: RefCell<BTreeSet<String>>,
    outputs: RefCell<BTreeMap<String, String>>,
    begun: RefCell<Vec<String>>,
    irreversible: RefCell<Option<String>>,
    /// It has made backends that serve; `kept` is what it touched since.
    anew: Cell<bool>,
    /// The file may end with half a record: the disk was full, or zdt was killed.
    torn: Cell<bool>,
}

/// Where journals are.
pub fn folder(dir: &Path) -> PathBuf {
    state_dir(dir).join("journal")
}

impl<'w> Journal<'w> {
    /// Begins a journal with its head. `dir` is the deployment's folder.
    pub fn create(world: &'w dyn World, dir: Option<&Path>, head: &Head, secrets: &[String]) -> Result<Self, Failure> {
        let path = dir.map(|dir| folder(dir).join(format!("{}.jsonl", head.id)));
        let journal = Self::new(world, path, &head.id, secrets);
        if let Some(path) = &journal.path
            && let Some(folder) = path.parent()
        {
            world
                .create_dir_all(folder, 0o700)
                .map_err(|error| Failure::refused(format!("cannot create `{}`: {error}", folder.display())))?;
        }
        journal.write(&Record::Run(Box::new(head.clone())))?;
        Ok(journal)
    }

    /// The run's id.
    pub fn run(&self) -> &str {
        &self.run
    }

    fn new(world: &'w dyn World, path: Option<PathBuf>, run: &str, secrets: &[String]) -> Self {
        Self {
            world,
            path,
            run: run.to_string(),
            mask: Mask::new(secrets),
            kept: RefCell::default(),
            written: RefCell::default(),
            order: RefCell::default(),
            put_back: RefCell::default(),
            done: RefCell::default(),
            finished: Cell::new(false),
            undone: RefCell::default(),
            outputs: RefCell::default(),
            begun: RefCell::default(),
            irreversible: RefCell::default(),
            anew: Cell::new(false),
            torn: Cell::new(false),
        }
    }

    /// Goes on with a journal that was not finished.
    pub fn reopen(
        world: &'w dyn World,
        dir: &Path,
        past: &Past,
        secrets: &[String],
        by: &str,
    ) -> Result<Self, Failure> {
        let head = past
            .head
            .as_ref()
            .ok_or_else(|| Failure::refused("the journal has no beginning"))?;
        let path = folder(dir).join(format!("{}.jsonl", head.id));
        let journal = Self::new(world, Some(path), &head.id, secrets);
        for record in &past.records {
            journal.learn(record);
        }
        journal.torn.set(past.torn);
        journal.write(&Record::TakenOver {
            at: seconds(world),
            pid: std::process::id(),
            by: by.to_string(),
        })?;
        Ok(journal)
    }

    fn learn(&self, record: &Record) {
        match record {
            Record::Keep { resource, before } => {
                self.order.borrow_mut().push(resource.clone());
                self.kept.borrow_mut().insert(resource.clone(), before.clone());
            }
            Record::End { node, ok: true, .. } => {
                self.done.borrow_mut().insert(node.clone());
                self.undone.borrow_mut().remove(node);
            }
            Record::End {
                node, refused: true, ..
            } => self.begun.borrow_mut().retain(|begun| begun != node),
            Record::Anew { .. } => {
                self.order.borrow_mut().clear();
                self.kept.borrow_mut().clear();
                self.anew.set(true);
            }
            Record::PutBack { backend, definition } => {
                self.put_back.borrow_mut().insert(backend.clone(), definition.clone());
            }
            Record::Undoing { .. } => *self.undone.borrow_mut() = self.done.borrow().clone(),
            Record::Begin { node, .. } => self.begun.borrow_mut().push(node.clone()),
            Record::Wrote { path, hash } => {
                self.written.borrow_mut().insert(path.clone(), hash.clone());
            }
            Record::Output { key, text } => {
                self.outputs.borrow_mut().insert(key.clone(), text.clone());
            }
            Record::Irreversible { reason } => *self.irreversible.borrow_mut() = Some(reason.clone()),
            Record::Run(_) | Record::End { .. } | Record::TakenOver { .. } | Record::Finish { .. } => {}
        }
    }

    /// Written, and known from here on.
    fn record(&self, record: &Record) -> Result<(), Failure> {
        self.write(record)?;
        self.learn(record);
        Ok(())
    }

    fn write(&self, record: &Record) -> Result<(), Failure> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        let record = record.clone().masked(&self.mask);
        let mut line = serde_json::to_string(&record).map_err(|error| Failure::new(error.to_string()))?;
        line.push('\n');
        // Behind half a record a whole one would be lost as well.
        if self.torn.replace(true) {
            line.insert(0, '\n');
        }
        self.world.append(path, line.as_bytes()).map_err(|error| {
            Failure::new(format!("cannot write the journal `{}`: {error}", path.display()))
                .help("make room or mend the permissions there; nothing goes on without a journal")
        })?;
        self.torn.set(false);
        Ok(())
    }

    /// The beginning of a step; on disk when this returns.
    pub fn begin(&self, node: &str) -> Result<Begun<'_>, Failure> {
        self.write(&Record::Begin {
            node: node.to_string(),
            at: seconds(self.world),
        })?;
        self.begun.borrow_mut().push(node.to_string());
        Ok(Begun {
            journal: self,
            node: node.to_string(),
        })
    }

    /// What a `$( )` gave. With a secret in it, it is not written: a resumed run asks again, rather than go on with a mask
    /// for a value.
    pub fn output(&self, key: &str, text: &str) -> Result<(), Failure> {
        if self.mask.text(text) != text {
            return Ok(());
        }
        let record = Record::Output {
            key: key.to_string(),
            text: text.to_string(),
        };
        self.record(&record)
    }

    pub fn mark_irreversible(&self, reason: &str) -> Result<(), Failure> {
        let record = Record::Irreversible {
            reason: reason.to_string(),
        };
        self.record(&record)
    }

    /// A rollback begins; whoever resumes after it does reversible steps again.
    pub fn undoing(&self) -> Result<(), Failure> {
        let at = seconds(self.world);
        self.record(&Record::Undoing { at })
    }

    /// A rollback has put a backend's old version back. Known from here on, even where it cannot be written.
    pub fn put_back(&self, backend: &str, definition: Option<String>) -> Result<(), Failure> {
        let backend = backend.to_string();
        let record = Record::PutBack { backend, definition };
        self.learn(&record);
        self.write(&record)
    }

    /// A container of this definition is what a rollback has made.
    pub fn is_put_back(&self, backend: &str, definition: &Option<String>) -> bool {
        self.put_back.borrow().get(backend) == Some(definition)
    }

    /// The last record. A second one is not written.
    pub fn finish(&self, outcome: Ended) -> Result<(), Failure> {
        if self.finished.get() {
            return Ok(());
        }
        self.write(&Record::Finish {
            at: seconds(self.world),
            outcome,
        })?;
        self.finished.set(true);
        Ok(())
    }

    pub fn is_finished(&self) -> bool {
        self.finished.get()
    }

    pub fn is_done(&self, node: &str) -> bool {
        self.done.borrow().contains(node)
    }

    /// It was done, and a rollback that began later may have undone it.
    pub fn is_undone(&self, node: &str) -> bool {
        self.undone.borrow().contains(node)
    }

    pub fn has_undone(&self) -> bool {
        !self.undone.borrow().is_empty()
    }

    pub fn is_begun(&self, node: &str) -> bool {
        self.begun.borrow().iter().any(|begun| begun == node)
    }

    pub fn outputs(&self) -> BTreeMap<String, String> {
        self.outputs.borrow().clone()
    }

    pub fn irreversible(&self) -> Option<String> {
        self.irreversible.borrow().clone()
    }

    /// It made backends that served, and went on from there.
    pub fn began_anew(&self) -> bool {
        self.anew.get()
    }

    pub fn touched_nothing(&self) -> bool {
        self.order.borrow().is_empty() && !self.anew.get()
    }

    /// What was touched, last touched first; where the run has begun anew, since then.
    pub fn touched(&self) -> Vec<(Resource, Before)> {
        let kept = self.kept.borrow();
        let order = self.order.borrow();
        order
            .iter()
            .rev()
            .filter_map(|resource| Some((resource.clone(), kept.get(resource)?.clone())))
            .collect()
    }
}

impl Begun<'_> {
    /// The end of the step; on disk when this returns.
    pub fn end(self, result: Result<&str, &Failure>) -> Result<(), Failure> {
        let (ok, detail, notes) = match result {
            Ok(detail) => (true, detail.to_string(), Vec::new()),
            Err(failure) => (false, failure.message.clone(), failure.notes.clone()),
        };
        let refused = result.is_err_and(|failure| failure.kind == FailureKind::Refused);
        let record = Record::End {
            node: self.node,
            at: seconds(self.journal.world),
            ok,
            detail,
            notes,
            refused,
        };
        self.journal.record(&record)
    }
}

impl Keeper for Journal<'_> {
    fn has(&self, resource: &Resource) -> bool {
        self.kept.borrow().contains_key(resource)
    }

    fn ran(&self, backend: &str) -> Option<Ran> {
        match self.kept.borrow().get(&Resource::Backend(backend.to_string())) {
            Some(Before::Backend(ran)) => ran.clone(),
            _ => None,
        }
    }

    fn store(&self, content: &[u8]) -> Result<String, Failure> {
        let name = crate::site::hash(content);
        let Some(folder) = self.path.as_ref().and_then(|path| path.parent()?.parent()) else {
            return Ok(name);
        };
        let images = folder.join("images");
        let written = self.world.create_dir_all(&images, 0o700);
        written
            .and_then(|()| self.world.write(&images.join(&name), content, 0o600))
            .map_err(|error| Failure::new(format!("cannot keep a before-image in `{}`: {error}", images.display())))?;
        Ok(name)
    }

    fn keep(&self, resource: Resource, before: Before) -> Result<(), Failure> {
        let record = Record::Keep { resource, before };
        self.record(&record)
    }

    fn written(&self, path: &Path) -> Option<String> {
        self.written.borrow().get(path).cloned()
    }

    fn wrote(&self, path: &Path, hash: &str) -> Result<(), Failure> {
        let (path, hash) = (path.to_path_buf(), hash.to_string());
        let record = Record::Wrote { path, hash };
        self.record(&record)
    }

    fn only_new(&self) -> Vec<String> {
        let kept = self.kept.borrow();
        let mut new = Vec::new();
        for (resource, before) in kept.iter() {
            match (resource, before) {
                (Resource::Backend(name), Before::Backend(None)) => new.push(name.clone()),
                (Resource::Backend(_), _) => return Vec::new(),
                (Resource::Traffic | Resource::File(_) | Resource::Tag(_), _) => {}
            }
        }
        new
    }

    fn begin_anew(&self) -> Result<(), Failure> {
        let at = seconds(self.world);
        self.record(&Record::Anew { at })
    }
}

/// A new run's id. Ids sort as their runs began, behind those of the same second that older zdts gave: `SECONDS-NONCE`.
pub fn new_id(world: &dyn World, nonce: &str) -> String {
    let since = since_1970(world);
    let random: String = nonce.chars().take(6).collect();
    format!("{:010}.{:09}-{random}", since.as_secs(), since.subsec_nanos())
}

/// Seconds since 1970.
pub fn seconds(world: &dyn World) -> u64 {
    since_1970(world).as_secs()
}

fn since_1970(world: &dyn World) -> Duration {
    world.wall().duration_since(UNIX_EPOCH).unwrap_or_default()
}
