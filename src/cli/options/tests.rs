//! What users type after `-o`, and what they are told when it is wrong.

use std::time::Duration;

use super::*;
use crate::cli::exit::Exit;
use crate::convert::Eol;
use crate::ndb::Recover;
use crate::tree::{Attachments, Damaged};
use jiff::tz::TimeZone;

fn parse(list: &str) -> Result<Options, Failure> {
    Options::parse(&[list.to_owned()], Writer::User)
}

fn message(list: &str) -> String {
    let failure = parse(list).unwrap_err();
    assert_eq!(failure.exit, Exit::Usage);
    failure.message
}

#[test]
fn without_options_mail_is_private() {
    let options = parse("").unwrap();
    assert_eq!(options, Options::default());
    assert_eq!(
        (options.mount.file_mode, options.mount.directory_mode),
        (0o600, 0o700)
    );
}

#[test]
fn every_option_arrives() {
    let options = parse(
        "attachments=dir,all,deleted,cache=256M,recover=scan,damaged=refuse,sandbox=off,nonempty,ro,allow_root,uid=1000,gid=100,default_permissions,fsname=mail,idle_timeout=10m",
    )
    .unwrap();
    assert_eq!(options.tree.attachments, Attachments::Dir);
    assert!(
        options.tree.all
            && options.tree.deleted
            && options.nonempty
            && options.mount.default_permissions
    );
    assert_eq!(options.tree.cache, 256 << 20);
    assert_eq!(options.tree.recover, Recover::Scan);
    assert_eq!(options.tree.damaged, Damaged::Refuse);
    assert_eq!(options.sandbox, Switch::Off);
    assert_eq!(options.mount.access, Access::Root);
    assert_eq!(
        (options.mount.uid, options.mount.gid),
        (Some(1000), Some(100))
    );
    assert_eq!(options.mount.fsname.as_deref(), Some("mail"));
    let ten_minutes = Duration::from_secs(600);
    assert_eq!(options.mount.idle_timeout, Some(ten_minutes));
}

#[test]
fn lists_may_be_split_in_any_way() {
    let lists = ["all, nonempty".to_owned(), ",attachments=eml,".to_owned()];
    let options = Options::parse(&lists, Writer::User).unwrap();
    assert!(options.tree.all && options.nonempty);
    assert_eq!(options.tree.attachments, Attachments::Eml);
}

#[test]
fn masks_work_as_on_other_filesystems() {
    for (list, file, directory) in [
        ("umask=022", 0o644, 0o755),
        ("umask=027", 0o640, 0o750),
        ("dmask=022,fmask=0133,umask=077", 0o644, 0o755),
        ("fmask=377", 0o400, 0o700),
        ("allow_other", 0o644, 0o755),
        ("allow_other,umask=077", 0o600, 0o700),
        ("allow_root", 0o600, 0o700),
    ] {
        let mount = parse(list).unwrap().mount;
        assert_eq!(
            (mount.file_mode, mount.directory_mode),
            (file, directory),
            "{list}"
        );
    }
}

#[test]
fn sizes_have_units() {
    for (text, size) in [
        ("1048576", 1 << 20),
        ("2048K", 2 << 20),
        ("64m", 64 << 20),
        ("3G", 3 << 30),
    ] {
        assert_eq!(parse(&format!("cache={text}")).unwrap().tree.cache, size);
    }
}

#[test]
fn a_wrong_value_is_named_with_what_would_be_right() {
    for list in [
        "cache",
        "cache=",
        "cache=big",
        "cache=0",
        "cache=1023K",
        "cache=-1M",
        "cache=99999999999G",
        "uid=nobody that has this name",
        "uid=4294967295",
        "gid",
        "umask=9",
        "umask=1000",
        "fmask=",
        "attachments=none",
        "recover=on",
        "sandbox",
        "sandbox=no",
        "fsname=",
        "idle_timeout",
        "idle_timeout=soon",
        "idle_timeout=0",
        "layout=mbox",
        "names=",
        "tz=",
    ] {
        let message = message(list);
        assert!(
            message.starts_with(&format!("-o {list}: give ")),
            "{message}"
        );
    }
    assert_eq!(message("all=1"), "-o all: takes no value");
}

