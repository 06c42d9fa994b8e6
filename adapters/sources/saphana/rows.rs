//! What hdbsql prints: a row a line, values behind commas, text in double quotes, `?` for what is nothing.

/// The rows of an answer. Nothing stands for NULL.
pub(super) fn parse(text: &str) -> Vec<Vec<Option<String>>> {
    let mut rows = Vec::new();
    let mut row = Vec::new();
    let mut chars = text.chars().peekable();
    while chars.peek().is_some() {
        let mut value = String::new();
        let is_text = chars.next_if_eq(&'"').is_some();
        if is_text {
            while let Some(c) = chars.next() {
                // A quote within a text is doubled; any other ends it.
                if c == '"' && chars.next_if_eq(&'"').is_none() {
                    break;
                }
                value.push(c);
            }
        }
        let mut is_last = true;
        for c in chars.by_ref() {
            match c {
                ',' => is_last = false,
                '\n' => {}
                c => {
                    value.push(c);
                    continue;
                }
            }
            break;
        }
        let value = if is_text {
            &value
        } else {
            value.trim_end_matches('\r')
        };
        row.push((is_text || value != "?").then(|| value.to_owned()));
        if is_last {
            let whole = std::mem::take(&mut row);
            // An empty line is no row.
            if whole.len() > 1
                || whole
                    .first()
                    .is_some_and(|value| value.as_deref() != Some(""))
                || is_text
            {
                rows.push(whole);
            }
        }
    }
    if !row.is_empty() {
        row.push(Some(String::new()));
        rows.push(row);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> Option<String> {
        Some(value.to_owned())
    }

    #[test]
    fn rows_are_read_as_hdbsql_prints_them() {
        let printed =
            "\"SYSTEMDB\",\"YES\",12\n\n\"a \"\"b\"\", c\",?,-7\r\n\"two\nlines\",\"?\",\"\"\n";
        assert_eq!(
            parse(printed),
            [
                vec![text("SYSTEMDB"), text("YES"), text("12")],
                vec![text("a \"b\", c"), None, text("-7")],
                vec![text("two\nlines"), text("?"), text("")],
            ]
        );
        assert!(parse("").is_empty());
        assert_eq!(parse("1,"), [[text("1"), text("")]]);
    }
}
