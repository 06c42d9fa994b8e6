//! Drills on a command line: where to, what is asked, and what came of it.

use super::client::{Client, resolve};
use super::failure::usage;
use super::output::{bytes, or_dash, table, yes_no};
use super::settings;
use super::task::source::Given;
use anyhow::Result;
use backupx_api::drills::{Assertion, Drill, DrillPlace, DrillReport};
use backupx_api::nodes::Node;
use backupx_api::sources::{Secrets, Server};
use backupx_core::domain::drill::DRILL_PASSWORD;
use backupx_core::domain::duration;
use std::time::Duration;

/// What has to hold of what a drill restored.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Asserted {
    /// A question that a drill asks a restored database, as `shop: SELECT max(created_at) > now() - interval '1 day' FROM orders`: it holds when the
    /// first value is true or a number other than zero. May be repeated
    #[arg(long = "assert-sql", value_name = "DATABASE: QUERY", value_parser = sql)]
    sql: Vec<Assertion>,
    /// A path that has to be among the files that a drill restored; may be repeated
    #[arg(long = "assert-path", value_name = "PATH")]
    paths: Vec<String>,
    /// A table whose rows may differ by so many percent from those at the backup, as `shop.orders=5%` or `/var/lib/app.db:orders=5%`; may be repeated
    #[arg(long = "assert-rows", value_name = "DATABASE.TABLE=N%", value_parser = rows)]
    rows: Vec<Assertion>,
}

impl Asserted {
    fn is_empty(&self) -> bool {
        self.sql.is_empty() && self.paths.is_empty() && self.rows.is_empty()
    }

    fn all(&self) -> Vec<Assertion> {
        let paths = self
            .paths
            .iter()
            .map(|path| Assertion::Path { path: path.clone() });
        let mut all = self.sql.clone();
        all.extend(self.rows.iter().cloned());
        all.extend(paths);
        all
    }
}

/// How one record is drilled; without any of these as its task says.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Once {
    /// For a drill, the node that does it: id or name [default: the one that made the backup]
    #[arg(long)]
    node: Option<String>,
    /// For a drill, where it restores into: folder, server, throwaway [default: folder for files and SQLite, throwaway for PostgreSQL and MySQL]
    #[arg(long, value_name = "PLACE", value_parser = place)]
    place: Option<PlaceKind>,
    /// For a drill, only these databases, or what matches a glob; may be repeated
    #[arg(long, value_name = "GLOB")]
    include: Vec<String>,
    /// For a drill, the server that it restores into, instead of the task's own: host, port, socket, user, password, passwordFile, tls, tlsCa;
    /// and tools, the folder of its programs
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// For a drill, how long it may take, as 90m or 12h [default: a day]
    #[arg(long, value_name = "DURATION", value_parser = limit)]
    time_limit: Option<Duration>,
    #[command(flatten)]
    asserted: Asserted,
}

impl Once {
    /// What is said; nothing when nothing is.
    pub(crate) async fn drill(&self, client: &Client) -> Result<Option<(Drill, Secrets)>> {
        let nothing = self.node.is_none()
            && self.place.is_none()
            && self.include.is_empty()
            && self.set.is_empty()
            && self.time_limit.is_none()
            && self.asserted.is_empty();
        if nothing {
            return Ok(None);
        }
        let mut secrets = Secrets::default();
        let drill = Drill {
            node_id: match &self.node {
                Some(node) => Some(resolve::find::<Node>(client, node).await?.id),
                None => None,
            },
            place: aimed(None, self.place, &self.set, "password", &mut secrets)?,
            only: self.include.clone(),
            assertions: self.asserted.all(),
            time_limit_secs: self.time_limit.map(|limit| limit.as_secs()),
        };
        Ok(Some((drill, secrets)))
    }
}

/// How a task has its backups drilled.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Always {
    /// The node that drills its backups: id or name [default: the one that made them]
    #[arg(long, value_name = "NODE")]
    drill_node: Option<String>,
    /// Where drills restore into: folder, server, throwaway [default: folder for files and SQLite, throwaway for PostgreSQL and MySQL]
    #[arg(long, value_name = "PLACE", value_parser = place)]
    drill_place: Option<PlaceKind>,
    /// Drill only these databases, or what matches a glob; may be repeated
    #[arg(long, value_name = "GLOB")]
    drill_include: Vec<String>,
    /// The server that drills restore into, instead of the task's own: host, port, socket, user, password, passwordFile, tls, tlsCa; and tools,
    /// the folder of its programs
    #[arg(long, value_name = "KEY=VALUE")]
    drill_set: Vec<String>,
    /// How long a drill may take, as 90m or 12h; 0 means the default, a day
    #[arg(long, value_name = "DURATION", value_parser = limit)]
    drill_time_limit: Option<Duration>,
    #[command(flatten)]
    asserted: Asserted,
}

