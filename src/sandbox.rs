//! What a process gives up before it looks closer at a file that may be an attacker's.
//!
//! Four layers, each of which holds where the others are missing: capabilities(7), no_new_privs, Landlock(7) (the
//! kernel's objects: files, ports, signals) and a seccomp(2) filter (its system calls). All are inherited by threads, so
//! they come before the threads do. What the process still needs, it must have opened before: its file, /dev/fuse, the
//! system log, the pipe to its guard.
//!
//! What the filter does not know it refuses with EPERM, which C libraries live with, and does not kill. All threads
//! share one /dev/fuse, since another one would have to be opened. Times are set on open files alone, as Landlock has
//! no right for it.
#![allow(unsafe_code)]

use std::collections::BTreeMap;
use std::ffi::{c_int, c_long};
use std::io;
use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetStatus, Scope, make_bitflags,
};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};

use crate::page_cache::SYS_CACHESTAT;

/// What the process still has to do with files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need<'a> {
    /// Read and write those that are open.
    OpenFiles,
    /// Also make and write files beneath this directory.
    WriteBeneath(&'a Path),
}

/// Gives up everything else, for this thread and those that it will start. What the kernel does not have is left out;
/// the log, at the level "debug", has what is in force.
pub fn enter(need: Need<'_>) {
    let layers = [
        ("capabilities", drop_capabilities(need)),
        ("no_new_privs", forbid_new_privileges()),
        ("Landlock", restrict_objects(need)),
        // The last one: it takes away what the others are made with.
        ("seccomp", restrict_system_calls(need)),
    ];
    for (layer, result) in layers {
        match result {
            Ok(state) => log::debug!("sandbox: {layer}: {state}"),
            Err(error) => log::warn!("sandbox: {layer} is not in force: {error}"),
        }
    }
}

type Layer = Result<&'static str, Box<dyn std::error::Error>>;

/// Version of capset(2)'s structures, with 64 capabilities (linux/capability.h).
const CAPABILITY_VERSION: u32 = 0x2008_0522;
/// CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH and CAP_FOWNER: root writes where it likes, as ever.
const FILE_CAPABILITIES: u32 = 0b1110;

