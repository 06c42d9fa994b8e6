//! A server of MongoDB's protocol, as the tests reach it.

use crate::support::{Heard, open};
use backupx_core::Result;
use backupx_core::domain::database::{MongodbSource, Server};
use backupx_core::domain::dump::{Dump, DumpFormat};
use backupx_core::domain::source::SourceSpec;
use backupx_core::ports::dumps::{DumpSource, PutBack};
use backupx_core::ports::source::StopFlag;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub(crate) const USER: &str = "backupx";
pub(crate) const PASSWORD: &str = "testsecret";

/// A server: where, and with what.
#[derive(Debug, Clone)]
pub(crate) struct Bed {
    pub(crate) port: u16,
    pub(crate) tools: PathBuf,
    python: PathBuf,
    /// Whether it asks for a sign-in.
    asks: bool,
}

impl Bed {
    /// The server, or why it is not there.
    pub(crate) fn new() -> Result<Self, String> {
        let name = "BACKUPX_TEST_MONGODB";
        let text = std::env::var(name).map_err(|_| format!("{name} is not set, see tests/run"))?;
        let parts: Vec<_> = text.split(':').collect();
        let [port, tools, python] = parts[..] else {
            return Err(format!("{name} is not PORT:TOOLS:PYTHON"));
        };
        Ok(Self {
            port: port.parse().map_err(|_| format!("{port} is no port"))?,
            tools: tools.into(),
            python: python.into(),
            asks: true,
        })
    }

    /// A new server of its own, which lets everybody in.
    pub(crate) fn own(&self) -> (Own, Self) {
        let data = tempfile::tempdir().expect("a folder");
        self.start(data, &[])
    }

    /// The same, which speaks nothing but TLS, and the file with its certificate.
    pub(crate) fn own_with_tls(&self) -> (Own, Self, PathBuf) {
        let data = tempfile::tempdir().expect("a folder");
        let (key, certificate) = (data.path().join("key.pem"), data.path().join("ca.pem"));
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes"])
            .args(["-days", "2", "-subj", "/CN=127.0.0.1"])
            .args(["-addext", "subjectAltName=IP:127.0.0.1"])
            .arg("-keyout")
            .arg(&key)
            .arg("-out")
            .arg(&certificate)
            .output()
            .expect("openssl starts");
        assert!(made.status.success(), "{made:?}");
        let [key, cert] = [&key, &certificate].map(|path| path.display().to_string());
        let options = ["--tls-cert-file", &cert, "--tls-key-file", &key];
        let (own, bed) = self.start(data, &options);
        (own, bed, certificate)
    }

    fn start(&self, data: TempDir, options: &[&str]) -> (Own, Self) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        drop(listener);
        let process = Command::new(self.python.with_file_name("secantusd-py"))
            .args(["--host", "127.0.0.1", "--port", &port.to_string()])
            .arg("--storage-path")
            .arg(data.path().join("data"))
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let own = Own {
            process,
            _data: data,
        };
        let limit = Instant::now() + Duration::from_secs(60);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < limit, "the server does not listen");
            std::thread::yield_now();
        }
        let bed = Self {
            port,
            asks: false,
            ..self.clone()
        };
        (own, bed)
    }

    /// How a task reaches it.
    pub(crate) fn spec(&self) -> MongodbSource {
        MongodbSource {
            server: Server {
                host: Some("127.0.0.1".to_owned()),
                port: Some(self.port),
                user: self.asks.then(|| USER.to_owned()),
                ..Server::default()
            },
            tools: Some(self.tools.display().to_string()),
            ..MongodbSource::default()
        }
    }

    /// The same, of these databases alone.
    pub(crate) fn only(&self, names: &[&str]) -> MongodbSource {
        let mut spec = self.spec();
        spec.databases.only = names.iter().map(|name| (*name).to_owned()).collect();
        spec
    }

    pub(crate) fn uri(&self) -> String {
        let sign_in = if self.asks {
            format!("{USER}:{PASSWORD}@")
        } else {
            String::new()
        };
        format!(
            "mongodb://{sign_in}127.0.0.1:{}/?directConnection=true",
            self.port
        )
    }

    /// A task that takes `names`, signed in.
    pub(crate) fn task(&self, names: &[&str]) -> Task {
        Task::with_password(self.only(names), self.asks.then_some(PASSWORD))
    }

    /// Makes `database` of everything, with the number of rows that is asked for.
    pub(crate) fn fill(&self, database: &str, rows: &str) -> String {
        self.python(&["fill", database, rows])
    }

    /// What `database` holds: counts, hashes of the documents, indexes and options.
    pub(crate) fn total(&self, database: &str) -> String {
        self.python(&["total", database])
    }

    pub(crate) fn drop(&self, database: &str) {
        self.python(&["drop", database]);
    }

    /// What the script answers; it has to.
    pub(crate) fn python(&self, arguments: &[&str]) -> String {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/mongodb/bed.py");
        let output = Command::new(&self.python)
            .arg(script)
            .args(arguments)
            .env("MONGODB_URI", self.uri())
            .stdin(Stdio::null())
            .output()
            .expect("Python starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {said}");
        String::from_utf8(output.stdout).expect("it speaks UTF-8")
    }
}

/// A server that ends with the test.
pub(crate) struct Own {
    process: Child,
    _data: TempDir,
}

impl Drop for Own {
    fn drop(&mut self) {
        self.process.kill().expect("it runs");
        self.process.wait().expect("it ends");
    }
}

/// A task on a server, with a folder for its files.
pub(crate) struct Task {
    pub(crate) source: Box<dyn DumpSource>,
    pub(crate) heard: Heard,
    pub(crate) temp: TempDir,
}

impl Task {
    pub(crate) fn with_password(spec: MongodbSource, password: Option<&str>) -> Self {
        let temp = tempfile::tempdir().expect("a folder");
        Self {
            source: open(SourceSpec::Mongodb(spec), password, temp.path()),
            heard: Heard::default(),
            temp,
        }
    }

    /// The dump, whole.
    pub(crate) fn dump(&self, dump: &Dump) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        let outcome = self
            .source
            .read(dump, &mut out, &self.heard, &StopFlag::default());
        self.nothing_is_left();
        outcome.map(|()| out)
    }

    /// Puts `bytes` back.
    pub(crate) fn put_back(&self, dump: &Dump, bytes: &[u8], how: &PutBack) -> Result<()> {
        let mut input = bytes;
        let outcome =
            self.source
                .put_back(dump, &mut input, how, &self.heard, &StopFlag::default());
        self.nothing_is_left();
        outcome
    }

    pub(crate) fn nothing_is_left(&self) {
        let left = std::fs::read_dir(self.temp.path()).expect("there").count();
        assert_eq!(left, 0, "temporary files are left");
    }
}

/// The dump of `database`.
pub(crate) fn archive(database: &str) -> Dump {
    Dump::database(database, DumpFormat::MongodbArchive)
}

/// A restore under another name.
pub(crate) fn under(name: &str) -> PutBack {
    PutBack {
        name: name.to_owned(),
        jobs: 1,
        ..PutBack::default()
    }
}
