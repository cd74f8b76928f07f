//! Lines out of text and breaks: white space that collapses, blank lines, quote marks, indents and cells.
//!
//! A break is only noted; it is written when visible text follows, so that breaks never add up to more than two blank
//! lines, and lines have no blanks at their end.
#![forbid(unsafe_code)]

/// Line ends in a row at most: two blank lines.
const MAX_LINE_ENDS: usize = 3;
/// Bytes of text that are looked at together.
const STEP: usize = 16;
/// Levels of quotes and lists that are marked at the beginning of a line; deeper ones look the same. This also bounds
/// how much longer than its input a text can get.
const MAX_MARKED_DEPTH: usize = 5;

/// What stands between the last visible character and the next one.
#[derive(Clone, Copy, Default, PartialEq)]
enum Gap {
    #[default]
    Nothing,
    Blank,
    Cell,
    /// So many line ends.
    Lines(usize),
}

/// The text so far and the break that is due.
#[derive(Default)]
pub(super) struct Layout {
    text: String,
    gap: Gap,
    /// Blanks that do not collapse, due after the gap.
    hard_blanks: usize,
    /// Open quotes.
    pub(super) quote_depth: usize,
    /// Open lists.
    pub(super) indent_depth: usize,
    /// The bullet or number of a list item that has no text yet.
    marker: Option<String>,
    /// A list item or cell is open that has no text yet: its first block begins where it does.
    fresh: bool,
}

impl Layout {
    /// A layout with room for so many bytes.
    pub(super) fn with_capacity(capacity: usize) -> Self {
        Self {
            text: String::with_capacity(capacity),
            ..Self::default()
        }
    }

    /// Bytes of text so far.
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    /// The text from a place that [`Layout::len`] gave.
    pub(super) fn text_from(&self, start: usize) -> &str {
        self.text.get(start..).unwrap_or_default()
    }

    /// Adds text whose white space collapses.
    pub(super) fn flowing(&mut self, text: &str) {
        let mut rest = text;
        while let Some(character) = rest.chars().next() {
            let run = visible_run(rest);
            let (run, after) = rest.split_at_checked(run).unwrap_or(("", rest));
            if !run.is_empty() {
                self.close_gap();
                self.text.push_str(run);
                rest = after;
                continue;
            }
            rest = rest.get(character.len_utf8()..).unwrap_or_default();
            if !character.is_ascii_whitespace() {
                self.character(character);
            } else if self.gap == Gap::Nothing {
                self.gap = Gap::Blank;
            }
        }
    }

    /// Adds text whose white space and line ends count.
    pub(super) fn preformatted(&mut self, text: &str) {
        for character in text.chars() {
            match character {
                '\n' => self.line_break(),
                '\r' => {}
                ' ' => self.hard_blanks += 1,
                c => self.character(c),
            }
        }
    }

