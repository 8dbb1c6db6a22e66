//! The pest parser made from `grammar/zdt.pest`.
//!
//! Its own module, so that the generated names stay out of everything else's way.

use pest::Parser;

#[derive(pest_derive::Parser)]
#[grammar = "../grammar/zdt.pest"]
pub struct Grammar;

/// Whether a word begins a statement of its own (`for`, `let`), by the grammar's rule.
pub fn is_keyword(word: &str) -> bool {
    Grammar::parse(Rule::keyword, word).is_ok_and(|found| found.as_str() == word)
}

#[cfg(test)]
mod tests {
    use super::{Grammar, Rule, is_keyword};
    use pest::Parser;
    use std::fs;
    use std::path::Path;

    #[test]
    fn keywords_are_whole_words() {
        assert!(["for", "let", "on", "in"].into_iter().all(is_keyword));
        assert!(!["foreach", "le", "drain", ""].into_iter().any(is_keyword));
    }

    /// The grammar of a whole text says the same as zdt's way to read it statement by statement.
    #[test]
    fn the_whole_grammar_accepts_good_recipes_and_no_bad_ones() {
        for (folder, good) in [("ok", true), ("format", true), ("errors", false)] {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/syntax").join(folder);
            for entry in fs::read_dir(folder).expect("the cases") {
                let path = entry.expect("an entry").path();
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                // Limits are not the grammar's business.
                let limit = name.starts_with("deep") || name == "not-text.zdt";
                if name.ends_with(".zdt") && !limit {
                    let text = fs::read_to_string(&path).expect("a recipe");
                    let result = Grammar::parse(Rule::script, &text);
                    assert_eq!(result.is_ok(), good, "{}: {result:?}", path.display());
                }
            }
        }
    }
}
