//! SQL as pg_dump and pg_dumpall write it, cut into statements, and the names in them.

/// The statements of `sql`, without comments, blank lines and commands of psql.
pub(super) fn statements(sql: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = sql;
    while let Some(start) = rest.find(|c: char| !c.is_whitespace()) {
        rest = &rest[start..];
        if rest.starts_with("--") || rest.starts_with('\\') {
            rest = rest.split_once('\n').map_or("", |(_, after)| after);
            continue;
        }
        let end = end_of(rest);
        found.push(rest[..end].trim_end());
        rest = &rest[end..];
    }
    found
}

/// How long the statement is that `sql` begins with, its semicolon included.
fn end_of(sql: &str) -> usize {
    // The quote that is open, and whether a backslash means something in it.
    let mut open: Option<(u8, bool)> = None;
    let bytes = sql.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        match open {
            None if byte == b';' => return at + 1,
            None if byte == b'\'' || byte == b'"' => {
                let escapes = byte == b'\'' && at > 0 && matches!(bytes[at - 1], b'E' | b'e');
                open = Some((byte, escapes));
            }
            Some((_, true)) if byte == b'\\' => at += 1,
            // A doubled one closes and opens again.
            Some((quote, _)) if byte == quote => open = None,
            None | Some(_) => {}
        }
        at += 1;
    }
    bytes.len()
}

/// The name behind the first of `words` that is in `statement`, and where it stands.
pub(super) fn name_behind(
    statement: &str,
    words: &str,
) -> Option<(String, std::ops::Range<usize>)> {
    let start = statement.find(words)? + words.len();
    let (name, length) = name_at(&statement[start..])?;
    Some((name, start..start + length))
}

/// The name that `sql` begins with, and its length as it is written.
fn name_at(sql: &str) -> Option<(String, usize)> {
    if let Some(quoted) = sql.strip_prefix('"') {
        let mut name = String::new();
        let mut chars = quoted.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            if c != '"' {
                name.push(c);
            } else if chars.next_if(|(_, next)| *next == '"').is_some() {
                name.push('"');
            } else {
                return Some((name, at + 2));
            }
        }
        return None;
    }
    let end = sql
        .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '$')))
        .unwrap_or(sql.len());
    (end > 0).then(|| (sql[..end].to_owned(), end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_end_where_sql_ends_them() {
        let sql = "--\n-- Roles\n--\n\n\\restrict abc\nCREATE ROLE \"a;b\";\n\nALTER ROLE x SET y TO 'it''s;\nCREATE ROLE no';\n\
                   COMMENT ON ROLE x IS E'\\';' ;\n\\unrestrict abc\n";
        assert_eq!(
            statements(sql),
            [
                "CREATE ROLE \"a;b\";",
                "ALTER ROLE x SET y TO 'it''s;\nCREATE ROLE no';",
                "COMMENT ON ROLE x IS E'\\';' ;"
            ]
        );
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        for (sql, name) in [
            ("CREATE ROLE plain;", "plain"),
            (
                "CREATE ROLE \"with \"\"quotes\"\" ü\" x",
                "with \"quotes\" ü",
            ),
            ("CREATE ROLE grün;", "grün"),
        ] {
            let (found, range) = name_behind(sql, "CREATE ROLE ").expect("a name");
            assert_eq!(found, name);
            assert!(sql[range.end..].starts_with([';', ' ']));
        }
        assert!(name_behind("CREATE ROLE \"open", "CREATE ROLE ").is_none());
    }
}
