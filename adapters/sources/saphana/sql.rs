//! Names and texts in statements for HANA.

use backupx_core::{Error, Result};

/// A name as an identifier, whatever is in it.
pub(super) fn name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as a literal.
pub(super) fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Refuses a statement that is not one line: hdbsql would take each line for a statement of its own.
pub(super) fn one_line(statement: &str) -> Result<()> {
    if statement.contains(char::is_control) {
        return Err(Error::invalid(
            "invalid_input",
            "a name of a database or a folder has a control character in it",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_name_or_text_ends_it() {
        assert_eq!(name("a\"; DROP"), "\"a\"\"; DROP\"");
        assert_eq!(text("it's"), "'it''s'");
        assert!(one_line("SELECT 1\nDROP").is_err());
        assert!(one_line("SELECT 1").is_ok());
    }
}
