//! The command line: its definition and all help text in `arguments`, each command in a file of its own.
//!
//! Uses `fuse` and `tree`; `report` alone prints, `exit` alone knows exit codes.
#![forbid(unsafe_code)]

mod anew;
mod argument_values;
mod arguments;
mod cat;
mod check;
mod columns;
mod contents;
mod dedupe;
mod diff;
mod early_end;
mod exit;
mod export;
mod export_arguments;
mod goal;
mod guard;
mod helper;
mod info;
mod kept;
mod logging;
mod ls;
mod mount;
mod new_file;
mod open;
mod options;
mod outputs;
mod pdf_readers;
mod problem_list;
mod progress;
mod pst;
mod pst_outcome;
mod pst_parts;
mod pst_targets;
mod recipes;
mod records;
mod report;
mod rows;
mod search;
mod selection;
mod source;
mod space;
mod summary;
mod unmount;
mod word_indexes;

use std::ffi::OsString;
use std::path::Path;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Parser};

pub use exit::Exit;
pub use report::Failure;

use arguments::{Cli, Command, Verbosity};
use export_arguments::To;
use options::Writer;

use crate::output::shown;

/// What a failure has at its end where it may be because of that.
const NO_WORKING_DIRECTORY: &str =
    "; the working directory was removed: go to another with cd, and try again";

/// Runs the command of the command line; the first argument is the name under which the program was called.
///
/// Mounts, and the search of PDF files, start this program anew: only where these are the arguments of the process itself.
pub fn run(arguments: Vec<OsString>) -> Result<(), Failure> {
    anew::look_at(&arguments);
    run_command(arguments).map_err(|mut failure| {
        let may_be = !failure.message.is_empty() && failure.exit != Exit::Usage;
        if may_be && has_no_working_directory() {
            failure.message += NO_WORKING_DIRECTORY;
        }
        failure
    })
}

/// What a path that does not begin with / is looked for in: nothing is found there, whatever its name.
fn has_no_working_directory() -> bool {
    std::env::current_dir().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
}

fn run_command(arguments: Vec<OsString>) -> Result<(), Failure> {
    let name = arguments
        .first()
        .and_then(|name| Path::new(name).file_name()?.to_str())
        .unwrap_or_default();
    let rest = arguments.get(1..).unwrap_or_default();
    match name {
        guard::NAME => return guard::run(rest),
        pdf_readers::READER => return pdf_readers::serve(),
        pdf_readers::WORKER => return pdf_readers::work(),
        _ => {}
    }
    if helper::is_called(name, rest) {
        return parse(&arguments)?.map_or(Ok(()), helper::run);
    }
    if let Some(recipe) = recipes::asked_for(rest) {
        return report::result(recipe);
    }
    let Some(Cli { command }) = parse(&with_command(arguments))? else {
        return Ok(());
    };
    logging::start(match &command {
        Command::Mount(arguments) => arguments.verbosity.level(),
        _ => Verbosity::default().level(),
    });
    match command {
        Command::Mount(arguments) => mount::run(&arguments, Writer::User),
        Command::Open(arguments) => open::run(&arguments),
        Command::Unmount(arguments) => unmount::run(&arguments),
        Command::Export(arguments) => {
            let arguments = arguments.with_directory()?;
            let run = |counts: &mut _| match arguments.to {
                To::Pst => pst::run(&arguments, counts),
                _ => export::run(&arguments, counts),
            };
            summary::told(&arguments.summary, "export", arguments.sources(), run)
        }
        Command::Index(arguments) => {
            summary::told(&arguments.summary, "index", &arguments.files, |counts| {
                export::index(&arguments, counts)
            })
        }
        Command::Diff(arguments) => diff::run(&arguments),
        Command::Search(arguments) => {
            let sources = search::sources(&arguments);
            summary::told(&arguments.summary, "search", sources, |counts| {
                search::run(&arguments, counts)
            })
        }
        Command::Ls(arguments) => ls::run(&arguments),
        Command::Cat(arguments) => cat::run(&arguments),
        Command::Info(arguments) => {
            summary::told(&arguments.summary, "info", &arguments.files, |counts| {
                info::run(&arguments, counts)
            })
        }
        Command::Check(arguments) => {
            summary::told(&arguments.summary, "check", &arguments.files, |counts| {
                check::run(&arguments, counts)
            })
        }
    }
}

/// The arguments with the command "mount" in front of a file, or of options and a file, that stand where a command would.
fn with_command(mut arguments: Vec<OsString>) -> Vec<OsString> {
    let is_file = |word: &OsString| {
        let path = Path::new(word);
        source::is_named_so(path) || path.exists()
    };
    let is_command = |word: &OsString| {
        let name = word.to_str();
        name.is_some_and(|name| name == "help" || Cli::command().find_subcommand(name).is_some())
    };
    let rest = arguments.get(1..).unwrap_or_default();
    let is_mount = match rest.first() {
        Some(first) if first.as_encoded_bytes().starts_with(b"-") => {
            !rest.iter().any(is_command) && rest.iter().any(is_file)
        }
        Some(first) => !is_command(first) && is_file(first),
        None => false,
    };
    if is_mount {
        arguments.insert(1, "mount".into());
    }
    arguments
}

