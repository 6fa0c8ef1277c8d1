//! A provider on a loopback socket that does what its scripts say and records what it is sent.
//!
//! Without a script it behaves: it lists a model, and answers a chat with a short text, streamed or
//! not, with usage as asked. It is no HTTP server by the book on purpose: raw TCP can lie.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::chat;
use crate::http::{Body, Inbound};
use crate::play::{Played, play};
use crate::request::Request;
use crate::script::{Ending, Script};
use crate::wait::within;

/// Which requests a script is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// Every chat completion.
    Chat,
    /// Chat completions that ask for this model.
    Model(String),
    /// Chat completions with this bearer credential.
    Key(String),
    /// Every request to a path with this ending.
    Path(String),
}

impl When {
    fn holds(&self, request: &Request) -> bool {
        match self {
            Self::Chat => request.is_chat(),
            Self::Model(model) => request.is_chat() && request.model().as_deref() == Some(model),
            Self::Key(key) => request.is_chat() && request.bearer() == Some(key),
            Self::Path(path) => request.path().ends_with(path.as_str()),
        }
    }
}

/// What happened so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Connections accepted.
    pub accepted: u64,
    /// Connections open now.
    pub open: u64,
    /// Requests read whole.
    pub requests: u64,
    /// Requests of which a first byte of an answer was sent.
    pub answered: u64,
    /// Answers played to the end of their script.
    pub finished: u64,
    /// Answers that the other side left before their end.
    pub aborted: u64,
    /// Requests that came over a used connection and were refused for it.
    pub refused: u64,
    /// Requests that broke off before their end, or were no HTTP.
    pub broken: u64,
}

/// A scripted provider; it stops when dropped.
#[derive(Debug)]
pub struct Provider {
    address: SocketAddr,
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    counts: watch::Sender<Counts>,
}

#[derive(Debug, Default)]
struct State {
    requests: Vec<Request>,
    once: Vec<(When, Script)>,
    always: Vec<(When, Script)>,
}

impl Provider {
    /// Starts a provider that behaves, on a port of its own.
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a loopback port is free");
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared { state: Mutex::default(), counts: watch::Sender::new(Counts::default()) });
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, Arc::clone(&shared)));
        Self { address, shared, _tasks: tasks }
    }

    /// `http://127.0.0.1:<port>/v1`.
    pub fn base_url(&self) -> String {
        format!("{}/v1", self.origin())
    }

    /// `http://127.0.0.1:<port>`.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Answers the next chat completion so; scripts are used up in the order given.
    pub fn script(&self, script: Script) {
        self.script_when(When::Chat, script);
    }

    /// Answers the next matching request so, once.
    pub fn script_when(&self, when: When, script: Script) {
        self.shared.lock().once.push((when, script));
    }

    /// Answers every chat completion so that no single script is left for.
    pub fn always(&self, script: Script) {
        self.always_when(When::Chat, script);
    }

    /// Answers every matching request so; what was said last counts.
    pub fn always_when(&self, when: When, script: Script) {
        self.shared.lock().always.push((when, script));
    }

    /// How many single scripts were not asked for.
    pub fn scripts_left(&self) -> usize {
        self.shared.lock().once.len()
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.lock().requests.clone()
    }

    /// The chat completions so far.
    pub fn chats(&self) -> Vec<Request> {
        self.requests().into_iter().filter(Request::is_chat).collect()
    }

    /// The only chat completion so far; panics when there is another number of them.
    #[track_caller]
    pub fn only_chat(&self) -> Request {
        let mut chats = self.chats();
        assert_eq!(chats.len(), 1, "the provider saw another number of chats than one");
        chats.remove(0)
    }

    /// What happened so far.
    pub fn counts(&self) -> Counts {
        *self.shared.counts.borrow()
    }

    /// Connections open now.
    pub fn open_connections(&self) -> u64 {
        self.counts().open
    }

    /// Answers that the other side left before their end.
    pub fn aborted(&self) -> u64 {
        self.counts().aborted
    }

    /// Waits until the counts are as wanted; panics naming `what` and the counts when they never are.
    #[track_caller]
    pub fn until(&self, what: &str, wanted: impl FnMut(&Counts) -> bool) -> impl Future<Output = Counts> {
        let mut counts = self.shared.counts.subscribe();
        within(what, async move { *counts.wait_for(wanted).await.expect("the provider lives") })
    }
}

