//! Fields: the address behind a link.
#![forbid(unsafe_code)]

/// A field whose group is open.
pub(super) struct Field {
    /// Where its result begins in the body.
    pub(super) result_start: usize,
    /// Its instruction, once the group of it is closed.
    pub(super) instruction: String,
}

/// A link text longer than this is not searched for its address, in bytes.
const LONGEST_ADDRESS_TEXT: usize = 8192;

impl Field {
    /// What has to follow the result so that the address of the link is not lost: ` <address>`, or nothing.
    pub(super) fn address_after(&self, result: &str) -> Option<String> {
        let address = link_address(&self.instruction)?;
        let shown = address.strip_prefix("mailto:").unwrap_or(&address);
        let shown = shown.trim_end_matches('/');
        if result.len() <= LONGEST_ADDRESS_TEXT && result.contains(shown) {
            return None;
        }
        let blank = if result.is_empty() { "" } else { " " };
        Some(format!("{blank}<{address}>"))
    }
}

/// The address of a HYPERLINK instruction; `None` for other fields and for links within the document.
fn link_address(instruction: &str) -> Option<String> {
    let mut words = Words {
        rest: instruction.trim_matches(['\0', ' ', '\t', '\r', '\n']),
    };
    if !words.next()?.eq_ignore_ascii_case("HYPERLINK") {
        return None;
    }
    let mut address = None;
    let mut anchor = "";
    while let Some(word) = words.next() {
        match word {
            "\\l" => anchor = words.next().unwrap_or_default(),
            // Screen tip and target frame.
            "\\o" | "\\t" => {
                words.next();
            }
            "\\m" | "\\n" => {}
            word if address.is_none() => address = Some(word),
            _ => {}
        }
    }
    let address = address.filter(|address| !address.is_empty())?;
    Some(match anchor {
        "" => address.to_owned(),
        anchor => format!("{address}#{anchor}"),
    })
}

/// The words of an instruction: blanks separate them, quotes hold them together.
struct Words<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let rest = self.rest.trim_start();
        let (word, rest) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
        };
        let ended = word.is_empty() && rest.is_empty();
        self.rest = rest;
        (!ended).then_some(word)
    }
}