impl Always {
    /// Puts what was said into `drill`, and a password into `secrets`. Lists replace the ones before.
    pub(crate) async fn apply(
        &self,
        client: &Client,
        drill: &mut Option<Drill>,
        secrets: &mut Secrets,
    ) -> Result<()> {
        let mut changed = drill.clone().unwrap_or_default();
        if let Some(node) = &self.drill_node {
            changed.node_id = Some(resolve::find::<Node>(client, node).await?.id);
        }
        if self.drill_place.is_some() || !self.drill_set.is_empty() {
            let before = changed.place.take();
            let set = &self.drill_set;
            changed.place = aimed(before, self.drill_place, set, DRILL_PASSWORD, secrets)?;
        }
        if !self.drill_include.is_empty() {
            changed.only.clone_from(&self.drill_include);
        }
        if let Some(limit) = self.drill_time_limit {
            changed.time_limit_secs = Some(limit.as_secs()).filter(|seconds| *seconds > 0);
        }
        if !self.asserted.is_empty() {
            changed.assertions = self.asserted.all();
        }
        if changed != Drill::default() || drill.is_some() {
            *drill = Some(changed);
        }
        Ok(())
    }
}

/// Kinds of places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PlaceKind {
    Folder,
    Server,
    Throwaway,
}

/// The place that settings make of the one before.
fn aimed(
    before: Option<DrillPlace>,
    kind: Option<PlaceKind>,
    set: &[String],
    password: &str,
    secrets: &mut Secrets,
) -> Result<Option<DrillPlace>> {
    let mut given = Given(settings::parse(set)?);
    let mut said = Secrets::default();
    let (mut server, mut tools) = match &before {
        Some(DrillPlace::Server { server, tools }) => {
            (server.clone().unwrap_or_default(), tools.clone())
        }
        Some(DrillPlace::Throwaway { tools }) => (Server::default(), tools.clone()),
        Some(DrillPlace::Folder) | None => (Server::default(), None),
    };
    given.server(&mut server, &mut said)?;
    given.text(&["tools"], &mut tools);
    if let Some(uri) = given.take(&["uri"]) {
        said.0.insert("uri".to_owned(), uri);
    }
    if let Some(key) = given.0.keys().next() {
        return Err(usage(format!(
            "--set {key}: the server of a drill has no such setting; it has host, port, socket, user, password, passwordFile, tls, tlsCa, tools"
        )));
    }
    for (name, value) in said.0 {
        let name = match name.as_str() {
            "password" => password.to_owned(),
            _ => name,
        };
        secrets.0.insert(name, value);
    }
    let names_one = server != Server::default();
    let kind = match (kind, before) {
        (Some(kind), _) => Some(kind),
        (None, _) if names_one => Some(PlaceKind::Server),
        (None, Some(DrillPlace::Folder)) => Some(PlaceKind::Folder),
        (None, Some(DrillPlace::Server { .. })) => Some(PlaceKind::Server),
        (None, Some(DrillPlace::Throwaway { .. })) => Some(PlaceKind::Throwaway),
        (None, None) if tools.is_some() => Some(PlaceKind::Throwaway),
        (None, None) => None,
    };
    let server = Some(server).filter(|_| names_one);
    match kind {
        None => Ok(None),
        Some(PlaceKind::Server) => Ok(Some(DrillPlace::Server { server, tools })),
        Some(PlaceKind::Folder | PlaceKind::Throwaway) if server.is_some() && !set.is_empty() => {
            Err(usage(
                "a server is named with --set, and the place is another one; use --place server",
            ))
        }
        Some(PlaceKind::Folder) => Ok(Some(DrillPlace::Folder)),
        Some(PlaceKind::Throwaway) => Ok(Some(DrillPlace::Throwaway { tools })),
    }
}