#[test]
fn commas_within_a_value_are_quoted_or_escaped() {
    let template: Template = "{from}, {date:%d, %m}".parse().unwrap();
    for list in [
        r#"all,names="{from}, {date:%d, %m}",eol=crlf"#,
        r#"all,"names={from}, {date:%d, %m}",eol=crlf"#,
        r"all,names={from}\, {date:%d\, %m},eol=crlf",
    ] {
        let options = parse(list).unwrap();
        assert_eq!(options.tree.names.as_ref(), Some(&template), "{list}");
        assert!(options.tree.all && options.tree.convert.eol == Eol::Crlf);
    }
    let quote = parse(r#"fsname=a\"b\\c\d"#).unwrap();
    assert_eq!(quote.mount.fsname.as_deref(), Some(r#"a"b\c\d"#));
}

#[test]
fn a_template_or_zone_that_is_none_is_refused_with_what_would_be_right() {
    let template = message("names={sender}");
    assert!(
        template.contains("{sender}; give some of {date}"),
        "{template}"
    );
    for zone in ["Middle/Earth", "utc+1", "../../etc/passwd"] {
        let zone = message(&format!("tz={zone}"));
        assert!(zone.contains("as in -o tz=Europe/Berlin"), "{zone}");
    }
    assert_eq!(parse("tz=UTC").unwrap().tree.zone, TimeZone::UTC);
    assert_ne!(
        parse("tz=America/New_York").unwrap().tree.zone,
        TimeZone::UTC
    );
}

#[test]
fn options_that_contradict_each_other_are_refused() {
    for list in [
        "layout=maildir,names={nid}",
        "layout=maildir,text",
        "layout=maildir,deleted",
        "attachments=dir,layout=maildir",
    ] {
        assert!(message(list).contains("does not go with"), "{list}");
    }
    let maildir = parse("layout=maildir,all").unwrap();
    assert!(maildir.with_names(&"{nid}".parse().ok()).is_err());
}

#[test]
fn an_unknown_option_is_named_with_the_one_that_is_near() {
    for (list, near) in [
        ("ro,atachments=eml", "attachments=both|hidden|eml|dir"),
        ("txt", "text"),
        ("view", "views"),
    ] {
        let message = message(list);
        assert!(
            message.contains("unknown option; did you mean"),
            "{message}"
        );
        assert!(message.contains(&format!("mean {near}?")), "{message}");
    }
    let message = message("mystery");
    assert_eq!(
        message,
        "-o mystery: unknown option; ostfs mount --help lists all"
    );
}

#[test]
fn letters_that_are_wrong_are_counted() {
    for (a, b, letters) in [
        ("text", "text", 0),
        ("text", "txt", 1),
        ("", "all", 3),
        ("views", "view", 1),
        ("search", "saerch", 2),
        ("eol", "tz", 3),
    ] {
        assert_eq!(distance(a, b), letters, "{a} {b}");
        assert_eq!(distance(b, a), letters, "{b} {a}");
    }
}

#[test]
fn every_option_is_in_the_help_of_the_commands_that_take_it() {
    for row in TABLE {
        let typed = format!("\n  {}", row.typed());
        assert!(help(Takers::Mount).contains(&typed));
        let is_for_all = row.taken_by == Takers::All;
        assert_eq!(help(Takers::All).contains(&typed), is_for_all, "{typed}");
    }
}

#[test]
fn the_manual_has_every_option() {
    let [ostfs, _] = crate::cli::definitions();
    let mount = ostfs.find_subcommand("mount").unwrap();
    let text = mount.get_after_long_help().unwrap().to_string();
    assert!(text.contains(&help(Takers::Mount)));
}

#[test]
fn the_table_in_the_readme_is_made_from_this_one() {
    let readme =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let table = table::markdown();
    assert!(readme.contains(&table), "README.md lacks this:\n{table}");
}

#[test]
fn what_fstab_says_to_everyone_is_tolerated() {
    let list = "defaults,nofail,_netdev,x-systemd.automount,x-gvfs-show,noauto,user,user=jane,users,auto,\
                nodev,nosuid,noexec,noatime,dev,suid,relatime,comment=mail";
    assert_eq!(parse(list).unwrap(), Options::default());
}

#[test]
fn writing_is_refused_but_to_mount_8_which_always_says_rw() {
    assert!(message("rw").contains("never writes"));
    let rw = ["rw,noexec".to_owned()];
    assert_eq!(
        Options::parse(&rw, Writer::MountCommand),
        Ok(Options::default())
    );
    let unknown = ["mystery".to_owned()];
    assert!(Options::parse(&unknown, Writer::MountCommand).is_err());
    assert!(Options::parse(&unknown, Writer::SloppyMountCommand).is_ok());
}