/// The definition of the command line: of `ostfs` with all its commands, and of `mount.fuse.ostfs`. Man pages and shell
/// completions are made from it.
pub fn definitions() -> [clap::Command; 2] {
    [Cli::command(), helper::HelperArguments::command()]
}

/// The recipes that `ostfs help` knows beside commands.
pub fn topics() -> impl Iterator<Item = &'static str> {
    recipes::topics()
}

/// Prints why a command failed.
pub fn report(failure: &Failure) {
    if !failure.message.is_empty() {
        report::error(&failure.message);
    }
}

/// Parses the arguments; None when all they asked for was help, which is printed then.
fn parse<T: Parser>(arguments: &[OsString]) -> Result<Option<T>, Failure> {
    let mut error = match T::try_parse_from(arguments) {
        Ok(parsed) => return Ok(Some(parsed)),
        Err(error) => error,
    };
    if !error.use_stderr() {
        return report::help(&error).map(|()| None);
    }
    let rest = arguments.get(1..).unwrap_or_default();
    if let Some(reason) = neither_command_nor_file(&error, rest) {
        return Err(Failure::new(Exit::Usage, reason));
    }
    let is_unknown = error.kind() == ErrorKind::UnknownArgument;
    let query = is_unknown.then(|| search::mistaken_for_option(rest));
    if let Some(query) = query.flatten() {
        let reason = format!(
            "a QUERY that begins with - stands behind --, as in: ostfs search old-mailbox.ost -- {query}"
        );
        return Err(Failure::new(Exit::Usage, reason));
    }
    if let Some(reason) = empty_argument(&error) {
        let help = help_for::<T>(rest);
        return Err(Failure::new(
            Exit::Usage,
            format!("{reason}; {help} tells what it takes"),
        ));
    }
    if error.get(ContextKind::SuggestedArg).is_none() {
        // That a misspelt option could be passed as a value is no help.
        error.remove(ContextKind::Suggested);
    }
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text).trim_end();
    let text = text.replace("try '--help'", &format!("try '{}'", help_for::<T>(rest)));
    Err(Failure::new(Exit::Usage, text))
}

/// The command that prints the help of the command that `arguments` begin with, or of all.
fn help_for<T: CommandFactory>(arguments: &[OsString]) -> String {
    let program = T::command();
    let command = arguments.first().and_then(|word| {
        let command = program.find_subcommand(word)?;
        Some(format!(" {}", command.get_name()))
    });
    let (name, command) = (program.get_name(), command.unwrap_or_default());
    format!("{name}{command} --help")
}

/// What to say of an empty argument where a value should stand, if that is what `error` is about.
fn empty_argument(error: &clap::Error) -> Option<String> {
    let (Some(ContextValue::String(argument)), Some(ContextValue::String(value))) = (
        error.get(ContextKind::InvalidArg),
        error.get(ContextKind::InvalidValue),
    ) else {
        return None;
    };
    let argument = argument.trim_end_matches("...");
    value.is_empty().then(|| {
        format!(
            "an empty argument stands for {argument}, as of a variable of the shell that is not set"
        )
    })
}

/// What to say of a word of `arguments` where a command or a file should stand, if that is what `error` is about.
fn neither_command_nor_file(error: &clap::Error, arguments: &[OsString]) -> Option<String> {
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else {
        return None;
    };
    if let Some(topic) = recipes::meant(arguments) {
        return Some(format!("no such command; did you mean: ostfs help {topic}"));
    }
    let nearest = match error.get(ContextKind::SuggestedSubcommand) {
        // The best one is the last.
        Some(ContextValue::Strings(near)) => near.last(),
        _ => None,
    };
    let next = match nearest {
        Some(command) => format!("did you mean: ostfs {command}"),
        None => "\"ostfs --help\" has the commands".to_owned(),
    };
    let word = shown(Path::new(word));
    let other = match arguments {
        [help, ..] if help == "help" => "recipe",
        _ => "file",
    };
    Some(format!(
        "{word}: no such command, and no such {other}; {next}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_holds_together() {
        for command in definitions() {
            command.debug_assert();
        }
    }

    #[test]
    fn help_documents_every_exit_code() {
        for exit in [
            Exit::Success,
            Exit::Failure,
            Exit::NotFound,
            Exit::NotOutlook,
            Exit::ErrorsFound,
            Exit::Damaged,
            Exit::MountFailed,
            Exit::Truncated,
            Exit::NotChecked,
            Exit::Unsupported,
            Exit::Usage,
        ] {
            let line = format!("\n  {:>2}  ", exit as u8);
            assert!(exit::HELP.contains(&line), "{exit:?}");
        }
    }
}
