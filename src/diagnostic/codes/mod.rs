//! The codes of everything zdt can find in a recipe; `zdt explain CODE` prints their texts.
//!
//! One table a range, one file a table: `Z0xx` syntax, `Z1xx` plan, `Z2xx` preflight, `Z3xx` template.
//! A new code is one entry in its file.

mod plan;
mod preflight;
mod syntax;
mod template;

use std::fmt;

/// A stable code: `Z001`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(pub &'static str);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// What there is to say about a code.
#[derive(Debug)]
pub struct CodeDoc {
    pub code: Code,
    /// In words that can stand in an address: `unclosed-quote`.
    pub name: &'static str,
    /// One line, lower case, no full stop.
    pub summary: &'static str,
    /// What it is, why it is so, an example and what to write instead.
    pub doc: &'static str,
}

/// Declares the codes of one range: the constants and their table.
macro_rules! codes {
    ($($constant:ident $code:literal $name:literal $summary:literal $doc:literal)*) => {
        impl super::Code {
            $(#[doc = $summary] pub const $constant: super::Code = super::Code($code);)*
        }

        pub(super) const TABLE: &[super::CodeDoc] = &[$(super::CodeDoc {
            code: super::Code::$constant,
            name: $name,
            summary: $summary,
            doc: $doc,
        }),*];
    };
}
use codes;

/// Every code, in order; one slice a range.
pub const CODES: &[&[CodeDoc]] = &[syntax::TABLE, plan::TABLE, preflight::TABLE, template::TABLE];

/// The text for `Z001`, however it is spelled (`z001`).
pub fn explain(code: &str) -> Option<&'static CodeDoc> {
    CODES
        .iter()
        .copied()
        .flatten()
        .find(|doc| doc.code.0.eq_ignore_ascii_case(code))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_code_is_unique_and_explained() {
        let mut seen = HashSet::new();
        for doc in CODES.iter().copied().flatten() {
            assert!(seen.insert(doc.code), "{} is used twice", doc.code);
            assert!(seen.insert(Code(doc.name)), "{} is used twice", doc.name);
            assert!(doc.code.0.len() == 4 && doc.code.0.starts_with('Z'), "{}", doc.code);
            assert!(!doc.summary.is_empty(), "{} has no summary", doc.code);
            assert!(doc.doc.len() > 80, "{} is not explained", doc.code);
            assert!(doc.doc.contains("\n    "), "{} has no example", doc.code);
        }
    }

    #[test]
    fn ranges_are_kept() {
        for (range, table) in CODES.iter().enumerate() {
            for doc in *table {
                assert!(doc.code.0.starts_with(&format!("Z{range}")), "{}", doc.code);
            }
        }
    }

    #[test]
    fn codes_are_found_in_any_case() {
        assert_eq!(explain("z001").map(|doc| doc.code), Some(Code::UNEXPECTED));
        assert!(explain("Z999").is_none());
    }
}
