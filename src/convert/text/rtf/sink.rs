//! Collects what the reader emits: bytes are gathered while their code page stays the same and decoded as one run,
//! since the bytes of one character may come in several tokens.
#![forbid(unsafe_code)]

use crate::codepage;

/// Which text a piece belongs to.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Target {
    /// The text of the document.
    Body,
    /// The instruction of a field, e.g. the address of a link.
    Instruction,
}

/// The texts that are being written.
pub(super) struct Sink {
    body: String,
    instruction: String,
    target: Target,
    run: Vec<u8>,
    page: u32,
    /// First half of a surrogate pair, which the next `\u` completes.
    high_surrogate: Option<u16>,
}

impl Sink {
    pub(super) fn new() -> Self {
        Self {
            body: String::new(),
            instruction: String::new(),
            target: Target::Body,
            run: Vec::new(),
            page: codepage::WINDOWS_LATIN1,
            high_surrogate: None,
        }
    }

    /// Adds bytes in a code page.
    pub(super) fn bytes(&mut self, target: Target, page: u32, bytes: &[u8]) {
        if target != self.target || page != self.page || self.high_surrogate.is_some() {
            self.flush();
            self.target = target;
            self.page = page;
        }
        self.run.extend_from_slice(bytes);
    }

    /// Adds text.
    pub(super) fn text(&mut self, target: Target, text: &str) {
        self.flush();
        self.target = target;
        self.write(text);
    }

    /// Adds a UTF-16 code unit.
    pub(super) fn unit(&mut self, target: Target, unit: u16) {
        let high = self.high_surrogate.take();
        let pair = high.map(|high| char::decode_utf16([high, unit]).next());
        if let Some(Some(Ok(character))) = pair {
            self.text(target, character.encode_utf8(&mut [0; 4]));
            return;
        }
        self.high_surrogate = high;
        self.flush();
        self.target = target;
        match char::from_u32(u32::from(unit)) {
            Some(character) => self.write(character.encode_utf8(&mut [0; 4])),
            None => self.high_surrogate = Some(unit),
        }
    }

    /// Takes a tab back that a cell left at the end of the body.
    pub(super) fn remove_trailing_tab(&mut self) {
        self.flush();
        if self.body.ends_with('\t') {
            self.body.pop();
        }
    }

    /// The body so far.
    pub(super) fn body(&mut self) -> &str {
        self.flush();
        &self.body
    }

    /// Takes the field instruction that was collected.
    pub(super) fn take_instruction(&mut self) -> String {
        self.flush();
        std::mem::take(&mut self.instruction)
    }

    /// The whole body.
    pub(super) fn finish(mut self) -> String {
        self.flush();
        self.body
    }

    fn flush(&mut self) {
        if self.high_surrogate.take().is_some() {
            self.write("\u{FFFD}");
        }
        if !self.run.is_empty() {
            let run = std::mem::take(&mut self.run);
            self.write(&codepage::decode(self.page, &run));
        }
    }

    fn write(&mut self, text: &str) {
        match self.target {
            Target::Body => self.body.push_str(text),
            Target::Instruction => self.instruction.push_str(text),
        }
    }
}
