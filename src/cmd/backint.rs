//! `backupx backint`: SAP's Backint interface, as a HANA database calls it.

use super::failure::{FAILED, Usage, usage};
use super::output::print_text;
use crate::{shutdown, wire};
use anyhow::{Context, Result};
use backupx_agent::backint::protocol::{Function, VERSION, ourselves, quoted, spoken};
use backupx_agent::backint::{Call, Log, Parameters, rebuild, run as carry_out};
use backupx_core::ports::clock::SystemClock;
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, ErrorKind};
use clap::Parser;
use std::ffi::{OsStr, OsString};
use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Names under which a database looks for its Backint program.
const NAMES: [&str; 2] = ["backint", "hdbbackint"];

/// Whatever stands behind `backint`: its options are SAP's, not those of the other commands.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// As SAP defines them; `backupx backint --help` explains them
    #[arg(value_name = "OPTION")]
    options: Vec<OsString>,
}

/// Take and hand back the backups of a HANA database, through SAP's Backint interface.
#[derive(Debug, Parser)]
#[command(name = "backint", disable_version_flag = true, max_term_width = 100)]
struct Options {
    /// What to do: backup, restore, inquire, delete
    #[arg(short = 'f', value_name = "FUNCTION", value_parser = function, required_unless_present_any = ["version", "full_version", "rebuild_catalog"])]
    function: Option<Function>,
    /// Whose objects they are: the database's name
    #[arg(short = 'u', value_name = "USERID", default_value = "default")]
    user: String,
    /// The database's own id of the backup
    #[arg(short = 's', value_name = "BACKUPID")]
    backup_id: Option<String>,
    /// How many objects the input names
    #[arg(short = 'c', value_name = "OBJECTCOUNT")]
    object_count: Option<u64>,
    /// Of which level the backup is, as COMPLETE or LOG
    #[arg(short = 'l', value_name = "LEVEL")]
    level: Option<String>,
    /// File with the requests [default: standard input]
    #[arg(short = 'i', value_name = "INFILE")]
    input: Option<PathBuf>,
    /// File for the answers [default: standard output]
    #[arg(short = 'o', value_name = "OUTFILE")]
    output: Option<PathBuf>,
    /// Parameter file: the storage and its secrets
    #[arg(short = 'p', value_name = "PARFILE", required_unless_present_any = ["version", "full_version"])]
    parameters: Option<PathBuf>,
    /// Print the version of the interface
    #[arg(short = 'v')]
    version: bool,
    /// Print the version of the interface and of this program
    #[arg(short = 'V')]
    full_version: bool,
    /// Make the catalogue (CATALOG_DB) anew from storage, and remove what was begun a week ago and never finished
    #[arg(long, conflicts_with = "function")]
    rebuild_catalog: bool,
}

fn function(text: &str) -> Result<Function, String> {
    Function::ALL
        .into_iter()
        .find(|function| function.as_str() == text)
        .ok_or_else(|| {
            let known = Function::ALL.map(Function::as_str).join(", ");
            format!("is not one of {known}")
        })
}

/// The arguments of a process that was called by one of a Backint program's names, or as `backupx backint`, such that all of its options
/// stay as they are.
pub(crate) fn arguments(given: &[OsString]) -> Option<Vec<OsString>> {
    let (program, rest) = given.split_first()?;
    let options = if is_backint(program) {
        rest
    } else {
        rest.split_first()
            .filter(|(command, _)| *command == "backint")?
            .1
    };
    let head = [program.clone(), "backint".into(), "--".into()];
    Some(head.into_iter().chain(options.iter().cloned()).collect())
}

fn is_backint(program: &OsStr) -> bool {
    Path::new(program)
        .file_name()
        .is_some_and(|name| NAMES.iter().any(|known| name == *known))
}

/// Carries one call out.
pub(crate) async fn run(args: Args) -> Result<ExitCode> {
    let given = std::iter::once("backint".into()).chain(args.options);
    let options = match Options::try_parse_from(given) {
        Ok(options) => options,
        Err(error) if error.use_stderr() => return Err(usage(plain(&error))),
        Err(help) => {
            print_text(&help.to_string())?;
            return Ok(ExitCode::SUCCESS);
        }
    };
    if options.version || options.full_version {
        let mut said = quoted(&spoken(VERSION));
        if options.full_version {
            said = format!("{said} {}", quoted(&ourselves()));
        }
        print_text(&said)?;
        return Ok(ExitCode::SUCCESS);
    }
    let path = options.parameters.as_deref().context("-p is required")?;
    let parameters = Parameters::load(path).map_err(wrong_settings)?;
    let clock = Arc::new(SystemClock);
    let log = Log::open(parameters.log_file.as_deref(), clock).map_err(wrong_settings)?;
    match options.function {
        Some(function) => call(function, options, parameters, Arc::new(log)).await,
        None => rebuilt(&parameters, Arc::new(log)).await,
    }
}

