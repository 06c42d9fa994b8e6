//! Filters of lists: conditions that are only there when somebody asked for them, with numbered values.

/// Conditions that all have to hold.
pub(crate) struct Filter {
    conditions: Vec<String>,
    next: usize,
    values: Values,
}

/// The values of a filter in the order of their numbers: ids first, then texts.
#[derive(Debug, Default)]
pub(crate) struct Values {
    /// The first numbers.
    pub(crate) ids: Vec<i64>,
    /// The numbers behind them.
    pub(crate) texts: Vec<&'static str>,
}

impl Filter {
    /// Begins with a condition that is always there; the numbers below `next` are taken.
    pub(crate) fn behind(condition: &str, next: usize) -> Self {
        Self {
            conditions: vec![condition.to_owned()],
            next,
            values: Values::default(),
        }
    }

    /// `column` is this id. All ids come before the first text.
    pub(crate) fn id(&mut self, column: &str, id: Option<i64>) {
        if let Some(id) = id {
            self.condition(column);
            self.values.ids.push(id);
        }
    }

    /// `column` is this text.
    pub(crate) fn text(&mut self, column: &str, text: Option<&'static str>) {
        if let Some(text) = text {
            self.condition(column);
            self.values.texts.push(text);
        }
    }

    /// The conditions joined, and their values.
    pub(crate) fn done(self) -> (String, Values) {
        (self.conditions.join(" AND "), self.values)
    }

    fn condition(&mut self, column: &str) {
        self.conditions.push(format!("{column} = ${}", self.next));
        self.next += 1;
    }
}
