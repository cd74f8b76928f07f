//! What users want to get done, as commands to type: `ostfs help TOPIC`, and the examples in the help of each command.
#![forbid(unsafe_code)]

use std::ffi::OsString;

use super::options::{self, Takers};

/// The recipes: topic and text.
const RECIPES: [(&str, &str); 5] = [
    ("recover", RECOVER),
    ("evidence", EVIDENCE),
    ("thunderbird", THUNDERBIRD),
    ("search", SEARCH),
    ("outlook", OUTLOOK),
];

/// Where the recipes are, for `ostfs --help`.
pub(super) const TOPICS: &str = "\
Recipes, by ostfs help TOPIC:
  recover      a mailbox out of a damaged, orphaned or cut file
  evidence     a manifest with hashes; is it safe for evidence?
  thunderbird  mail, calendar and contacts into Thunderbird
  search       find words in all messages and attachments
  outlook      back into Outlook";

const RECOVER: &str = "\
Recover a mailbox from an orphaned, damaged or cut .ost or .pst

  What the file is, and what its folders hold:
    ostfs info old-mailbox.ost
  What is damaged in it:
    ostfs check old-mailbox.ost
  Take out all that can be read; what cannot is named at the end, and the exit code is 4:
    ostfs export old-mailbox.ost saved-mail
  Go on after an interruption:
    ostfs export --resume old-mailbox.ost saved-mail
  What was deleted and still lies in the file, too, in lost+found/deleted, all into a new directory:
    ostfs export -o deleted old-mailbox.ost saved-and-deleted

Neither Outlook nor a profile or password is needed. From a failing disk, copy first: ddrescue DISK-FILE copy.ost copy.map.
Keep the file: ostfs only reads it, ScanPST changes it.";

const EVIDENCE: &str = "\
Files for others to check: is ostfs safe for evidence?

  The file is opened for reading alone, in a sandbox that can open no other file. Its access time is the system's: keep the
  original on a read-only mount, and work on a copy.

  A line for every file and for the source, with SHA-256:
    ostfs export --manifest mail.jsonl old-mailbox.ost mail
  The same without writing files:
    ostfs index old-mailbox.ost >mail.csv
  Whoever gets it checks it with:
    jq -r 'select(.class != \"source\" and .sha256 != \"\") | \"\\(.sha256)  \\(.path)\"' mail.jsonl | (cd mail && sha256sum -c --quiet)

  Names and bytes are the same on every run. What is doubtful or missing is told in X-Ostfs-Problem: of the message and in
  the column problems. -o damaged=refuse leaves out what may be wrong.";

const THUNDERBIRD: &str = "\
Into Thunderbird

  Mail: the add-on ImportExportTools NG takes the directory (Import all messages from a directory, also from its
  subdirectories):
    ostfs export -o attachments=eml old-mailbox.ost saved-mail
  Without an add-on, while Thunderbird is closed: a folder named old with all others below it, beside those of Local Folders:
    touch old
    ostfs export --to mbox old-mailbox.ost old.sbd/
  Calendars and contacts are one file for each folder, for Thunderbird's own import:
    ostfs ls old-mailbox.ost .ostfs/import
    ostfs cat old-mailbox.ost .ostfs/import/Calendar.ics >calendar.ics
  A single message opens by itself:
    ostfs mount old-mailbox.ost ~/mail
    thunderbird ~/mail/Inbox/MESSAGE.eml";

const SEARCH: &str = "\
Search in all messages and attachments

  Paths of what was found, and how a query is written: ostfs search --help tells all of it:
    ostfs search old-mailbox.ost 'from:adams date:2024 budget'
    ostfs search -C 1 old-mailbox.ost '\"purchase order\" has:attachment'
  What was found as files:
    ostfs search -0 old-mailbox.ost 'invoice*' | xargs -0 -n 1 ostfs cat old-mailbox.ost >invoices.txt
  With texts beside the messages, and names and subjects in plain UTF-8:
    ostfs mount -o text,headers=utf8 old-mailbox.ost ~/mail
    grep -ril --include='*.txt' 'purchase order' ~/mail
    rg -l '^Subject:.*order' --glob '*.eml' ~/mail
  By sender, subject, day or folder, as a table:
    ostfs index --no-hash --from adams --since 2024-01-01 old-mailbox.ost
  With a mail program's index:
    ostfs mount -o layout=maildir old-mailbox.ost ~/mail
    mu init --maildir=~/mail && mu index && mu find subject:order";