async fn call(
    function: Function,
    options: Options,
    parameters: Parameters,
    log: Arc<Log>,
) -> Result<ExitCode> {
    let input = read(options.input.as_deref())?;
    let host = wire::backint_host(&parameters, &log).await?;
    let stop = StopFlag::default();
    stop_on_signal(stop.clone())?;
    let call = Call {
        function,
        user: options.user,
        backup_id: options.backup_id,
        object_count: options.object_count,
        level: options.level,
    };
    let output = options.output;
    let open = move || open_output(output.as_deref());
    let well = carry_out(call, &input, open, parameters, host, log, stop)
        .await
        .map_err(wrong_settings)?;
    Ok(if well {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FAILED)
    })
}

async fn rebuilt(parameters: &Parameters, log: Arc<Log>) -> Result<ExitCode> {
    let host = wire::backint_host(parameters, &log).await?;
    if host.catalogue.is_none() {
        let why = "there is no catalogue to rebuild: name a file by CATALOG_DB that can be used";
        return Err(usage(why));
    }
    let rebuilt = rebuild(parameters, host, log).await?;
    print_text(&format!(
        "{} objects with {} bytes are in the catalogue; {} unfinished ones were removed",
        rebuilt.objects, rebuilt.bytes, rebuilt.removed
    ))?;
    Ok(ExitCode::SUCCESS)
}

fn read(path: Option<&Path>) -> Result<Vec<u8>> {
    let mut input = Vec::new();
    match path {
        Some(path) => {
            let read = std::fs::read(path);
            input = read.map_err(|error| usage(format!("-i {}: {error}", path.display())))?;
        }
        None => drop(std::io::stdin().lock().read_to_end(&mut input)?),
    }
    Ok(input)
}

fn open_output(path: Option<&Path>) -> Result<Box<dyn Write + Send>, Error> {
    let Some(path) = path else {
        return Ok(Box::new(std::io::stdout()));
    };
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o640)
        .open(path);
    match file {
        Ok(file) => Ok(Box::new(file)),
        Err(error) => {
            let message = format!("-o {} can't be written: {error}", path.display());
            Err(Error::invalid("output_failed", message))
        }
    }
}

/// Has the call end early at SIGTERM or Ctrl-C: what is under way is answered with #ERROR and removed.
fn stop_on_signal(stop: StopFlag) -> Result<()> {
    let asked = shutdown::on_signal()?;
    tokio::spawn(async move {
        asked.cancelled().await;
        stop.stop();
    });
    Ok(())
}

/// What can be seen to be wrong before anything is done is a wrong usage; anything else failed.
fn wrong_settings(error: Error) -> anyhow::Error {
    match error.kind() {
        ErrorKind::Invalid => Usage(error.chain()).into(),
        _ if error.code() == "secrets_readable" => Usage(error.chain()).into(),
        _ => error.into(),
    }
}

/// What the parser says, without the word that is said anyway.
fn plain(error: &clap::Error) -> String {
    let text = error.to_string();
    text.strip_prefix("error: ")
        .unwrap_or(&text)
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn given(words: &[&str]) -> Option<Vec<OsString>> {
        let words: Vec<_> = words.iter().map(OsString::from).collect();
        arguments(&words)
    }

    #[test]
    fn the_options_are_consistent() {
        Options::command().debug_assert();
    }

    #[test]
    fn a_database_finds_the_program_by_its_name() {
        let expected = |program: &str| {
            let words = [program, "backint", "--", "-f", "backup", "-o", "/out"];
            Some(words.map(OsString::from).to_vec())
        };
        for program in ["/usr/sap/HN1/SYS/global/hdb/opt/hdbbackint", "backint"] {
            assert_eq!(
                given(&[program, "-f", "backup", "-o", "/out"]),
                expected(program)
            );
        }
        let program = "/usr/bin/backupx";
        assert_eq!(
            given(&[program, "backint", "-f", "backup", "-o", "/out"]),
            expected(program)
        );
        assert_eq!(given(&[program, "task", "ls"]), None);
        assert_eq!(given(&[program]), None);
    }
}
