//! A dump on its way back: passed on line by line, whole or some tables of it, with the few lines changed that would not fit, and watched
//! for its end.

use super::read::END;
use super::renamed::renamed;
use super::sql;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};

/// Bytes of a line that are looked at together; the rows of a table may be longer.
const MOST_LINE: u64 = 64 << 10;
/// What older clients, and MySQL's, do not understand in front of a dump of MariaDB.
const SANDBOX: &str = "/*M!999999\\-";
/// How the parts of a dump begin.
const STRUCTURE: &str = "-- Table structure for table `";
const DATA: &str = "-- Dumping data for table `";
const SEQUENCE: &str = "-- Sequence structure for `";
const OTHERS: [&str; 6] = [
    "-- Temporary table structure for view `",
    "-- Temporary view structure for view `",
    "-- Final view structure for view `",
    "-- Dumping events for database ",
    "-- Dumping routines for database ",
    "/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE",
];
/// How a view is made.
const VIEW: &str = "/*!50001 VIEW ";

/// The dump of the database `from`, made to fit the database `to`.
pub(super) struct Restored<'a> {
    input: BufReader<&'a mut dyn Read>,
    from: &'a str,
    to: &'a str,
    /// The tables that are asked for; empty means everything.
    chosen: &'a [String],
    found: BTreeSet<&'a str>,
    line: Vec<u8>,
    at: usize,
    begins: bool,
    /// Whether the body of a routine, a trigger or an event is passed, in which lines mean nothing.
    in_body: bool,
    part: Part,
    passes: bool,
    tables: u64,
    ended: bool,
}

/// What a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// How a table is made.
    Structure,
    /// Anything else.
    Other,
}

impl<'a> Restored<'a> {
    pub(super) fn new(
        input: &'a mut dyn Read,
        from: &'a str,
        to: &'a str,
        chosen: &'a [String],
    ) -> Self {
        Self {
            input: BufReader::with_capacity(256 << 10, input),
            from,
            to,
            chosen,
            found: BTreeSet::new(),
            line: Vec::new(),
            at: 0,
            begins: true,
            in_body: false,
            part: Part::Other,
            passes: true,
            tables: 0,
            ended: false,
        }
    }

    /// How many tables were passed on.
    pub(super) fn tables(&self) -> u64 {
        self.tables
    }

    /// Whether its last line was the end marker.
    pub(super) fn ended(&self) -> bool {
        self.ended
    }

    /// The tables that are asked for and not in it.
    pub(super) fn missing(&self) -> Vec<&'a str> {
        let chosen = self.chosen.iter().map(String::as_str);
        chosen.filter(|name| !self.found.contains(name)).collect()
    }

    /// Takes the next line that is passed on, or the next part of one. Nothing at the end.
    fn next(&mut self) -> std::io::Result<bool> {
        loop {
            self.line.clear();
            self.at = 0;
            let count = self
                .input
                .by_ref()
                .take(MOST_LINE)
                .read_until(b'\n', &mut self.line)?;
            if count == 0 {
                return Ok(false);
            }
            let is_start = self.begins;
            self.begins = self.line.ends_with(b"\n");
            if is_start {
                self.look();
            }
            if self.passes {
                return Ok(true);
            }
        }
    }

    /// Looks at the beginning of a line.
    fn look(&mut self) {
        self.ended = self.line.starts_with(END.as_bytes());
        // Rows are neither marks nor changed.
        if matches!(self.line.first(), Some(b'(' | b'I' | b'\n')) {
            return;
        }
        let Ok(line) = std::str::from_utf8(&self.line) else {
            return;
        };
        if let Some(delimiter) = line.strip_prefix("DELIMITER ") {
            self.in_body = delimiter.trim_end() != ";";
            return;
        }
        let alter = format!("ALTER DATABASE {} ", sql::name(self.from));
        if let Some(rest) = line.strip_prefix(&alter) {
            // A routine or trigger that was made under another collation of its database is wrapped in two of these.
            let changed = format!("ALTER DATABASE {} {rest}", sql::name(self.to));
            self.line = changed.into_bytes();
            return;
        }
        if self.in_body {
            return;
        }
        if line.starts_with(SANDBOX) {
            self.line = b"\n".to_vec();
        } else if line.starts_with(STRUCTURE) {
            self.tables += u64::from(self.enter(Part::Structure));
        } else if line.starts_with(DATA) || line.starts_with(SEQUENCE) {
            self.enter(Part::Other);
        } else if OTHERS.iter().any(|mark| line.starts_with(mark)) {
            self.part = Part::Other;
            self.passes = self.chosen.is_empty();
        } else if line.starts_with(VIEW) || self.part == Part::Structure && line.starts_with("  ") {
            self.line = renamed(line, self.from, self.to).into_bytes();
        }
    }

    /// A part begins that is about one table. Whether it is passed on.
    fn enter(&mut self, part: Part) -> bool {
        self.part = part;
        let line = String::from_utf8_lossy(&self.line);
        let name = line
            .split_once('`')
            .and_then(|(_, rest)| rest.rsplit_once('`'))
            .map(|(name, _)| name.replace("``", "`"));
        let chosen = self.chosen.iter().find(|one| Some(*one) == name.as_ref());
        self.found.extend(chosen.map(String::as_str));
        self.passes = self.chosen.is_empty() || chosen.is_some();
        self.passes
    }
}

