//! A program in which an attacker has taken over the thread that answers a request.
//!
//! It is ostfs itself but for its logger: the first line that has a text which the file makes it tell, as that a block is
//! damaged, runs the attacker's code, in the thread and at the moment in which a flaw of the reader would be exploited. The code makes system calls without the C
//! library, and says on standard output, which was open before, what each of them gave.

use std::ffi::{CString, c_int, c_long};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Once;
use std::{env, io, ptr, thread};

/// Names the directory that the attacker is after; its presence makes this program the compromised one.
pub const TARGET: &str = "OSTFS_TEST_TARGET";

/// What the line has in it that runs the attacker's code, unless it is of a damaged block.
pub const TRIGGER: &str = "OSTFS_TEST_TRIGGER";

/// Runs ostfs with an attacker in it, if this process was started to.
pub fn run_if_asked() {
    let arguments: Vec<_> = env::args_os().collect();
    if env::var_os(TARGET).is_none() {
        return;
    }
    log::set_boxed_logger(Box::new(Attacker)).unwrap();
    log::set_max_level(log::LevelFilter::Debug);
    let code = match ostfs::cli::run(arguments) {
        Ok(()) => 0,
        Err(failure) => {
            ostfs::cli::report(&failure);
            failure.exit as i32
        }
    };
    std::process::exit(code);
}

struct Attacker;

impl log::Log for Attacker {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        static ONCE: Once = Once::new();
        let text = record.args().to_string();
        if text.starts_with("sandbox: ") {
            say(&text);
        }
        let trigger = env::var(TRIGGER).unwrap_or_else(|_| "damaged block".to_owned());
        if text.contains(&trigger) {
            ONCE.call_once(attack);
        }
    }

    fn flush(&self) {}
}

fn say(line: &str) {
    let mut out = io::stdout();
    writeln!(out, "{line}").unwrap();
    out.flush().unwrap();
}

fn attack() {
    say(&format!(
        "thread {}",
        thread::current().name().unwrap_or("?")
    ));
    let target = env::var_os(TARGET).unwrap();
    let target = Path::new(&target);
    let path = |name: &str| CString::new(target.join(name).as_os_str().as_bytes()).unwrap();
    let (secret, loot, victim) = (path("secret"), path("loot"), path("victim"));
    let here = libc::AT_FDCWD;
    let create = libc::O_CREAT | libc::O_WRONLY;
    // SAFETY: strings and structures live through the calls; an attacker would not care.
    unsafe {
        tell(
            "open",
            libc::syscall(libc::SYS_openat, here, secret.as_ptr(), libc::O_RDONLY),
        );
        tell(
            "create",
            libc::syscall(libc::SYS_openat, here, loot.as_ptr(), create, 0o600),
        );
        tell(
            "times",
            libc::syscall(
                libc::SYS_utimensat,
                here,
                victim.as_ptr(),
                ptr::null::<u8>(),
                0,
            ),
        );
        tell(
            "remove",
            libc::syscall(libc::SYS_unlinkat, here, victim.as_ptr(), 0),
        );
        tell(
            "internet socket",
            libc::syscall(libc::SYS_socket, libc::AF_INET, libc::SOCK_STREAM, 0),
        );
        tell(
            "local socket",
            libc::syscall(libc::SYS_socket, libc::AF_UNIX, libc::SOCK_DGRAM, 0),
        );
        tell("signal", libc::syscall(libc::SYS_kill, libc::getppid(), 0));
        tell("code", map_code());
        tell("program", run_program());
        tell("namespace", unshared());
    }
    say("end");
}

fn tell(what: &str, result: c_long) {
    if result < 0 {
        let error = io::Error::last_os_error();
        say(&format!("{what}: {}", error.raw_os_error().unwrap_or(0)));
    } else {
        say(&format!("{what}: done"));
    }
}

unsafe fn map_code() -> c_long {
    let protection = libc::PROT_READ | libc::PROT_WRITE | libc::PROT_EXEC;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: a mapping of its own, that nobody uses.
    unsafe {
        libc::syscall(
            libc::SYS_mmap,
            ptr::null::<u8>(),
            4096,
            protection,
            flags,
            -1,
            0,
        )
    }
}

/// A process of its own tries it, where one can be had.
unsafe fn run_program() -> c_long {
    let program = c"/bin/true".as_ptr();
    let arguments = [program, ptr::null()];
    // SAFETY: the child does nothing but execve and exit; -1 leaves errno to the caller.
    unsafe {
        let child = libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0);
        if child > 0 {
            let mut status: c_int = 0;
            libc::waitpid(child as c_int, &mut status, 0);
            return if status == 0 { 0 } else { -1 };
        }
        libc::syscall(
            libc::SYS_execve,
            program,
            arguments.as_ptr(),
            ptr::null::<*const u8>(),
        );
        if child == 0 {
            libc::_exit(1);
        }
    }
    -1
}

/// A new table of mounts: whoever may do this may mount.
unsafe fn unshared() -> c_long {
    // SAFETY: takes a number.
    unsafe { libc::syscall(libc::SYS_unshare, libc::CLONE_NEWUSER) }
}
