//! Orders: POSTs that can be told apart afterwards.

use std::process;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Serialize, Serializer};

/// The ids of the orders that were answered with an expected status. JSON: a list of strings.
///
/// Compare them with what the application has stored: an order in this list and not in the store was lost.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AcceptedOrders {
    prefix: String,
    numbers: Vec<u32>,
}

impl AcceptedOrders {
    /// Ids that begin with what no other run has.
    pub(super) fn of_run(started: SystemTime) -> Self {
        let millis = started.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        AcceptedOrders {
            prefix: format!("zdt-{millis:x}-{:x}", process::id()),
            numbers: Vec::new(),
        }
    }

    pub(super) fn id(&self, number: u64) -> String {
        format!("{}-{number}", self.prefix)
    }

    pub(super) fn accept(&mut self, number: u64) {
        self.numbers.extend(u32::try_from(number));
    }

    /// In the order of their answers.
    pub fn ids(&self) -> impl Iterator<Item = String> {
        self.numbers.iter().map(|&number| self.id(number.into()))
    }

    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }
}

impl Serialize for AcceptedOrders {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.ids())
    }
}
