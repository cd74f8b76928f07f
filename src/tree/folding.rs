//! Which names file systems take for one: an export has a file for each item on all of them.
//!
//! NTFS and exFAT compare names by a table of upper case, a character at a time. APFS and ext4 with `casefold` compare the
//! full case folding of the decomposed names, and ext4 passes over characters that are not to be seen. Two names are one
//! here if any of the four takes them for one, so a few are that no single file system mixes up.
#![forbid(unsafe_code)]

use unicode_normalization::UnicodeNormalization;

/// `name` with everything left out that some file system does not look at. ASCII is lower case, and nothing else.
pub fn folded(name: &str) -> impl Iterator<Item = char> + '_ {
    // Most names are ASCII, or nearly so, and a folder of a million names is folded twice. No mark changes its place across
    // a character of ASCII (it is a starter: Unicode 3.11, D107), so what lies between such is folded by itself.
    let runs = name
        .as_bytes()
        .chunk_by(|one, next| one.is_ascii() == next.is_ascii());
    let runs = runs.map(|run| std::str::from_utf8(run).unwrap_or_default());
    runs.flat_map(|run| {
        let (ascii, other) = if run.is_ascii() { (run, "") } else { ("", run) };
        let ascii = ascii
            .bytes()
            .map(|byte| char::from(byte.to_ascii_lowercase()));
        ascii.chain(folded_by_tables(other))
    })
}

fn folded_by_tables(name: &str) -> impl Iterator<Item = char> + '_ {
    // Lower, upper, lower: whatever maps one character to another in either direction ends in the same place, as do
    // the capital and the small sharp s and "ss". What that gives may have marks to be put in order again.
    name.nfd()
        .filter(|character| !is_ignorable(*character))
        .flat_map(char::to_lowercase)
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .nfd()
}

/// Whether some file system takes these two names for one.
pub fn is_one_name(one: &str, other: &str) -> bool {
    folded(one).eq(folded(other))
}