    /// Adds text right behind the last visible character, before the break that is due.
    pub(super) fn append(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn character(&mut self, character: char) {
        match character {
            '\u{A0}' => self.hard_blanks += 1,
            // Invisible: soft hyphen, joiners without effect, zero-width blank, byte order mark; and other controls.
            '\u{AD}' | '\u{34F}' | '\u{200B}' | '\u{2060}' | '\u{FEFF}' => {}
            c if c.is_control() && c != '\t' => {}
            c => {
                self.close_gap();
                self.text.push(c);
            }
        }
    }

    /// Writes the break that is due, and what belongs at the beginning of a line.
    fn close_gap(&mut self) {
        self.fresh = false;
        if self.gap == Gap::Nothing && self.hard_blanks == 0 && !self.at_line_start() {
            return;
        }
        match std::mem::take(&mut self.gap) {
            Gap::Lines(lines) if !self.text.is_empty() => {
                self.trim_line();
                let written = self.text.len() - self.text.trim_end_matches('\n').len();
                (written..lines).for_each(|_| self.text.push('\n'));
            }
            Gap::Cell if !self.at_line_start() => {
                self.trim_line();
                self.text.push('\t');
            }
            Gap::Blank if !self.at_line_start() => self.text.push(' '),
            _ => {}
        }
        if self.at_line_start() {
            let quotes = self.quote_depth.min(MAX_MARKED_DEPTH);
            (0..quotes).for_each(|_| self.text.push_str("> "));
            let marker = self.marker.take();
            let indent = self.indent_depth.min(MAX_MARKED_DEPTH);
            let indent = indent.saturating_sub(usize::from(marker.is_some()));
            (0..indent).for_each(|_| self.text.push_str("  "));
            self.text.push_str(&marker.unwrap_or_default());
        }
        let blanks = std::mem::take(&mut self.hard_blanks);
        self.text.extend(std::iter::repeat_n(' ', blanks));
    }

    fn at_line_start(&self) -> bool {
        self.text.is_empty() || self.text.ends_with('\n')
    }

    fn trim_line(&mut self) {
        self.text
            .truncate(self.text.trim_end_matches([' ', '\t']).len());
    }

    /// Ends a line, as `<br>` does.
    pub(super) fn line_break(&mut self) {
        self.hard_blanks = 0;
        self.gap = match self.gap {
            Gap::Lines(lines) => Gap::Lines((lines + 1).min(MAX_LINE_ENDS)),
            _ => Gap::Lines(1),
        };
    }

    /// Begins or ends a block with at least so many line ends between it and other text; 0 does nothing.
    pub(super) fn block(&mut self, lines: usize) {
        if lines == 0 {
            return;
        }
        if let Gap::Lines(due) = self.gap
            && self.hard_blanks > 0
        {
            // A block of nothing but blanks is how editors write a blank line.
            self.gap = Gap::Lines(due.max(2));
        }
        self.hard_blanks = 0;
        self.gap = match self.gap {
            gap if self.fresh => gap,
            Gap::Lines(due) => Gap::Lines(due.max(lines)),
            _ => Gap::Lines(lines),
        };
    }

    /// Begins the text of a list item, behind its marker.
    pub(super) fn open_item(&mut self, marker: String) {
        self.marker = Some(marker);
        self.fresh = true;
    }

    /// Ends a list item; one without text shows nothing.
    pub(super) fn close_item(&mut self) {
        self.marker = None;
        self.fresh = false;
    }

    /// Begins a cell: the first of a row begins a line.
    pub(super) fn open_cell(&mut self, is_first: bool) {
        if is_first {
            self.block(1);
        } else {
            self.gap = Gap::Cell;
        }
        self.hard_blanks = 0;
        self.fresh = true;
    }

    /// Ends a row of cells. Rows of more than one cell follow each other without blank lines, whatever paragraphs
    /// are in their cells.
    pub(super) fn end_row(&mut self, cells: usize) {
        match self.gap {
            Gap::Cell => self.gap = Gap::Nothing,
            Gap::Lines(_) if cells > 1 => self.gap = Gap::Lines(1),
            _ => {}
        }
        self.fresh = false;
        self.block(1);
    }

    /// Adds a horizontal rule.
    pub(super) fn rule(&mut self) {
        self.block(1);
        self.flowing("----");
        self.block(1);
    }

    /// The whole text.
    pub(super) fn finish(mut self) -> String {
        self.text.truncate(self.text.trim_end().len());
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text
    }
}

/// Bytes at the beginning of `text` that are shown as they are: visible characters with single blanks between them. It
/// ends before whatever [`Layout::character`] must look at, or before a byte that may begin such a character.
fn visible_run(text: &str) -> usize {
    let bytes = text.as_bytes();
    if bytes.first().is_none_or(|byte| *byte == b' ') {
        return 0;
    }
    let mut end = 0;
    // Many bytes at once, as far as there is nothing to look at among them: a loop without a branch.
    let chunk = |at: usize| bytes.get(at..).and_then(<[u8]>::first_chunk::<STEP>);
    while let (Some(step), Some(next)) = (chunk(end), chunk(end + 1))
        && step
            .iter()
            .zip(next)
            .fold(0, |odd, pair| odd | odd_byte(pair))
            == 0
    {
        end += STEP;
    }
    let rest = bytes.get(end..).unwrap_or_default();
    let next = rest.iter().skip(1).chain([&0]);
    end += rest
        .iter()
        .zip(next)
        .take_while(|pair| odd_byte(*pair) == 0)
        .count();
    // A blank at its end waits for what comes behind it.
    let run = bytes.get(..end).unwrap_or_default();
    run.trim_ascii_end().len()
}

/// 0 where a byte is part of a visible character or a single blank, whatever it is part of.
fn odd_byte((byte, next): (&u8, &u8)) -> u8 {
    let begins_odd_character = |lead: u8| u8::from(*byte == lead);
    let two_blanks = u8::from(*byte == b' ') & u8::from(*next == b' ');
    two_blanks
        | u8::from(*byte < b' ')
        | begins_odd_character(0x7F)
        | begins_odd_character(0xC2)
        | begins_odd_character(0xCD)
        | begins_odd_character(0xE2)
        | begins_odd_character(0xEF)
}
