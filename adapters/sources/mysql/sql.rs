//! SQL as text: names and strings that mean only themselves, and what stands outside of quotes.

/// Databases that belong to the server itself.
pub(super) const OWN: [&str; 4] = ["information_schema", "mysql", "performance_schema", "sys"];

/// Whether a database belongs to the server itself.
pub(super) fn is_own(name: &str) -> bool {
    OWN.iter().any(|own| own.eq_ignore_ascii_case(name))
}

/// A name, quoted.
pub(super) fn name(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A string that means the same in every `sql_mode` and character set.
pub(super) fn text(text: &str) -> String {
    use std::fmt::Write;
    if text.is_empty() {
        return "''".to_owned();
    }
    let mut hex = String::from("CONVERT(0x");
    for byte in text.bytes() {
        // Writing to a string can't fail.
        let _ = write!(hex, "{byte:02X}");
    }
    hex + " USING utf8mb4)"
}

/// An account as statements name it.
pub(super) fn account(user: &str, host: &str) -> String {
    format!("{}@{}", name(user), name(host))
}

/// Where `needle` first begins in `sql` outside of names and strings.
pub(super) fn find_bare(sql: &str, needle: &str) -> Option<usize> {
    let bytes = sql.as_bytes();
    let (mut at, mut quote) = (0, None);
    while at < bytes.len() {
        match (quote, bytes[at]) {
            (None, _) if bytes[at..].starts_with(needle.as_bytes()) => return Some(at),
            (None, mark @ (b'`' | b'\'' | b'"')) => quote = Some(mark),
            // A doubled mark ends and begins again, which is the same.
            (Some(mark), byte) if byte == mark => quote = None,
            (Some(b'\'' | b'"'), b'\\') => at += 1,
            _ => {}
        }
        at += 1;
    }
    None
}

/// `list` cut at each comma that stands outside of names, strings and brackets.
pub(super) fn split_bare(list: &str) -> Vec<&str> {
    let (mut parts, mut from, mut depth, mut quote) = (Vec::new(), 0, 0_u32, None);
    for (at, c) in list.char_indices() {
        match (quote, c) {
            (None, '`' | '\'' | '"') => quote = Some(c),
            (Some(mark), c) if c == mark => quote = None,
            (Some(_), _) => {}
            (None, '(') => depth += 1,
            (None, ')') => depth = depth.saturating_sub(1),
            (None, ',') if depth == 0 => {
                parts.push(list[from..at].trim());
                from = at + 1;
            }
            (None, _) => {}
        }
    }
    parts.push(list[from..].trim());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_strings_mean_only_themselves() {
        assert_eq!(name("a`b"), "`a``b`");
        assert_eq!(text("a'\\"), "CONVERT(0x61275C USING utf8mb4)");
        assert_eq!(text(""), "''");
    }

    #[test]
    fn what_stands_in_quotes_is_not_found() {
        for (sql, at) in [
            ("GRANT x TO `a TO b` TO c", Some(7)),
            ("` TO ``` TO c", Some(8)),
            ("'it\\' TO ' TO c", Some(10)),
            ("` TO `", None),
        ] {
            assert_eq!(find_bare(sql, " TO "), at, "{sql}");
        }
        assert_eq!(
            split_bare("SELECT (`a`, `b,c`), INSERT, `d,e`"),
            ["SELECT (`a`, `b,c`)", "INSERT", "`d,e`"]
        );
    }
}
