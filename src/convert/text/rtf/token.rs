//! Cuts RTF into braces, control words, control symbols and text.
#![forbid(unsafe_code)]

/// One token of RTF.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Token<'a> {
    /// `{`
    Open,
    /// `}`
    Close,
    /// A control word with its number, if it has one.
    Word(&'a [u8], Option<i32>),
    /// `\` and a byte that is no letter.
    Symbol(u8),
    /// `\'xx`
    Hex(u8),
    /// Plain bytes, never with CR or LF, which mean nothing in RTF.
    Text(&'a [u8]),
    /// `\binN` with its raw bytes left out.
    Binary,
}

/// The tokens of an RTF value, in order.
pub(super) struct Tokens<'a> {
    rest: &'a [u8],
}

impl<'a> Tokens<'a> {
    pub(super) fn new(rtf: &'a [u8]) -> Self {
        Self { rest: rtf }
    }

    /// Takes the leading bytes for which `belongs` holds.
    fn take_while(&mut self, belongs: impl Fn(&u8) -> bool) -> &'a [u8] {
        let length = self.rest.iter().take_while(|byte| belongs(byte)).count();
        self.take(length)
    }

    /// Takes so many bytes, or all that are left.
    fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(length.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    /// The control word or symbol behind a backslash; `None` at the end of the input.
    fn control(&mut self) -> Option<Token<'a>> {
        let name = self.take_while(u8::is_ascii_alphabetic);
        if !name.is_empty() {
            return Some(self.word(name));
        }
        let token = match self.take(1).first()? {
            b'\'' => self.hex(),
            b'\r' | b'\n' => Token::Word(b"par", None),
            b'\t' => Token::Word(b"tab", None),
            &symbol => Token::Symbol(symbol),
        };
        Some(token)
    }

    fn word(&mut self, name: &'a [u8]) -> Token<'a> {
        let parameter = self.parameter();
        if self.rest.first() == Some(&b' ') {
            self.take(1);
        }
        if name == b"bin" {
            self.take(usize::try_from(parameter.unwrap_or(0)).unwrap_or(0));
            return Token::Binary;
        }
        Token::Word(name, parameter)
    }

    /// The number right behind a control word; numbers beyond 32 bits stop at their limit.
    fn parameter(&mut self) -> Option<i32> {
        let negative = matches!(self.rest, [b'-', digit, ..] if digit.is_ascii_digit());
        if negative {
            self.take(1);
        }
        let digits = self.take_while(u8::is_ascii_digit);
        if digits.is_empty() {
            return None;
        }
        let value = digits.iter().fold(0_i32, |value, digit| {
            value
                .saturating_mul(10)
                .saturating_add(i32::from(digit - b'0'))
        });
        Some(if negative { -value } else { value })
    }

    /// The two digits of `\'xx`; a writer that left one out meant one.
    fn hex(&mut self) -> Token<'a> {
        let mut value = 0_u8;
        for _ in 0..2 {
            let Some(digit) = self.rest.first().and_then(|&b| char::from(b).to_digit(16)) else {
                break;
            };
            value = value << 4 | digit as u8;
            self.take(1);
        }
        Token::Hex(value)
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        self.take_while(|byte| matches!(byte, b'\r' | b'\n'));
        let token = match self.rest.first()? {
            b'{' => Token::Open,
            b'}' => Token::Close,
            b'\\' => {
                self.take(1);
                return self.control();
            }
            _ => {
                let is_text = |byte: &u8| !matches!(byte, b'{' | b'}' | b'\\' | b'\r' | b'\n');
                return Some(Token::Text(self.take_while(is_text)));
            }
        };
        self.take(1);
        Some(token)
    }
}
