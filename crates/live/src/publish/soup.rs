//! SoupBinTCP clients, each served from its own place.

use super::Session;
use crate::clock;
use crate::spool::SpoolReader;
use anyhow::Result;
use quoteclock_wire::soup::{Login, Rejection, Request, Server, put_accepted, put_end, put_rejected, put_sequenced};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout};

/// What is gathered for a client before it is sent: with the system's buffers less than 256 KiB for one that does not
/// read.
const GATHERED_BYTES: usize = 1 << 16;
/// How much the system holds for a client that does not read.
const SEND_BUFFER_BYTES: usize = 1 << 16;
/// How long a client has to close after the end of the session.
const CLOSE_WITHIN: Duration = Duration::from_secs(5);
/// More clients than this are sent away.
const CLIENTS_MAX: usize = 1024;

pub(super) async fn serve(
    listener: TcpListener,
    session: Arc<Session>,
    credentials: (Vec<u8>, Vec<u8>),
    shutdown: impl Future<Output = ()>,
) -> Result<()> {
    let credentials = Arc::new(credentials);
    let mut clients = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => return Ok(()),
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) if clients.len() < CLIENTS_MAX => {
                    let (session, credentials) = (Arc::clone(&session), Arc::clone(&credentials));
                    clients.spawn(async move {
                        let mut client = Client::new(stream, session);
                        let why = client.run(&credentials).await;
                        tracing::info!(%peer, why, "client has left");
                    });
                }
                Ok(_) => tracing::warn!("more clients than {CLIENTS_MAX}: one is sent away"),
                Err(error) => {
                    tracing::warn!(%error, "accepting a client");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            Some(_) = clients.join_next() => {}
        }
    }
}

struct Client {
    stream: TcpStream,
    session: Arc<Session>,
    server: Server,
    /// What is to be sent, from `sent` on.
    output: Vec<u8>,
    sent: usize,
}

/// What comes next for a client that has been let in.
enum Due {
    /// There is something to send.
    Now,
    /// The next message is due then.
    At(Duration),
    /// Everything has been gathered, the end of the session, too.
    Ended,
}

impl Client {
    fn new(stream: TcpStream, session: Arc<Session>) -> Client {
        let _ = stream.set_nodelay(true);
        let _ = socket2::SockRef::from(&stream).set_send_buffer_size(SEND_BUFFER_BYTES);
        Client { stream, session, server: Server::new(clock::now()), output: Vec::new(), sent: 0 }
    }

