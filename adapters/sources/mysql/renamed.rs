//! A database under another name: where a definition names the database that it stands in, it names the new one.
//!
//! Servers leave that name out where they can. It stays in columns of views whose definer is gone, in views over several databases, and in
//! defaults that draw from a sequence.

use super::sql;

/// What stands in front of a table's name, brackets aside.
const BEFORE: [&str; 2] = [" from", " join"];
/// Functions whose argument is a sequence.
const DRAWS: [&str; 3] = ["nextval(", "lastval(", "setval("];

/// `line` with the database `from` called `to`. A table or an alias that is called like the database stays what it is.
pub(super) fn renamed(line: &str, from: &str, to: &str) -> String {
    let name = format!("{}.", sql::name(from));
    let mut text = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = sql::find_bare(rest, &name) {
        text.push_str(&rest[..at]);
        rest = &rest[at + name.len()..];
        if is_third(rest) || is_place(&text) {
            text.push_str(&sql::name(to));
            text.push('.');
        } else {
            text.push_str(&name);
        }
        // What comes next is a name as well, which is passed as a whole.
        let end = end_of_name(rest);
        text.push_str(&rest[..end]);
        rest = &rest[end..];
    }
    text.push_str(rest);
    text
}

/// Whether two more names follow.
fn is_third(rest: &str) -> bool {
    rest[end_of_name(rest)..].starts_with(".`")
}

/// Whether a table or a sequence is named behind `text`.
fn is_place(text: &str) -> bool {
    let before = text.trim_end_matches([' ', '(']);
    let is_behind = before.len() < text.len() && BEFORE.iter().any(|word| before.ends_with(word));
    is_behind || DRAWS.iter().any(|word| text.ends_with(word))
}

/// Where the quoted name ends that `rest` begins with.
fn end_of_name(rest: &str) -> usize {
    let Some(inner) = rest.strip_prefix('`') else {
        return 0;
    };
    let mut at = 0;
    while let Some(tick) = inner[at..].find('`') {
        at += tick + 1;
        if !inner[at..].starts_with('`') {
            return at + 1;
        }
        at += 1;
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_database_gets_the_new_name() {
        for (line, expected) in [
            (
                "VIEW `v` AS select `x`.`t`.`a` AS `a` from `t`",
                "VIEW `v` AS select `n`.`t`.`a` AS `a` from `t`",
            ),
            ("select `x`.`a` from `x`", "select `x`.`a` from `x`"),
            (
                "select `x`.`a`,'`x`.`t`.`a`' from ((`x`.`x` join `x`.`u`) join `o`.`t`)",
                "select `x`.`a`,'`x`.`t`.`a`' from ((`n`.`x` join `n`.`u`) join `o`.`t`)",
            ),
            (
                "  `id` int DEFAULT nextval(`x`.`s`),",
                "  `id` int DEFAULT nextval(`n`.`s`),",
            ),
            ("select `x`.`a``b`.`c`", "select `n`.`a``b`.`c`"),
            (
                "select `ax`.`t`.`c`, `y`.`x`.`c`",
                "select `ax`.`t`.`c`, `y`.`x`.`c`",
            ),
        ] {
            assert_eq!(renamed(line, "x", "n"), expected);
        }
    }
}
