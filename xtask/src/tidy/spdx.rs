//! SPDX licence expressions, as manifests have them: names joined by `OR`, `AND` and `WITH`, brackets, and the old `/`.
//!
//! Source of the grammar: SPDX specification 2.3, annex D. `WITH` binds tightest, then `AND`, then `OR`; `/` is what
//! cargo allowed for `OR` before it asked for SPDX.

use anyhow::{Result, bail, ensure};

/// Whether somebody who accepts only the licences of `allowed` may use what is offered under `expression`.
/// An entry of `allowed` is a name, or a name with its exception: `Apache-2.0 WITH LLVM-exception`.
///
/// # Errors
/// If the expression does not follow the grammar.
pub(crate) fn is_allowed(expression: &str, allowed: &[&str]) -> Result<bool> {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let mut parser = Parser { words: spaced.split_whitespace().collect(), next: 0, allowed };
    let verdict = parser.any()?;
    ensure!(parser.peek().is_none(), "`{}` follows a complete expression", parser.peek().unwrap_or_default());
    Ok(verdict)
}

struct Parser<'a> {
    words: Vec<&'a str>,
    next: usize,
    allowed: &'a [&'a str],
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.words.get(self.next).copied()
    }

    fn accept(&mut self, word: &str) -> bool {
        let is_there = self.peek() == Some(word);
        self.next += usize::from(is_there);
        is_there
    }

    fn any(&mut self) -> Result<bool> {
        let mut verdict = self.all()?;
        while self.accept("OR") {
            verdict |= self.all()?;
        }
        Ok(verdict)
    }

    fn all(&mut self) -> Result<bool> {
        let mut verdict = self.one()?;
        while self.accept("AND") {
            verdict &= self.one()?;
        }
        Ok(verdict)
    }

    fn one(&mut self) -> Result<bool> {
        if self.accept("(") {
            let verdict = self.any()?;
            ensure!(self.accept(")"), "a bracket is not closed");
            return Ok(verdict);
        }
        let name = self.name()?;
        if !self.accept("WITH") {
            return Ok(self.allowed.contains(&name));
        }
        let with = format!("{name} WITH {}", self.name()?);
        Ok(self.allowed.contains(&with.as_str()))
    }

    fn name(&mut self) -> Result<&'a str> {
        match self.peek() {
            None => bail!("a licence is missing at the end"),
            Some(word @ ("AND" | "OR" | "WITH" | "(" | ")")) => bail!("`{word}` stands where a licence should"),
            Some(word) => {
                self.next += 1;
                Ok(word)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALLOWED: &[&str] = &["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception"];

    fn verdict(expression: &str) -> bool {
        is_allowed(expression, ALLOWED).expect("the expression is well formed")
    }

    #[test]
    fn one_allowed_choice_is_enough() {
        assert!(verdict("GPL-3.0-only OR MIT"));
        assert!(verdict("GPL-3.0-only/Apache-2.0"));
        assert!(!verdict("GPL-3.0-only OR AGPL-3.0-only"));
    }

    #[test]
    fn all_obligations_must_be_allowed() {
        assert!(verdict("MIT AND Apache-2.0"));
        assert!(!verdict("MIT AND GPL-3.0-only"));
    }

    #[test]
    fn and_binds_tighter_than_or_and_brackets_tighter_than_both() {
        assert!(verdict("MIT OR Apache-2.0 AND GPL-3.0-only"));
        assert!(!verdict("(MIT OR Apache-2.0) AND GPL-3.0-only"));
    }

    #[test]
    fn an_exception_is_part_of_its_licence() {
        assert!(verdict("Apache-2.0 WITH LLVM-exception"));
        assert!(!verdict("MIT WITH LLVM-exception"));
    }

    #[test]
    fn what_is_no_expression_is_an_error() {
        for text in ["", "MIT OR", "OR MIT", "(MIT", "MIT)", "MIT Apache-2.0", "MIT WITH"] {
            assert!(is_allowed(text, ALLOWED).is_err(), "`{text}` is no expression");
        }
    }
}
