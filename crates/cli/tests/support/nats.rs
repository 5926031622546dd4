//! A NATS server with JetStream, where there is one.
#![allow(clippy::unwrap_used, reason = "helpers are part of the tests")]

use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A server whose files outlive its process.
pub struct NatsServer {
    child: Child,
    port: u16,
    folder: TempDir,
    arguments: Vec<String>,
}

impl NatsServer {
    /// Starts one; says that the test is skipped where there is none.
    pub fn start(more: &[&str]) -> Option<NatsServer> {
        let program = ["nats-server", "/usr/sbin/nats-server"].into_iter().find(|program| {
            let asked = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
            asked.is_ok_and(|status| status.success())
        });
        let Some(program) = program else {
            super::skipped("nats-server is not there");
            return None;
        };
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = tempfile::tempdir().unwrap();
        let mut arguments = vec![program.to_owned()];
        arguments.extend(more.iter().map(|&more| more.to_owned()));
        let child = spawn(&arguments, port, folder.path());
        wait_for(port);
        Some(NatsServer { child, port, folder, arguments })
    }

    /// The address of a stream of it.
    pub fn stream(&self, name: &str) -> String {
        format!("nats://127.0.0.1:{}/{name}", self.port)
    }

    /// Kills it and starts it again.
    pub fn kill_and_start(&mut self) {
        self.kill();
        self.child = spawn(&self.arguments, self.port, self.folder.path());
        wait_for(self.port);
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn spawn(arguments: &[String], port: u16, folder: &Path) -> Child {
    let mut command = Command::new(&arguments[0]);
    command.args(&arguments[1..]).args(["-js", "-a", "127.0.0.1", "-p", &port.to_string(), "-sd"]).arg(folder);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Waits until it answers, with what it had before.
fn wait_for(port: u16) {
    let started = Instant::now();
    loop {
        let mut first = [0; 4];
        let answered = TcpStream::connect(("127.0.0.1", port)).and_then(|mut stream| stream.read_exact(&mut first));
        if answered.is_ok() && &first == b"INFO" {
            return;
        }
        assert!(started.elapsed() < Duration::from_secs(30), "nats-server does not answer");
        std::thread::sleep(Duration::from_millis(20));
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