const OUTLOOK: &str = "\
Back into Outlook

  All folders and items as a new .pst, for File, Open & Export, Open Outlook Data File. It is read back and compared with its
  source before it gets its name. We have no Outlook to try it in; if Outlook or ScanPST finds a fault, please report it:
    ostfs export --to pst old-mailbox.ost mailbox.pst
  Look it over as ScanPST does; without a finding it is whole:
    ostfs check -v mailbox.pst
  In parts of at most 10 GB, and going on after a crash or on a full disk:
    ostfs export --to pst --split 10G old-mailbox.ost parts/
    ostfs export --to pst --split 10G --resume old-mailbox.ost parts/
  Mail by way of a server: write it as a Maildir, serve that by Dovecot, and add the server to Outlook as an IMAP account:
    ostfs export --to maildir old-mailbox.ost Maildir
  Single messages open with a double click, and can be moved to a folder from there:
    ostfs export --folder Inbox/Projects old-mailbox.ost mail
  Calendars, by File, Open & Export, Import/Export:
    ostfs cat old-mailbox.ost .ostfs/import/Calendar.ics >calendar.ics";

/// Examples of each command.
pub(super) const MOUNT: &str = "\
Examples:
  ostfs mount old-mailbox.ost ~/mail          then look in ~/mail
  ostfs old-mailbox.ost                       the same on ./old-mailbox
  ostfs mount -o text,deleted a.pst b.pst ~/mail
  ostfs unmount ~/mail";
pub(super) const OPEN: &str = "\
Examples:
  ostfs open old-mailbox.ost
  ostfs open ~/Downloads/archive.pst          ends by itself, ten minutes after the last look";
pub(super) const UNMOUNT: &str = "\
Examples:
  ostfs unmount ~/mail
  ostfs unmount --lazy ~/mail                 though a program still uses it";
pub(super) const EXPORT: &str = "\
Examples:
  ostfs export old-mailbox.ost saved-mail
  ostfs export --folder Inbox --since 2024-01-01 old-mailbox.ost inbox-2024
  ostfs export --to maildir old-mailbox.ost Maildir
  ostfs export --to pst old-mailbox.ost mailbox.pst
  ostfs export --to tar old-mailbox.ost - | zstd >mail.tar.zst
  ostfs export --to mbox --folder Inbox old-mailbox.ost inbox.mbox
  ostfs export -o text --load-file dat --custodian Adams old-mailbox.ost for-review
  ostfs export --dedupe a.pst b.pst all-mail  each item once
  ostfs export --only-in new.pst old.pst news  what old.pst has not";
pub(super) const INDEX: &str = "\
Examples:
  ostfs index old-mailbox.ost >mail.csv
  ostfs index --no-hash --from adams old-mailbox.ost
  ostfs index --csv-safe *.pst >mail.csv      for a spreadsheet
  ostfs index --hash sha1,md5 --json old-mailbox.ost >mail.jsonl";
pub(super) const DIFF: &str = "\
Examples:
  ostfs diff backup-may.pst backup-june.pst
  ostfs diff mailbox.pst repaired.pst         what ScanPST took away
  ostfs diff --json a.pst b.pst | jq -r 'select(.b == null).a'";
const SEARCHES: &str = "\
Examples:
  ostfs search old-mailbox.ost 'from:adams date:2024-01..2024-03'
  ostfs search -C 1 old-mailbox.ost '\"purchase order\" OR invoice*'
  ostfs search -c a.pst b.pst 'has:attachment size:>1M is:unread'
  ostfs search --json old-mailbox.ost 'kind:meeting since:7d' | jq .path
  ostfs search --index ~/.cache/ostfs old-mailbox.ost 'body:insolvency'
                              of many queries only the first reads all items";
/// How a query is written.
const QUERY: &str = "\
QUERY:
  word \"some words\" begin*  in header, text and attachments; case, accents and
                             width do not count
  A B, A AND B               both
  A OR B                     one of them
  NOT A, -A                  what A does not find
  (A OR B) C                 what belongs together
  from: to: cc: bcc: recipients: subject: body: attachment: category: id:
                             words in one place: subject:(budget OR plan*); of
                             attachment:, a name
  date: sent: received:      2024, 2024-05, 2024-05-31, 2024-05-31T09:30, today,
                             yesterday, 7d (no older than 7 days; also w, m, y);
                             with <, <=, >, >= before it; 2024-01..2024-03,
                             2024-05.., ..2024; date: is when an appointment
                             takes place; days begin as -o tz has it [UTC]
  since: until:              date: from there on, and up to there
  size:                      >1M, <=500K, 1M..5M; as Outlook counts it
  has:                       attachment
  is: flag:                  unread read flagged replied forwarded draft sent
  kind:                      mail meeting appointment contact list task note
                             journal document feed report chat voicemail signed
  class:IPM.Note             with all classes below it
  folder:Inbox/Projects      with all folders below it

A * alone finds every item. AND, OR and NOT are in capitals. Words with a colon
in them are put in quotes. A QUERY that begins with - stands behind --, as in:
ostfs search -- old-mailbox.ost '-from:adams'";
pub(super) const LS: &str = "\
Examples:
  ostfs ls old-mailbox.ost
  ostfs ls -l old-mailbox.ost Inbox
  ostfs ls -R --names '{subject}' a.pst b.pst a.pst/Inbox";
