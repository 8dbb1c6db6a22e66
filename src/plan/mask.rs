//! What a secret looks like, wherever it may turn up; for reports, messages and the journal alike.

/// Hides secrets in texts.
#[derive(Debug, Clone, Default)]
pub struct Mask {
    /// Longest first: a secret may be a part of another one, and half of a secret is still one.
    forms: Vec<String>,
}

/// The shortest line of a secret of several lines that is worth hiding: a key's last line may be `=`.
const SHORTEST_LINE: usize = 4;

impl Mask {
    pub fn new(secrets: &[String]) -> Self {
        let mut forms: Vec<String> = secrets.iter().flat_map(|secret| forms(secret)).collect();
        forms.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        forms.dedup();
        Self { forms }
    }

    /// `text` with every secret replaced.
    pub fn text(&self, text: &str) -> String {
        let hide = |text: String, form: &String| text.replace(form, "•••");
        self.forms.iter().fold(text.to_string(), hide)
    }

    pub fn texts(&self, texts: &[String]) -> Vec<String> {
        texts.iter().map(|text| self.text(text)).collect()
    }
}

/// A secret as it may come along: as it is, each line of it, and the ways in which programs write it.
fn forms(secret: &str) -> Vec<String> {
    let mut forms = vec![secret.to_string(), secret.trim().to_string()];
    let lines = secret.lines().map(str::trim).filter(|line| line.len() >= SHORTEST_LINE);
    forms.extend(lines.map(str::to_string));
    let plain = forms.clone();
    for form in &plain {
        // In single quotes of a shell, in double quotes of JSON and YAML, in a compose file.
        forms.push(form.replace('\'', r"'\''"));
        forms.push(in_json(form));
        forms.push(form.replace('$', "$$"));
    }
    // Whatever of these zdt itself shows on one line: a body that echoes it, a value that is refused.
    let shown: Vec<String> = forms.iter().map(|form| form.escape_debug().to_string()).collect();
    forms.extend(shown);
    forms.retain(|form| !form.is_empty());
    forms
}

fn in_json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_hidden_however_it_is_written() {
        let secret = "p'w \"x\\\u{1b}";
        let mask = Mask::new(&[secret.to_string()]);
        let json = in_json(secret);
        for text in [
            secret,
            &json,
            &secret.escape_debug().to_string(),
            &json.escape_debug().to_string(),
        ] {
            let told = mask.text(&format!("it answers <{text}>"));
            assert_eq!(told, "it answers <•••>");
        }
    }
}
