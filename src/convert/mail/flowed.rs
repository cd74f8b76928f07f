//! text/plain; format=flowed: 8bit text whose paragraphs are longer than a line of mail may be. RFC 3676
//!
//! With `delsp=yes` a line that ends with a blank goes on in the next one, without that blank: so lines can break
//! anywhere, also in scripts that set no blanks, and every word stays as it is for search tools.
#![forbid(unsafe_code)]

/// Parameters of the Content-Type.
pub(crate) const PARAMETERS: [(&str, &str); 2] = [("format", "flowed"), ("delsp", "yes")];
/// Octets of a line, with room for quote marks, stuffing and the blank at its end within the 998 of a line of mail.
const MAX_CONTENT: usize = 900;
/// Quote marks that are repeated on every line of a paragraph.
const MAX_QUOTES: usize = 50;
/// What separates a signature, which is no flowed line in spite of its blank.
const SIGNATURE: &str = "-- ";

/// `text`, lines ending with LF, as flowed text.
pub(crate) fn flow(text: &str) -> String {
    let mut flowed = String::with_capacity(text.len() + text.len() / 100);
    for line in text.split_inclusive('\n') {
        let (line, end) = line
            .strip_suffix('\n')
            .map_or((line, ""), |line| (line, "\n"));
        if line == SIGNATURE {
            flowed.push_str(line);
        } else {
            flow_line(line.trim_end_matches(' '), &mut flowed);
        }
        flowed.push_str(end);
    }
    flowed
}

fn flow_line(line: &str, flowed: &mut String) {
    let quotes = line.bytes().take_while(|byte| *byte == b'>').count();
    if line.len() <= MAX_CONTENT || quotes > MAX_QUOTES {
        return piece("", line, flowed);
    }
    let (quotes, mut rest) = line.split_at(quotes);
    // A blank behind quote marks stands for itself there, and is put back on every line.
    if !quotes.is_empty() {
        rest = rest.strip_prefix(' ').unwrap_or(rest);
    }
    while rest.len() > MAX_CONTENT {
        let (head, tail) = rest.split_at(break_point(rest));
        piece(quotes, head, flowed);
        flowed.push_str(" \n");
        rest = tail;
    }
    piece(quotes, rest, flowed);
}

/// A line: its quote marks, and its content stuffed with a blank where it would be taken for something else.
fn piece(quotes: &str, content: &str, flowed: &mut String) {
    flowed.push_str(quotes);
    let continues_quote = !quotes.is_empty();
    if continues_quote || content.starts_with(' ') || content.starts_with("From ") {
        flowed.push(' ');
    }
    flowed.push_str(content);
}

/// Where a long line breaks: behind the last blank that fits, else between two characters.
fn break_point(rest: &str) -> usize {
    let mut limit = MAX_CONTENT.min(rest.len());
    while !rest.is_char_boundary(limit) {
        limit -= 1;
    }
    let head = rest.get(..limit).unwrap_or_default();
    match head.rfind(' ') {
        Some(blank) if blank > 0 => blank + 1,
        _ => limit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reader of flowed text, straight from RFC 3676 section 4.
    fn unflow(flowed: &str) -> String {
        let mut text = String::new();
        let mut open = false;
        for line in flowed.lines() {
            let quotes = line.bytes().take_while(|byte| *byte == b'>').count();
            let content = line[quotes..].strip_prefix(' ').unwrap_or(&line[quotes..]);
            if !open {
                text.push_str(&line[..quotes]);
                if quotes > 0 && line[quotes..].starts_with(' ') {
                    text.push(' ');
                }
            }
            open = content.ends_with(' ') && content != SIGNATURE;
            text.push_str(if open {
                &content[..content.len() - 1]
            } else {
                content
            });
            if !open {
                text.push('\n');
            }
        }
        text
    }

    #[test]
    fn a_reader_of_flowed_text_gets_the_text_back() {
        let russian = "длинный абзац без конца ".repeat(60) + "конец";
        let japanese = "会議の資料を送ります。".repeat(60);
        for text in [
            format!("{russian}\nshort\n"),
            format!("{japanese}\n"),
            format!("> {russian}\n>> {japanese}\n> end\n"),
            format!(" indented\nFrom here\n{}\n-- \nAnn\n", "x".repeat(3000)),
        ] {
            let flowed = flow(&text);
            assert!(flowed.lines().all(|line| line.len() <= 998));
            assert_eq!(unflow(&flowed), text);
        }
    }

    #[test]
    fn words_are_not_broken_where_there_are_blanks() {
        let text = "слово word ".repeat(500);
        let flowed = flow(&text);
        assert!(
            flowed
                .split_whitespace()
                .all(|word| word == "слово" || word == "word")
        );
    }
}