    /// Serves the client until it leaves; says why.
    async fn run(&mut self, credentials: &(Vec<u8>, Vec<u8>)) -> &'static str {
        let mut reader = match self.log_in(credentials).await {
            Ok(reader) => reader,
            Err(why) => return why,
        };
        let mut input = vec![0; 4096];
        loop {
            let due = match self.gather(&mut reader) {
                Ok(due) => due,
                Err(error) => {
                    tracing::error!(%error, "reading the messages");
                    return "the messages cannot be read";
                }
            };
            if let (Due::Ended, true) = (&due, self.sent == self.output.len()) {
                return self.close(&mut input).await;
            }
            let wake = match due {
                Due::At(at) => at.min(clock::now() + Duration::from_millis(500)),
                Due::Now | Due::Ended => clock::now() + Duration::from_millis(500),
            };
            let (mut from, mut to) = self.stream.split();
            tokio::select! {
                written = to.write(&self.output[self.sent..]), if self.sent < self.output.len() => match written {
                    Ok(count) if 0 < count => {
                        self.sent += count;
                        self.server.sent(clock::now());
                        if self.sent == self.output.len() {
                            self.output.clear();
                            self.sent = 0;
                        }
                    }
                    _ => return "the connection is gone",
                },
                read = from.read(&mut input) => match read {
                    Ok(count) if 0 < count => match self.server.receive(clock::now(), &input[..count]) {
                        Ok(None) => {}
                        Ok(Some(Request::Logout)) => return "logged out",
                        Ok(Some(Request::Login(_))) | Err(_) => return "not of this protocol",
                    },
                    _ => return "the connection is gone",
                },
                () = sleep_until(clock::instant(wake)) => {}
            }
            if self.server.tick(clock::now(), &mut self.output).is_err() {
                return "silent";
            }
        }
    }

    /// Gathers messages that are due.
    fn gather(&mut self, reader: &mut SpoolReader) -> std::io::Result<Due> {
        let now = clock::now();
        while self.output.len() < GATHERED_BYTES {
            let Some(message) = reader.peek()? else {
                if reader.number() <= self.session.spool.count() + 1 {
                    put_end(&mut self.output);
                    // Beyond the last: the end is gathered once.
                    *reader = self.session.reader(u64::MAX);
                }
                return Ok(Due::Ended);
            };
            match self.session.due(message.time) {
                Some(due) if due <= now => {}
                Some(due) if self.output.is_empty() => return Ok(Due::At(due)),
                None if self.output.is_empty() => return Ok(Due::At(now + Duration::from_secs(1))),
                _ => return Ok(Due::Now),
            }
            put_sequenced(&mut self.output, message.bytes);
            reader.advance();
        }
        Ok(Due::Now)
    }

    /// Waits for a login and judges it.
    async fn log_in(&mut self, credentials: &(Vec<u8>, Vec<u8>)) -> Result<SpoolReader, &'static str> {
        let mut input = [0; 256];
        let login = loop {
            let mut nothing = Vec::new();
            self.server.tick(clock::now(), &mut nothing).map_err(|_| "no login")?;
            let read = timeout(Duration::from_millis(200), self.stream.read(&mut input)).await;
            let count = match read {
                Err(_) => continue,
                Ok(Ok(count)) if 0 < count => count,
                Ok(_) => return Err("the connection is gone"),
            };
            match self.server.receive(clock::now(), &input[..count]) {
                Ok(None) => {}
                Ok(Some(Request::Login(login))) => break login,
                Ok(Some(Request::Logout)) | Err(_) => return Err("not of this protocol"),
            }
        };
        match self.judge(&login, credentials) {
            Ok(first) => {
                self.session.start();
                self.server.accepted();
                put_accepted(&mut self.output, self.session.name, first);
                Ok(self.session.reader(first))
            }
            Err(why) => {
                put_rejected(&mut self.output, why);
                let _ = timeout(CLOSE_WITHIN, self.stream.write_all(&self.output)).await;
                let _ = self.stream.shutdown().await;
                Err("rejected")
            }
        }
    }

    /// The first message that the client gets.
    fn judge(&self, login: &Login, (user, password): &(Vec<u8>, Vec<u8>)) -> Result<u64, Rejection> {
        let known = !user.is_empty() || !password.is_empty();
        if known && !(is_same(&login.user, user) & is_same(&login.password, password)) {
            return Err(Rejection::NotAuthorised);
        }
        let next = self.session.next().map_err(|_| Rejection::NoSession)?;
        if login.session.is_some_and(|wanted| wanted != self.session.name) || next < login.sequence {
            return Err(Rejection::NoSession);
        }
        Ok(if login.sequence == 0 { next } else { login.sequence })
    }

    /// Waits for the client to close after the end of the session.
    async fn close(&mut self, input: &mut [u8]) -> &'static str {
        let _ = self.stream.shutdown().await;
        let gone = async { while matches!(self.stream.read(input).await, Ok(count) if 0 < count) {} };
        let _ = timeout(CLOSE_WITHIN, gone).await;
        "the session has ended"
    }
}

/// Whether two secrets are the same, in a time that does not tell where they differ.
fn is_same(given: &[u8], expected: &[u8]) -> bool {
    let differences = given.iter().zip(expected).fold(0, |differences, (a, b)| differences | (a ^ b));
    given.len() == expected.len() && differences == 0
}