/// Default_Ignorable_Code_Point of the Unicode Character Database (DerivedCoreProperties.txt).
fn is_ignorable(character: char) -> bool {
    matches!(
        character,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}' | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFF8}' | '\u{1BCA0}'..='\u{1BCA3}'
            | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::Path;
    use std::process::Command;

    fn fold(text: &str) -> String {
        folded(text).collect()
    }

    fn of(character: char) -> String {
        fold(character.encode_utf8(&mut [0; 4]))
    }

    /// What `command` prints; None where the program is missing, which is said.
    fn run(program: &str, arguments: &[&str], at: &Path) -> Option<String> {
        let output = Command::new(program)
            .args(arguments)
            .current_dir(at)
            .output();
        let Ok(output) = output else {
            let is_ci = std::env::var_os("CI").is_some_and(|ci| ci == "true");
            assert!(!is_ci, "no {program}, and CI=true forbids skipping");
            println!("skipped: no {program}");
            return None;
        };
        assert!(output.status.success(), "{program}: {output:?}");
        Some(String::from_utf8(output.stdout).unwrap())
    }

    #[test]
    fn folding_twice_changes_nothing_and_ascii_is_lower_case() {
        for character in '\0'..=char::MAX {
            let once = of(character);
            assert_eq!(fold(&once), once, "{character:?}");
            if character.is_ascii() {
                assert_eq!(once, character.to_ascii_lowercase().to_string());
                let by_tables: String = folded_by_tables(&character.to_string()).collect();
                assert_eq!(once, by_tables);
            }
        }
    }

    #[test]
    fn characters_beside_ascii_are_folded_as_the_tables_fold_the_whole_name() {
        let characters = [
            'A', 'i', '7', 'é', 'ß', 'ı', 'İ', '\u{301}', '\u{327}', '\u{345}', '\u{ad}', '한',
            '\u{1100}', '\u{1161}', '\u{212a}', 'Ǆ', '😀',
        ];
        let mut names = vec![String::new()];
        for _ in 0..4 {
            let longer = |name: &String| characters.map(|character| format!("{name}{character}"));
            names = names.iter().flat_map(longer).collect();
            for name in &names {
                let whole: String = folded_by_tables(name).collect();
                assert_eq!(fold(name), whole, "{name:?}");
            }
        }
    }

    #[test]
    fn pairs_that_one_file_system_or_another_takes_for_one_are_one() {
        for (one, other) in [
            ("straße", "STRASSE"),
            ("STRA\u{1E9E}E", "strasse"),
            ("caf\u{e9}", "CAFE\u{301}"),
            ("\u{3c2}", "\u{3a3}"),
            ("\u{b5}", "\u{3bc}"),
            ("\u{212a}", "k"),
            ("\u{17f}", "S"),
            ("\u{131}", "I"),
            ("\u{fb01}", "FI"),
            ("a\u{ad}b\u{200d}", "AB"),
            ("\u{1fb3}", "\u{391}\u{399}"),
        ] {
            assert_eq!(fold(one), fold(other), "{one} {other}");
        }
        for (one, other) in [
            ("a", "b"),
            ("e", "\u{e9}"),
            ("\u{2460}", "1"),
            ("\u{ff21}", "a"),
        ] {
            assert_ne!(fold(one), fold(other), "{one} {other}");
        }
    }

    /// Two characters are one here if a table of upper case, one 16-bit number for each, has it so.
    fn assert_covers(table: &[u16], whose: &str) {
        let mut changed = 0;
        for (lower, upper) in (0..).zip(table) {
            // Surrogates stand for themselves.
            let characters = (char::from_u32(lower), char::from_u32(u32::from(*upper)));
            let (Some(lower), Some(upper)) = characters else {
                continue;
            };
            changed += usize::from(lower != upper);
            assert_eq!(of(lower), of(upper), "{whose}: {lower:?} and {upper:?}");
        }
        assert!(changed > 600, "{whose}: {changed} have an upper case");
    }

    fn units(bytes: &[u8]) -> Vec<u16> {
        let units = bytes.as_chunks::<2>().0.iter();
        units.map(|unit| u16::from_le_bytes(*unit)).collect()
    }

    #[test]
    fn what_ntfs_takes_for_one_is_one() {
        const ATTRIBUTE_DATA: usize = 128 << 10;
        let scratch = tempfile::tempdir().unwrap();
        fs::write(scratch.path().join("image"), vec![0; 16 << 20]).unwrap();
        let Some(_) = run("mkntfs", &["-F", "-Q", "-q", "image"], scratch.path()) else {
            return;
        };
        let arguments = ["-c", "ntfscat -f image '$UpCase' > table"];
        run("sh", &arguments, scratch.path());
        let table = fs::read(scratch.path().join("table")).unwrap();
        assert_eq!(table.len(), ATTRIBUTE_DATA);
        assert_covers(&units(&table), "NTFS");
    }

    #[test]
    fn what_exfat_takes_for_one_is_one() {
        let scratch = tempfile::tempdir().unwrap();
        fs::write(scratch.path().join("image"), vec![0; 16 << 20]).unwrap();
        let Some(_) = run("mkfs.exfat", &["image"], scratch.path()) else {
            return;
        };
        let image = fs::read(scratch.path().join("image")).unwrap();
        assert_covers(&exfat_table(&image), "exFAT");
    }

    /// The up-case table of an exFAT volume: "exFAT file system specification", 3.1, 7.2.
    fn exfat_table(image: &[u8]) -> Vec<u16> {
        const UP_CASE_TABLE: u8 = 0x82;
        const IDENTITY: u16 = 0xFFFF;
        let number = |at: usize| u32::from_le_bytes(image[at..at + 4].try_into().unwrap()) as usize;
        let sector: usize = 1 << image[108];
        let cluster = sector << image[109];
        let heap = number(88) * sector;
        let place = |number: usize| heap + (number - 2) * cluster;
        let entries = (place(number(96))..).step_by(32);
        let entry = entries
            .into_iter()
            .find(|at| image[*at] == UP_CASE_TABLE)
            .unwrap();
        let start = place(number(entry + 20));
        let mut table = Vec::new();
        let mut packed = units(&image[start..start + number(entry + 24)]).into_iter();
        while let Some(unit) = packed.next() {
            match unit {
                IDENTITY if !packed.as_slice().is_empty() => {
                    let count = packed.next().unwrap_or_default();
                    let first = table.len() as u16;
                    table.extend((0..count).map(|index| first + index));
                }
                unit => table.push(unit),
            }
        }
        table
    }

    #[test]
    fn what_ext4_takes_for_one_is_one() {
        let scratch = tempfile::tempdir().unwrap();
        // Between two letters, as some characters are nothing at the end of a name.
        let known = ('\u{a1}'..='\u{1ffff}').chain('\u{e0000}'..='\u{e0fff}');
        let names: Vec<String> = known.map(|character| format!("a{character}b")).collect();
        let folds = names.iter().map(|name| fold(name));
        let folds: Vec<String> = folds
            .zip(&names)
            .filter(|(fold, name)| fold != *name)
            .map(|(fold, _)| fold)
            .collect();
        let ask = |name: &String| format!("dx_hash -h half_md4 -e utf8 -c \"{name}\"\n");
        let questions: String = names.iter().chain(&folds).map(ask).collect();
        fs::write(scratch.path().join("questions"), questions).unwrap();
        let Some(answers) = run("debugfs", &["-f", "questions"], scratch.path()) else {
            return;
        };
        let mut folds = std::collections::HashMap::new();
        let mut joined = 0;
        let answers = answers
            .lines()
            .filter_map(|line| line.strip_prefix("Hash of "));
        for answer in answers {
            let (name, hash) = answer.rsplit_once(" is ").unwrap();
            let fold = fold(name);
            let known = folds.entry(hash.to_owned()).or_insert_with(|| fold.clone());
            assert_eq!(*known, fold, "{name:?}");
            joined += usize::from(fold != name);
        }
        assert!(joined > 1000, "{joined}");
    }

    /// Characters whose canonical caseless form (Unicode 3.13, D145) differs from them, with that form.
    const CASELESS: &str = "
import sys, unicodedata
nfd = lambda text: unicodedata.normalize('NFD', text)
for number in range(sys.maxunicode + 1):
    character = chr(number)
    if not 0xD800 <= number < 0xE000 and unicodedata.category(character) != 'Cn':
        form = nfd(nfd(character).casefold())
        if form != character:
            print(character, form, sep='\\t')
";

    #[test]
    fn what_apfs_takes_for_one_is_one() {
        let arguments = ["-X", "utf8", "-c", CASELESS];
        let Some(forms) = run("python3", &arguments, Path::new(".")) else {
            return;
        };
        assert!(forms.lines().count() > 10_000);
        for line in forms.lines() {
            let (one, other) = line.split_once('\t').unwrap();
            assert_eq!(fold(one), fold(other), "{one:?}");
        }
    }
}
