//! The few system calls of a mount that the standard library does not have.
#![allow(
    unsafe_code,
    reason = "fork(2), syslog(3), the allocator's options and what runs before main are in no safe library"
)]

use std::ffi::{CString, c_int};
use std::fs::{self, File, OpenOptions};
use std::io::{self, PipeWriter, Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::statfs;
use rustix::mount::{UnmountFlags, unmount};
use rustix::process::{Pid, WaitOptions, setsid, waitpid};
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};

/// Unmounts the topmost filesystem at `path`; `lazy` takes it out of the tree of names at once and ends it when its
/// last user leaves.
pub fn umount(path: &Path, lazy: bool) -> io::Result<()> {
    let mut flags = UnmountFlags::NOFOLLOW;
    flags.set(UnmountFlags::DETACH, lazy);
    Ok(unmount(path, flags)?)
}

/// Asks the filesystem at `path` for a sign of life. `statfs` is the one question that the kernel never answers
/// from its caches, in which `stat` would find a dead mount alive for a day.
pub fn ping(path: &Path) -> io::Result<()> {
    statfs(path)?;
    Ok(())
}

/// Whether the process was started without standard output, as by `>&-`.
static IS_OUTPUT_CLOSED: AtomicBool = AtomicBool::new(false);

/// The program loader calls this before `main`: behind it the standard library has put /dev/null in the place of what is closed, and
/// nobody can tell any more.
// SAFETY: the section has pointers to functions that take nothing; this one needs nothing that is set up later.
#[used]
#[unsafe(link_section = ".init_array")]
static LOOK_AT_OUTPUT: extern "C" fn() = look_at_output;

extern "C" fn look_at_output() {
    // SAFETY: takes numbers, and changes nothing.
    let flags = unsafe { libc::fcntl(libc::STDOUT_FILENO, libc::F_GETFD) };
    IS_OUTPUT_CLOSED.store(flags == -1, Ordering::Relaxed);
}

/// Whether the process was started without standard output; what is written there is lost.
pub fn is_output_closed() -> bool {
    IS_OUTPUT_CLOSED.load(Ordering::Relaxed)
}

/// Numbers of the open files of this process, without the standard three.
pub fn open_files() -> Vec<c_int> {
    let folder = Path::new("/proc/self/fd");
    let names = fs::read_dir(folder).into_iter().flatten().flatten();
    let numbers = names.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let mut numbers: Vec<c_int> = numbers.filter(|number| *number > 2).collect();
    // One of them was the listing itself, which is closed by now.
    numbers.retain(|number| fs::symlink_metadata(folder.join(number.to_string())).is_ok());
    numbers
}

/// The caller's shell, which waits for a background process to be ready.
#[derive(Debug)]
pub struct Caller {
    news: PipeWriter,
    null: File,
    /// Files that were open when the program started.
    inherited: Vec<c_int>,
}

impl Caller {
    /// Goes on as a child process that has the terminal, and the files `inherited`, until the caller is dismissed. He waits
    /// for that, and for his exit status; if the child ends before, its exit status is his.
    ///
    /// Returns an error in the parent if the child was killed. Must be called while the process has one thread: other
    /// threads would not exist in the child.
    pub fn fork(inherited: &[c_int]) -> io::Result<Self> {
        let (mut ready, news) = io::pipe()?;
        let null = OpenOptions::new()
            .read(true)
            .write(true)
            .open("/dev/null")?;
        // SAFETY: single-threaded (see above), so the child may do anything.
        let child = unsafe { libc::fork() };
        match child {
            -1 => return Err(io::Error::last_os_error()),
            0 => drop(ready),
            _ => {
                drop(news);
                let mut status = [0];
                let status = match ready.read_exact(&mut status) {
                    Ok(()) => c_int::from(u8::from_ne_bytes(status)),
                    Err(_) => exit_status(child)?,
                };
                // SAFETY: ends this process at once; `exit` would run destructors, one of which unmounts.
                unsafe { libc::_exit(status) }
            }
        }
        std::env::set_current_dir("/")?;
        Ok(Self {
            news,
            null,
            inherited: inherited.to_vec(),
        })
    }

    /// Leaves the caller's terminal and gives him his prompt back, with this exit status. Closes what was inherited: a pipe or
    /// a lock of the caller must not wait for the unmount.
    pub fn dismiss(mut self, status: u8) -> io::Result<()> {
        // A fresh child is never the leader of a group, so it does not fail.
        setsid()?;
        dup2_stdin(&self.null)?;
        dup2_stdout(&self.null)?;
        dup2_stderr(&self.null)?;
        for number in &self.inherited {
            // SAFETY: nothing in this process uses a file that it did not open itself.
            unsafe { libc::close(*number) };
        }
        // Nobody minds if it was killed meanwhile.
        self.news.write_all(&[status]).ok();
        Ok(())
    }
}

/// Waits for `child` to end; it has printed why.
fn exit_status(child: libc::pid_t) -> io::Result<c_int> {
    let status = waitpid(Pid::from_raw(child), WaitOptions::empty())?;
    let code = status.and_then(|(_, status)| status.exit_status());
    code.ok_or_else(|| io::Error::other("the background process has died"))
}

/// Connects to the system log, and reads the time zone that its lines are in.
pub fn open_syslog() {
    // SAFETY: the name is static, as openlog(3) keeps the pointer; no other thread uses the log or the time zone yet.
    unsafe {
        libc::openlog(
            c"ostfs".as_ptr(),
            libc::LOG_PID | libc::LOG_NDELAY,
            libc::LOG_DAEMON,
        );
        tzset();
    }
}

unsafe extern "C" {
    /// tzset(3)
    fn tzset();
}

/// Writes one line to the system log.
pub fn syslog(level: log::Level, message: &str) {
    let priority = match level {
        log::Level::Error => libc::LOG_ERR,
        log::Level::Warn => libc::LOG_WARNING,
        log::Level::Info => libc::LOG_INFO,
        log::Level::Debug | log::Level::Trace => libc::LOG_DEBUG,
    };
    let Ok(message) = CString::new(message.replace('\0', " ")) else {
        return;
    };
    // SAFETY: NUL-terminated strings; the format takes one.
    unsafe { libc::syslog(priority, c"%s".as_ptr(), message.as_ptr()) }
}

/// Bytes from which on an allocation is returned to the system when it is freed: listings of huge folders, not windows
/// of files.
#[cfg(target_env = "gnu")]
const LARGE: c_int = 4 << 20;

/// Has all threads allocate from one heap: several would each keep what was freed in them. Left alone, the allocator would
/// also put ever larger pieces there, and what is behind one that is freed stays where it is. For the life of the process,
/// and before it has other threads.
pub fn share_heap() {
    #[cfg(target_env = "gnu")]
    // SAFETY: sets numbers in the allocator.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE);
        libc::mallopt(libc::M_TRIM_THRESHOLD, LARGE);
    }
}
