//! The processes that read PDF files for a search, each file in one of its own: what a hostile one takes of memory and time costs
//! that file alone.
//!
//! In the sandbox no process can be started, so some wait from before: a reader takes a file from its standard input, starts a worker for it,
//! and writes what that says to its standard output. A reader looks at no byte of the file. Both are this program under other names.
#![forbid(unsafe_code)]

use std::io::{self, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};

use parking_lot::Mutex;
use rustix::process::{Resource, Rlimit, setrlimit};
use rustix::stdio::{dup2_stdout, stderr};

use super::anew;
use super::exit::Exit;
use super::report::Failure;
use crate::sandbox::{self, Need};
use crate::search::{MAX_PDF_TEXT, PdfReader, pdf_text};

/// The name under which this program is a reader, and that under which it is a worker.
pub(super) const READER: &str = "ostfs-pdf-reader";
pub(super) const WORKER: &str = "ostfs-pdf-worker";

/// Readers that are started at the most; searches with more threads wait for them.
const MAX_READERS: usize = 4;
/// Bytes of memory that a worker may map.
const MEMORY: u64 = 256 << 20;
/// Seconds of CPU time that it may take: a few of any file, one more for each MiB, and no more than so many.
const SECONDS: u64 = 2;
const MAX_SECONDS: u64 = 10;

/// Readers that wait.
#[derive(Debug)]
pub(super) struct PdfReaders {
    waiting: Mutex<Receiver<Reader>>,
    back: Sender<Reader>,
}

/// Our ends of the pipes to a reader.
#[derive(Debug)]
struct Reader {
    requests: ChildStdin,
    answers: ChildStdout,
}

impl PdfReaders {
    /// Starts readers for a search by so many `threads`. None where no process can be started: then PDF files are not looked into,
    /// which is told as of all others.
    pub fn start(threads: usize) -> Option<Self> {
        let (back, waiting) = channel();
        let started = (0..threads.clamp(1, MAX_READERS)).map_while(|_| Reader::start().ok());
        let sent = started.filter_map(|reader| back.send(reader).ok());
        (sent.count() > 0).then(|| Self {
            waiting: Mutex::new(waiting),
            back,
        })
    }
}

impl PdfReader for PdfReaders {
    fn text(&self, bytes: &[u8]) -> Option<String> {
        // The lock is held while waiting for a reader, not while it works. There is always one: all come back.
        let mut reader = self.waiting.lock().recv().ok()?;
        let text = reader.ask(bytes);
        self.back.send(reader).ok();
        text.ok().flatten()
    }
}

impl Reader {
    fn start() -> io::Result<Self> {
        let child = anew::command(READER)?
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        match (child.stdin, child.stdout) {
            (Some(requests), Some(answers)) => Ok(Self { requests, answers }),
            _ => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// The text of the file `bytes`.
    fn ask(&mut self, bytes: &[u8]) -> io::Result<Option<String>> {
        write(&mut self.requests, bytes)?;
        let answer = read(&mut self.answers)?;
        Ok(String::from_utf8(answer)
            .ok()
            .filter(|text| !text.is_empty()))
    }
}

/// Writes `bytes` with their length in front.
fn write(to: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    let length = u32::try_from(bytes.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    to.write_all(&length.to_le_bytes())?;
    to.write_all(bytes)?;
    to.flush()
}

/// Reads what [`write`] wrote.
fn read(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; size_of::<u32>()];
    from.read_exact(&mut length)?;
    let mut bytes = Vec::new();
    let length = u64::from(u32::from_le_bytes(length));
    match from.take(length).read_to_end(&mut bytes)? as u64 == length {
        true => Ok(bytes),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// What a reader does until nobody asks any more. The answer to a file without text is empty, and so is that to one whose worker ended
/// otherwise than well.
pub(super) fn serve() -> Result<(), Failure> {
    let (mut requests, mut answers) = (io::stdin(), io::stdout());
    while let Ok(file) = read(&mut requests) {
        let text = worked(&file).unwrap_or_default();
        write(&mut answers, &text).map_err(failed)?;
    }
    Ok(())
}

/// What a worker makes of `file`.
fn worked(file: &[u8]) -> io::Result<Vec<u8>> {
    let mut worker = anew::command(WORKER)?
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let text = exchange(&mut worker, file);
    // One that has more to write would wait for ever.
    if text
        .as_ref()
        .is_ok_and(|text| text.len() as u64 == MAX_PDF_TEXT)
    {
        worker.kill().ok();
    }
    match worker.wait()?.success() {
        true => text,
        false => Ok(Vec::new()),
    }
}

/// Gives `file` to `worker`, which reads all of it before it writes, and takes its text.
fn exchange(worker: &mut Child, file: &[u8]) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    if let Some(mut input) = worker.stdin.take() {
        input.write_all(file)?;
    }
    if let Some(output) = worker.stdout.take() {
        output.take(MAX_PDF_TEXT).read_to_end(&mut text)?;
    }
    Ok(text)
}

/// What a worker does: the text of standard input, to standard output.
pub(super) fn work() -> Result<(), Failure> {
    let mut file = Vec::new();
    io::stdin().read_to_end(&mut file).map_err(failed)?;
    let seconds = SECONDS + (file.len() as u64 >> 20);
    let limits = [
        (Resource::As, MEMORY),
        (Resource::Cpu, seconds.min(MAX_SECONDS)),
        (Resource::Core, 0),
    ];
    for (resource, limit) in limits {
        let limit = Rlimit {
            current: Some(limit),
            maximum: Some(limit),
        };
        setrlimit(resource, limit).map_err(|error| failed(error.into()))?;
    }
    // Nothing that reads the file can print into the answer.
    let output = rustix::io::dup(io::stdout()).map_err(|error| failed(error.into()))?;
    dup2_stdout(stderr()).map_err(|error| failed(error.into()))?;
    sandbox::enter(Need::OpenFiles);
    let text = pdf_text(&file).unwrap_or_default();
    std::fs::File::from(output)
        .write_all(text.as_bytes())
        .map_err(failed)
}

fn failed(error: io::Error) -> Failure {
    Failure::new(Exit::Failure, error.to_string())
}
