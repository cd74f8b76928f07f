//! Writes fixture files by hand: `cargo run --release --example fixture -- sample OUT.pst`, `many OUT.pst --messages 50000`, `attachment OUT.pst --size 1G`.
#[path = "mod.rs"]
mod support;

use std::path::PathBuf;
use std::time::Instant;

use clap::{Args, Parser, Subcommand, ValueEnum};
use support::realistic::Mailbox;
use support::*;

#[derive(Parser)]
#[command(about = "Write Outlook data files for tests and demonstrations")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// A dozen items of every kind.
    Sample(Target),
    /// Many invented messages.
    Many {
        #[command(flatten)]
        target: Target,
        #[arg(long, default_value_t = 10_000)]
        messages: u64,
        #[arg(long, default_value_t = 8)]
        folders: u64,
        /// Size to aim for, such as 500M or 10G.
        #[arg(long, value_parser = size)]
        bytes: Option<u64>,
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// One message with one attachment.
    Attachment {
        #[command(flatten)]
        target: Target,
        #[arg(long, value_parser = size, default_value = "100M")]
        size: u64,
    },
}

#[derive(Args)]
struct Target {
    out: PathBuf,
    #[arg(long, value_enum, default_value = "unicode")]
    format: FormatName,
    #[arg(long, value_enum, default_value = "permute")]
    crypt: CryptName,
    /// Do not compress the blocks of a 4K-page file.
    #[arg(long)]
    no_compress: bool,
    /// Most entries in a B-tree page, for deep trees.
    #[arg(long)]
    fanout: Option<usize>,
}

#[derive(Clone, Copy, ValueEnum)]
enum FormatName {
    Ansi,
    Unicode,
    Ost,
    Ost4k,
}

#[derive(Clone, Copy, ValueEnum)]
enum CryptName {
    None,
    Permute,
    Cyclic,
}

impl Target {
    fn options(&self) -> Options {
        let format = match self.format {
            FormatName::Ansi => Format::Ansi,
            FormatName::Unicode => Format::Unicode,
            FormatName::Ost => Format::UnicodeOst,
            FormatName::Ost4k => Format::Ost4k,
        };
        let crypt = match self.crypt {
            CryptName::None => Crypt::None,
            CryptName::Permute => Crypt::Permute,
            CryptName::Cyclic => Crypt::Cyclic,
        };
        let mut options = Options::new(format, crypt);
        options.compress = !self.no_compress;
        options.fanout = self.fanout;
        options
    }
}

/// A number with an optional K, M or G (powers of 1024).
fn size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(['K', 'M', 'G', 'k', 'm', 'g']);
    let shift = match text[digits.len()..].to_uppercase().as_str() {
        "" => 0,
        "K" => 10,
        "M" => 20,
        "G" => 30,
        _ => return Err("a number, then K, M or G".into()),
    };
    let number: u64 = digits.parse().map_err(|e| format!("{digits}: {e}"))?;
    Ok(number << shift)
}

fn main() -> std::io::Result<()> {
    let started = Instant::now();
    let (target, layout) = match Cli::parse().command {
        Command::Sample(target) => {
            let options = target.options();
            let store = sample::sample(options.format, options.crypt);
            let layout = store.write(&target.out)?;
            (target, layout)
        }
        Command::Many {
            target,
            messages,
            folders,
            bytes,
            seed,
        } => {
            let mailbox = Mailbox {
                seed,
                messages,
                folders: folders.max(1),
                bytes,
            };
            let mut writer = Writer::create(&target.out, target.options())?;
            let nids = mailbox.make_folders(&mut writer);
            for (folder, message) in mailbox.mails() {
                writer.message(nids[folder], &message)?;
            }
            let layout = writer.finish()?;
            (target, layout)
        }
        Command::Attachment { target, size } => {
            let mut writer = Writer::create(&target.out, target.options())?;
            let inbox = writer.folder(writer.ipm_subtree(), "Inbox");
            let message = Message::mail("One large attachment")
                .from("Ann Adams", "ann@north.example")
                .to("Bob Müller", "bob@north.example")
                .body("Here it is.\r\n")
                .attachment("large.bin", Payload::random(size, 1));
            writer.message(inbox, &message)?;
            let layout = writer.finish()?;
            (target, layout)
        }
    };
    println!(
        "{}: {} bytes, {} nodes, {} blocks, {:.1} s",
        target.out.display(),
        std::fs::metadata(&target.out)?.len(),
        layout.nodes.len(),
        layout.blocks.len(),
        started.elapsed().as_secs_f64()
    );
    Ok(())
}