/// An address that refuses every connection: a port that is taken but not listened on.
#[derive(Debug)]
pub struct Unreachable {
    address: SocketAddr,
    _socket: TcpSocket,
}

impl Unreachable {
    /// Takes a port.
    pub fn reserve() -> Self {
        let socket = TcpSocket::new_v4().expect("a socket can be made");
        socket.bind(([127, 0, 0, 1], 0).into()).expect("a loopback port is free");
        Self { address: socket.local_addr().expect("a bound socket has an address"), _socket: socket }
    }

    /// `http://127.0.0.1:<port>/v1`.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, change: impl FnOnce(&mut Counts)) {
        self.counts.send_modify(change);
    }

    /// The script for a request; a single one is used up unless it refuses the connection.
    fn script_for(&self, request: &Request) -> Script {
        let mut state = self.lock();
        if let Some(at) = state.once.iter().position(|(when, _)| when.holds(request)) {
            let refuses = state.once[at].1.refuses_reuse.is_some() && request.nth > 1;
            return if refuses { state.once[at].1.clone() } else { state.once.remove(at).1 };
        }
        let always = state.always.iter().rev().find(|(when, _)| when.holds(request));
        always.map_or_else(|| well_behaved(request), |(_, script)| script.clone())
    }
}

fn well_behaved(request: &Request) -> Script {
    if request.is_chat() {
        return chat::greeting().script_for(request);
    }
    if request.method == "GET" && request.path().ends_with("/models") {
        return Script::json(
            r#"{"object":"list","data":[{"id":"m","object":"model","created":1,"owned_by":"testkit"}]}"#,
        );
    }
    Script::error(
        404,
        r#"{"error":{"message":"no such route","type":"invalid_request_error","param":null,"code":null}}"#,
    )
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                let mut number = 0;
                shared.count(|counts| {
                    counts.accepted += 1;
                    counts.open += 1;
                    number = counts.accepted;
                });
                connections.spawn(converse(stream, number, Arc::clone(&shared)));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// One connection from its first request to its end.
async fn converse(mut stream: TcpStream, number: u64, shared: Arc<Shared>) {
    let reset = match answer_all(&mut stream, number, &shared).await {
        Ok(ending) => ending == Ending::Reset,
        Err(_) => {
            shared.count(|counts| counts.broken += 1);
            false
        }
    };
    if reset {
        stream.set_zero_linger().expect("a connected socket takes options");
    }
    drop(stream);
    shared.count(|counts| counts.open -= 1);
}

async fn answer_all(stream: &mut TcpStream, number: u64, shared: &Shared) -> io::Result<Ending> {
    stream.set_nodelay(true)?;
    let (read, mut write) = stream.split();
    let mut inbound = Inbound::new(read);
    for nth in 1.. {
        let Some(head) = inbound.head().await? else { break };
        let framing = match head.length()? {
            _ if head.is_chunked() => Body::Chunked(0),
            Some(length) => Body::Left(length),
            None => Body::Over,
        };
        let body = inbound.whole(framing).await?;
        let request = Request::new(number, nth, head, body);
        let script = shared.script_for(&request);
        let refused = script.refuses_reuse.filter(|_| nth > 1);
        let script = script.inspect.as_ref().map_or_else(|| script.clone(), |inspect| inspect(&request));
        shared.lock().requests.push(request);
        shared.count(|counts| counts.requests += 1);
        if let Some(ending) = refused {
            shared.count(|counts| counts.refused += 1);
            return Ok(ending);
        }
        match play(&script, &mut inbound, &mut write, || shared.count(|counts| counts.answered += 1)).await {
            Played::Out(ending) => {
                shared.count(|counts| counts.finished += 1);
                if ending != Ending::KeepAlive {
                    return Ok(ending);
                }
            }
            Played::Aborted => {
                shared.count(|counts| counts.aborted += 1);
                break;
            }
        }
    }
    Ok(Ending::Close)
}