pub(super) const CAT: &str = "\
Examples:
  ostfs cat old-mailbox.ost 'Inbox/2024-05-01 0932 Quarterly numbers.eml'
  ostfs cat old-mailbox.ost .ostfs/import/Calendar.ics >calendar.ics";
pub(super) const INFO: &str = "\
Examples:
  ostfs info old-mailbox.ost
  ostfs info --json old-mailbox.ost | jq .folders
  ostfs info *.pst                            one after the other";
pub(super) const CHECK: &str = "\
Examples:
  ostfs check old-mailbox.ost && echo healthy
  ostfs check -v mailbox.pst                  what ScanPST would say, too
  ostfs check *.pst                           the worst decides the exit code
  ostfs check --json old-mailbox.ost | jq .";

/// Examples of `search`, and how a query is written.
pub(super) fn search() -> String {
    format!("{SEARCHES}\n\n{QUERY}")
}

/// `examples`, and the options of `-o` that `takers` take, for the help of a command.
pub(super) fn with_options(examples: &str, takers: Takers) -> String {
    format!("{examples}\n\n{}", options::help(takers))
}

/// The recipe that `arguments` ask for, as in `help recover`.
pub(super) fn asked_for(arguments: &[OsString]) -> Option<&'static str> {
    let [help, topic] = arguments else {
        return None;
    };
    let recipe = RECIPES.iter().find(|(name, _)| topic == name)?;
    (help == "help").then_some(recipe.1)
}

/// The names of the recipes.
pub(super) fn topics() -> impl Iterator<Item = &'static str> {
    RECIPES.iter().map(|(name, _)| *name)
}

/// The recipe that `arguments` seem to mean, as in `help Recovery` or `recover`, by its name.
pub(super) fn meant(arguments: &[OsString]) -> Option<&'static str> {
    let word = match arguments {
        [help, word] if help == "help" => word,
        [word] => word,
        _ => return None,
    };
    let word = word.to_str()?.to_lowercase();
    topics().find(|topic| word.starts_with(topic) || word.len() > 2 && topic.starts_with(&word))
}

#[cfg(test)]
mod tests {
    use super::super::arguments::Cli;
    use super::*;
    use clap::{CommandFactory, Parser};

    #[test]
    fn the_help_names_every_recipe() {
        for (topic, text) in RECIPES {
            assert!(TOPICS.contains(&format!("\n  {topic} ")), "{topic}");
            assert_eq!(asked_for(&["help".into(), topic.into()]), Some(text));
        }
        assert_eq!(asked_for(&["help".into(), "mount".into()]), None);
    }

    #[test]
    fn the_recipe_for_outlook_writes_what_outlook_opens() {
        let first = OUTLOOK
            .lines()
            .find(|line| line.trim_start().starts_with("ostfs "));
        assert!(
            first.is_some_and(|line| line.contains("export --to pst")),
            "{first:?}"
        );
    }

    #[test]
    fn every_command_line_in_recipes_and_examples_is_one() {
        let examples = [
            SEARCHES, MOUNT, OPEN, UNMOUNT, EXPORT, INDEX, DIFF, LS, CAT, INFO, CHECK,
        ];
        let texts = RECIPES.iter().map(|(_, text)| *text).chain(examples);
        for line in texts.flat_map(str::lines) {
            let Some(typed) = line.trim_start().strip_prefix("ostfs ") else {
                continue;
            };
            // Without remarks, and what the shell does with the output.
            let typed = typed.split("  ").next().unwrap_or_default();
            let typed = typed.split(" | ").next().unwrap_or_default();
            let typed = typed.split([';', '>', '&']).next().unwrap_or_default();
            let words = typed.split_whitespace();
            let first = typed.split_whitespace().next().unwrap_or_default();
            if Cli::command().find_subcommand(first).is_some() {
                let parsed = Cli::try_parse_from(std::iter::once("ostfs").chain(words));
                assert!(parsed.is_ok(), "{line}: {parsed:?}");
            } else {
                assert!(
                    line.contains(" old-mailbox.ost ") || line.contains("is opened"),
                    "{line}"
                );
            }
        }
    }

    #[test]
    fn the_help_of_every_command_has_two_examples() {
        for command in Cli::command().get_subcommands() {
            let name = command.get_name();
            for help in [
                command.clone().render_help().to_string(),
                command.clone().render_long_help().to_string(),
            ] {
                let examples = help.split_once("\nExamples:\n");
                let (_, examples) = examples.expect("examples");
                let examples = examples.lines().take_while(|line| !line.is_empty());
                let typed = format!("  ostfs {name} ");
                let count = examples.filter(|line| line.starts_with(&typed)).count();
                assert!(count >= 2, "{name}: {help}");
            }
        }
    }
}