impl Read for Restored<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            if self.at == self.line.len() && !self.next()? {
                break;
            }
            let count = (self.line.len() - self.at).min(buffer.len() - filled);
            buffer[filled..filled + count].copy_from_slice(&self.line[self.at..self.at + count]);
            self.at += count;
            filled += count;
        }
        Ok(filled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DUMP: &str = "/*M!999999\\- enable the sandbox mode */ \n-- MariaDB dump\n\
        -- Sequence structure for `seq`\nCREATE SEQUENCE `seq`;\n\
        -- Table structure for table `t`\nCREATE TABLE `t` (\n  `id` int DEFAULT nextval(`a``b`.`seq`)\n);\n\
        -- Dumping data for table `t`\nLONG\n\
        ALTER DATABASE `a``b` CHARACTER SET latin1 COLLATE latin1_swedish_ci ;\n\
        DELIMITER ;;\nCREATE TRIGGER x\n-- Table structure for table `body`\n SELECT 'ALTER DATABASE `a``b` ' ;;\nDELIMITER ;\n\
        ALTER DATABASE `other` CHARACTER SET latin1 ;\n\
        -- Table structure for table `u``2`\nCREATE TABLE `u``2`;\n\
        -- Final view structure for view `v`\n/*!50001 VIEW `v` AS select `a``b`.`t`.`id` from `t` */;\n\
        /*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;\n-- Dump completed on 2026-01-01\n";

    fn pass(dump: &str, chosen: &[&str]) -> (String, u64, bool, Vec<String>) {
        let chosen: Vec<_> = chosen.iter().map(|name| (*name).to_owned()).collect();
        let mut input = dump.as_bytes();
        let mut restored = Restored::new(&mut input, "a`b", "new", &chosen);
        let mut text = String::new();
        restored.read_to_string(&mut text).expect("memory");
        let missing = restored.missing().into_iter().map(str::to_owned).collect();
        (text, restored.tables(), restored.ended(), missing)
    }

    #[test]
    fn a_dump_is_made_to_fit_its_new_name_and_nothing_else_is_touched() {
        let dump = DUMP.replace("LONG", &format!("({})", "x".repeat(200_000)));
        let expected = dump
            .replace("/*M!999999\\- enable the sandbox mode */ \n", "\n")
            .replace("\nALTER DATABASE `a``b` ", "\nALTER DATABASE `new` ")
            .replace("nextval(`a``b`.", "nextval(`new`.")
            .replace("select `a``b`.", "select `new`.");
        assert_eq!(pass(&dump, &[]), (expected, 2, true, Vec::new()));
        let (_, _, ended, _) = pass(&dump[..dump.len() / 2], &[]);
        assert!(!ended);
    }

    #[test]
    fn single_tables_are_cut_out_with_what_belongs_to_them() {
        let (text, tables, ended, missing) = pass(DUMP, &["u`2", "body"]);
        assert_eq!(
            text,
            "\n-- MariaDB dump\n-- Table structure for table `u``2`\nCREATE TABLE `u``2`;\n"
        );
        assert_eq!((tables, ended, missing), (1, true, vec!["body".to_owned()]));
        let (text, ..) = pass(DUMP, &["t"]);
        assert!(
            text.contains("LONG") && text.contains("CREATE TRIGGER") && !text.contains("SEQUENCE")
        );
    }
}