#[repr(C)]
struct CapabilityHeader {
    version: u32,
    pid: c_int,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Capabilities {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

/// Open files stay usable without any capability, so reading needs none.
fn drop_capabilities(need: Need<'_>) -> Layer {
    let header = CapabilityHeader {
        version: CAPABILITY_VERSION,
        pid: 0,
    };
    let mut sets = [Capabilities::default(); 2];
    // SAFETY: both structures are laid out as capget(2) specifies, and live through the call.
    check(unsafe { libc::syscall(libc::SYS_capget, &header, sets.as_mut_ptr()) })?;
    let kept = match need {
        Need::OpenFiles => 0,
        Need::WriteBeneath(_) => FILE_CAPABILITIES,
    };
    let [low, _] = sets;
    let sets = [
        Capabilities {
            effective: low.effective & kept,
            permitted: low.permitted & kept,
            inheritable: 0,
        },
        Capabilities::default(),
    ];
    // SAFETY: as above; the sets are only read.
    check(unsafe { libc::syscall(libc::SYS_capset, &header, sets.as_ptr()) })?;
    Ok("dropped")
}

/// From now on no set-user-ID program gives rights; also what lets an ordinary user enter the other layers.
fn forbid_new_privileges() -> Layer {
    // SAFETY: takes numbers alone.
    check(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }.into())?;
    Ok("set")
}

fn check(result: c_long) -> io::Result<()> {
    match result {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// The version of Landlock whose rights are asked for; the crate leaves out what an older kernel does not know.
const LANDLOCK: ABI = ABI::V7;
/// What an export does beneath its directory.
const WRITING: BitFlags<AccessFs> = make_bitflags!(AccessFs::{
    ReadFile | ReadDir | WriteFile | Truncate | MakeReg | MakeDir | MakeSym | RemoveFile | RemoveDir
});

/// No file can be opened, made or removed, no port used, no process outside signalled.
fn restrict_objects(need: Need<'_>) -> Layer {
    let ruleset = Ruleset::default()
        .handle_access(AccessFs::from_all(LANDLOCK))?
        .handle_access(AccessNet::from_all(LANDLOCK))?
        .scope(Scope::from_all(LANDLOCK))?
        .create()?;
    let ruleset = match need {
        Need::OpenFiles => ruleset,
        Need::WriteBeneath(directory) => {
            ruleset.add_rule(PathBeneath::new(PathFd::new(directory)?, WRITING))?
        }
    };
    Ok(match ruleset.restrict_self()?.ruleset {
        RulesetStatus::FullyEnforced => "fully in force",
        RulesetStatus::PartiallyEnforced => "in force as far as this kernel has it",
        RulesetStatus::NotEnforced => "not in this kernel",
    })
}

/// System calls of every process: they touch nothing but its memory, threads, clock, and files that are open. Tables are
/// for all C libraries and both architectures, so some calls are here that none of them makes today.
const SYSTEM_CALLS: &[c_long] = &[
    // Open files; the last three tell size and times, by name too, but let nothing be opened.
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_pread64,
    libc::SYS_preadv,
    libc::SYS_preadv2,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_pwrite64,
    // A line of a summary that runs share is whole, or taken back.
    libc::SYS_flock,
    libc::SYS_ftruncate,
    libc::SYS_lseek,
    libc::SYS_close,
    libc::SYS_fadvise64,
    libc::SYS_readahead,
    SYS_CACHESTAT,
    libc::SYS_recvfrom,
    libc::SYS_fstat,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    // Leaving the terminal.
    libc::SYS_setsid,
    libc::SYS_dup3,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_dup2,
    // Memory.
    libc::SYS_brk,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_membarrier,
    // Threads and waiting.
    libc::SYS_futex,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    libc::SYS_gettid,
    libc::SYS_getpid,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_getcpu,
    libc::SYS_ppoll,
    libc::SYS_exit,
    libc::SYS_exit_group,
    // Signals.
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    // Facts.
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_gettimeofday,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_getrandom,
    libc::SYS_uname,
    libc::SYS_sysinfo,
    libc::SYS_getrusage,
    libc::SYS_getuid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getegid,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_time,
];

/// What an export does besides; Landlock states where.
const FILE_SYSTEM_CALLS: &[c_long] = &[
    libc::SYS_openat,
    libc::SYS_getdents64,
    libc::SYS_mkdirat,
    libc::SYS_symlinkat,
    libc::SYS_readlinkat,
    libc::SYS_renameat2,
    libc::SYS_unlinkat,
    libc::SYS_fallocate,
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    libc::SYS_statfs,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_open,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_mkdir,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_symlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_readlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rename,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rmdir,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_unlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_stat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_lstat,
];

type Rules = BTreeMap<c_long, Vec<SeccompRule>>;

/// Calls that are not in the tables fail with EPERM: a C library that tries something new goes on without it, where
/// killing the process would end the mount. Only calls of another architecture kill, as no honest code makes them.
fn restrict_system_calls(need: Need<'_>) -> Layer {
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    let mut allowed: Rules = SYSTEM_CALLS.iter().map(|call| (*call, vec![])).collect();
    allowed.extend(restricted_calls()?);
    if need != Need::OpenFiles {
        allowed.extend(FILE_SYSTEM_CALLS.iter().map(|call| (*call, vec![])));
        // Landlock knows no right to set times, so they are set on open files alone: futimens(3).
        allowed.insert(libc::SYS_utimensat, vec![null(1)?]);
    }
    let errno = |number: c_int| SeccompAction::Errno(number.unsigned_abs());
    // The flags of clone3 are out of a filter's sight; without it threads are started by clone.
    let refused = Rules::from([(libc::SYS_clone3, vec![])]);
    allowed.insert(libc::SYS_clone3, vec![]);
    for (rules, mismatch, matching) in [
        (refused, SeccompAction::Allow, errno(libc::ENOSYS)),
        (allowed, errno(libc::EPERM), SeccompAction::Allow),
    ] {
        let filter = SeccompFilter::new(rules, mismatch, matching, arch)?;
        seccompiler::apply_filter_all_threads(&BpfProgram::try_from(filter)?)?;
    }
    Ok("in force")
}

/// Calls that are harmless with some arguments alone.
fn restricted_calls() -> Result<Rules, seccompiler::BackendError> {
    let own = c_int::try_from(std::process::id()).unwrap_or(-1);
    let is = |index, value: c_int| masked(index, -1, value);
    Ok(Rules::from([
        // No code but that which is there.
        (libc::SYS_mmap, vec![masked(2, libc::PROT_EXEC, 0)?]),
        (libc::SYS_mprotect, vec![masked(2, libc::PROT_EXEC, 0)?]),
        // Threads, no processes.
        (
            libc::SYS_clone,
            vec![masked(0, libc::CLONE_THREAD, libc::CLONE_THREAD)?],
        ),
        // abort(3)
        (libc::SYS_tgkill, vec![is(0, own)?]),
        // send(2) on what is connected: signals wake their thread by it, and so lines get into the system log.
        (libc::SYS_sendto, vec![null(4)?]),
        // Limits can be asked for, not set.
        (libc::SYS_prlimit64, vec![null(2)?]),
        (
            libc::SYS_prctl,
            vec![is(0, libc::PR_SET_NAME)?, is(0, libc::PR_SET_VMA)?],
        ),
        (
            libc::SYS_fcntl,
            vec![
                is(1, libc::F_GETFD)?,
                is(1, libc::F_GETFL)?,
                is(1, libc::F_DUPFD_CLOEXEC)?,
            ],
        ),
        // Whether this is a terminal, and how wide: for progress bars.
        (libc::SYS_ioctl, vec![is(1, TCGETS)?, is(1, TIOCGWINSZ)?]),
    ]))
}

/// The two questions about terminals (ioctl_tty(2)); their type differs between C libraries.
const TCGETS: c_int = libc::TCGETS as c_int;
const TIOCGWINSZ: c_int = libc::TIOCGWINSZ as c_int;

/// The rule that the bits `mask` of the argument `index`, counted from 0, are `value`. The kernel looks at the lower 32
/// bits of an `int` alone.
fn masked(index: u8, mask: c_int, value: c_int) -> Result<SeccompRule, seccompiler::BackendError> {
    let operator = SeccompCmpOp::MaskedEq(u64::from(mask.cast_unsigned()));
    let value = u64::from(value.cast_unsigned());
    let length = SeccompCmpArgLen::Dword;
    SeccompRule::new(vec![SeccompCondition::new(index, length, operator, value)?])
}

/// The rule that the argument `index` is no address.
fn null(index: u8) -> Result<SeccompRule, seccompiler::BackendError> {
    let (length, operator) = (SeccompCmpArgLen::Qword, SeccompCmpOp::Eq);
    SeccompRule::new(vec![SeccompCondition::new(index, length, operator, 0)?])
}