/// What came of a drill, as names and values and a table.
pub(crate) fn view(report: &DrillReport) -> (Vec<(&'static str, String)>, String) {
    let mut pairs = vec![("place", report.place.clone())];
    pairs.extend(report.server.clone().map(|server| ("server", server)));
    if !report.databases.is_empty() {
        pairs.push(("databases", report.databases.join(", ")));
    }
    pairs.extend([
        (
            "restored",
            format!(
                "{} entries, {}",
                report.restored_entries,
                bytes(report.restored_bytes)
            ),
        ),
        ("read from storage", bytes(report.stored_bytes_read)),
        (
            "times",
            format!(
                "place {} ms, restore {} ms, assertions {} ms, in all {} ms",
                report.prepare_ms, report.restore_ms, report.assertions_ms, report.total_ms
            ),
        ),
    ]);
    if !report.warnings.is_empty() {
        pairs.push(("warnings", report.warnings.join("\n")));
    }
    if !report.problems.is_empty() {
        pairs.push(("problems", report.problems.join("\n")));
    }
    let answers = table(
        ["assertion", "holds", "answer", "expected", "took"],
        &["took"],
        report.answers.iter().map(|answer| {
            [
                answer.assertion.clone(),
                yes_no(answer.ok),
                answer.answer.clone(),
                or_dash(answer.expected.clone().unwrap_or_default()),
                format!("{} ms", answer.duration_ms),
            ]
        }),
    );
    match report.answers.is_empty() {
        true => (pairs, String::new()),
        false => (pairs, answers),
    }
}

/// What a task's drill is, in a few words.
pub(crate) fn in_words(drill: &Drill) -> String {
    let place = match &drill.place {
        None => "usual place",
        Some(DrillPlace::Folder) => "folder",
        Some(DrillPlace::Server { .. }) => "server",
        Some(DrillPlace::Throwaway { .. }) => "throw-away server",
    };
    let asked = drill.assertions.iter().map(|assertion| match assertion {
        Assertion::Sql {
            name: Some(name), ..
        } => name.clone(),
        Assertion::Sql {
            database, query, ..
        } => format!("{database}: {query}"),
        Assertion::Path { path } => path.clone(),
        Assertion::Rows {
            database,
            table,
            within,
        } => format!("{database}.{table} within {within} %"),
    });
    let lines: Vec<_> = std::iter::once(place.to_owned()).chain(asked).collect();
    lines.join("\n")
}

fn place(text: &str) -> Result<PlaceKind, String> {
    match text {
        "folder" => Ok(PlaceKind::Folder),
        "server" => Ok(PlaceKind::Server),
        "throwaway" => Ok(PlaceKind::Throwaway),
        _ => Err("use one of folder, server, throwaway".to_owned()),
    }
}

fn limit(text: &str) -> Result<Duration, String> {
    duration::parse(text).ok_or_else(|| format!("use {}", duration::ACCEPTED))
}

fn sql(text: &str) -> Result<Assertion, String> {
    let parts = text.split_once(": ");
    let (database, query) = parts.ok_or("use DATABASE: QUERY, as \"shop: SELECT 1\"")?;
    Ok(Assertion::Sql {
        database: database.trim().to_owned(),
        query: query.trim().to_owned(),
        name: None,
    })
}

fn rows(text: &str) -> Result<Assertion, String> {
    let how = "use DATABASE.TABLE=N%, as shop.orders=5%";
    let (place, within) = text.rsplit_once('=').ok_or(how)?;
    let within = within.strip_suffix('%').unwrap_or(within);
    let within = within.trim().parse().map_err(|_| how)?;
    // The path of a file has dots of its own.
    let parts = place.rsplit_once(':').or_else(|| place.split_once('.'));
    let (database, table) = parts.ok_or(how)?;
    Ok(Assertion::Rows {
        database: database.to_owned(),
        table: table.to_owned(),
        within,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assertions_are_read_as_people_write_them() {
        assert_eq!(
            sql("shop: SELECT a: b"),
            Ok(Assertion::Sql {
                database: "shop".to_owned(),
                query: "SELECT a: b".to_owned(),
                name: None
            })
        );
        assert!(sql("SELECT 1").is_err());
        let table = |database: &str, table: &str, within| {
            Ok(Assertion::Rows {
                database: database.to_owned(),
                table: table.to_owned(),
                within,
            })
        };
        assert_eq!(rows("shop.orders=5%"), table("shop", "orders", 5));
        assert_eq!(
            rows("shop.public.orders=0"),
            table("shop", "public.orders", 0)
        );
        assert_eq!(rows("/a/b.db:t=10 %"), table("/a/b.db", "t", 10));
        for bad in [
            "shop.orders",
            "orders=5%",
            "shop.orders=x%",
            "shop.orders=-1%",
        ] {
            assert!(rows(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_server_that_is_named_is_the_place() -> Result<()> {
        let set = ["host=db".to_owned(), "password=hunter2".to_owned()];
        let mut secrets = Secrets::default();
        let place = aimed(None, None, &set, DRILL_PASSWORD, &mut secrets)?;
        assert!(matches!(
            place,
            Some(DrillPlace::Server {
                server: Some(_),
                ..
            })
        ));
        assert_eq!(
            secrets.0.get(DRILL_PASSWORD).map(String::as_str),
            Some("hunter2")
        );
        let more = ["port=1".to_owned()];
        let place = aimed(place, None, &more, DRILL_PASSWORD, &mut secrets)?;
        let Some(DrillPlace::Server {
            server: Some(server),
            ..
        }) = place
        else {
            panic!("no server");
        };
        assert_eq!((server.host.as_deref(), server.port), (Some("db"), Some(1)));
        let folder = Some(PlaceKind::Folder);
        assert!(aimed(None, folder, &set, DRILL_PASSWORD, &mut secrets).is_err());
        assert_eq!(aimed(None, None, &[], "password", &mut secrets)?, None);
        Ok(())
    }
}
