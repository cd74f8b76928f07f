//! Character references: `&eacute;`, `&#233;`, `&#xE9;` (HTML Standard, 13.2.5.72 and following).
#![forbid(unsafe_code)]

use crate::codepage::{self, WINDOWS_LATIN1};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Names of U+00A0 to U+00FF. For the sake of old pages these are known without a semicolon, too.
const LATIN_1: &str = "
nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute
micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring
AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml
times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil
egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash
ugrave uacute ucirc uuml yacute thorn yuml
";

/// Other names known without a semicolon.
const WITHOUT_SEMICOLON: [&str; 10] = [
    "AMP", "COPY", "GT", "LT", "QUOT", "REG", "amp", "gt", "lt", "quot",
];

/// The other names of HTML 4 and those of HTML 5 that mail uses, each before its character.
const NAMED: &str = r#"
AMP & Abreve Ă Alpha Α Amacr Ā Aogon Ą Beta Β COPY © Cacute Ć Ccaron Č Chi Χ CloseCurlyQuote ’ Dagger ‡
Dcaron Ď Delta Δ Dstrok Đ Ecaron Ě Emacr Ē Eogon Ę Epsilon Ε Eta Η GT > Gamma Γ Gbreve Ğ Hat ^ Idot İ Imacr
Ī Iogon Į Iota Ι Kappa Κ Kcedil Ķ LT < Lambda Λ Lcaron Ľ Lcedil Ļ Lstrok Ł Mu Μ Nacute Ń Ncaron Ň Ncedil Ņ
Nu Ν OElig Œ Odblac Ő Omacr Ō Omega Ω Omicron Ο OpenCurlyQuote ‘ Phi Φ Pi Π Prime ″ Psi Ψ QUOT " REG ®
Racute Ŕ Rcaron Ř Rho Ρ Sacute Ś Scaron Š Scedil Ş Sigma Σ TRADE ™ Tau Τ Tcaron Ť Tcedil Ţ Theta Θ Udblac Ű
Umacr Ū Uogon Ų Upsilon Υ Uring Ů Xi Ξ Yuml Ÿ Zacute Ź Zcaron Ž Zdot Ż Zeta Ζ abreve ă alefsym ℵ alpha α
amacr ā amp & and ∧ ang ∠ aogon ą apos ' ast * asymp ≈ bdquo „ beta β blk14 ░ block █ boxh ─ boxv │ bsol \
bull • bullet • cacute ć cap ∩ caret ⁁ ccaron č check ✓ chi χ circ ˆ clubs ♣ colon : comma , commat @ cong ≅
copysr ℗ crarr ↵ cross ✗ cup ∪ dArr ⇓ dagger † darr ↓ dash ‐ dcaron ď delta δ diams ♦ dollar $ dstrok đ dtri
▿ dtrif ▾ ecaron ě emacr ē empty ∅ eogon ę epsilon ε equals = equiv ≡ eta η euro € excl ! exist ∃ female ♀
flat ♭ fnof ƒ forall ∀ frac13 ⅓ frac15 ⅕ frac16 ⅙ frac18 ⅛ frac23 ⅔ frac25 ⅖ frac35 ⅗ frac38 ⅜ frac45 ⅘
frac56 ⅚ frac58 ⅝ frac78 ⅞ frasl ⁄ gamma γ gbreve ğ ge ≥ grave ` gt > hArr ⇔ half ½ harr ↔ hearts ♥ hellip …
horbar ― hyphen ‐ imacr ī image ℑ imath ı incare ℅ infin ∞ inodot ı int ∫ iogon į iota ι isin ∈ kappa κ
kcedil ķ lArr ⇐ lambda λ lang 〈 larr ← larrhk ↩ lbrace { lbrack [ lcaron ľ lcedil ļ lceil ⌈ lcub { ldquo “
ldquor „ le ≤ lfloor ⌊ lowast ∗ lowbar _ loz ◊ lpar ( lsaquo ‹ lsqb [ lsquo ‘ lsquor ‚ lstrok ł lt < ltri ◃
ltrif ◂ male ♂ mdash — minus − mldr … mu μ nabla ∇ nacute ń natural ♮ ncaron ň ncedil ņ ndash – ne ≠ ni ∋
nldr ‥ notin ∉ nsub ⊄ nu ν num # numero № odblac ő oelig œ oline ‾ omacr ō omega ω omicron ο oplus ⊕ or ∨
otimes ⊗ part ∂ percnt % period . permil ‰ perp ⊥ phi φ phone ☎ pi π piv ϖ plus + prime ′ prod ∏ prop ∝ psi
ψ quest ? quot " rArr ⇒ racute ŕ radic √ rang 〉 rarr → rarrhk ↪ rarrw ↝ rbrace } rbrack ] rcaron ř rceil ⌉
rcub } rdquo ” rdquor ” real ℜ rfloor ⌋ rho ρ rpar ) rsaquo › rsqb ] rsquo ’ rsquor ’ rtri ▹ rtrif ▸ sacute
ś sbquo ‚ scaron š scedil ş sdot ⋅ semi ; sharp ♯ sigma σ sigmaf ς sim ∼ sol / spades ♠ squ □ square □ star
☆ starf ★ sub ⊂ sube ⊆ sum ∑ sup ⊃ supe ⊇ tau τ tcaron ť tcedil ţ there4 ∴ theta θ thetasym ϑ tilde ˜ trade
™ uArr ⇑ uarr ↑ udblac ű umacr ū uogon ų upsih ϒ upsilon υ uring ů utri ▵ utrif ▴ verbar | vert | weierp ℘
xi ξ zacute ź zcaron ž zdot ż zeta ζ
"#;

/// Names of characters that cannot be seen.
const INVISIBLE: [(&str, &str); 14] = [
    ("NewLine", "\n"),
    ("NonBreakingSpace", "\u{A0}"),
    ("Tab", "\t"),
    ("ZeroWidthSpace", "\u{200B}"),
    ("emsp", "\u{2003}"),
    ("ensp", "\u{2002}"),
    ("hairsp", "\u{200A}"),
    ("lrm", "\u{200E}"),
    ("numsp", "\u{2007}"),
    ("puncsp", "\u{2008}"),
    ("rlm", "\u{200F}"),
    ("thinsp", "\u{2009}"),
    ("zwj", "\u{200D}"),
    ("zwnj", "\u{200C}"),
];

/// Longest name, in bytes.
const LONGEST: usize = 24;

static NAMES: LazyLock<BTreeMap<&str, Cow<str>>> = LazyLock::new(|| {
    let latin_1 = LATIN_1.split_whitespace().zip('\u{A0}'..='\u{FF}');
    let latin_1 = latin_1.map(|(name, character)| (name, Cow::Owned(character.to_string())));
    let words: Vec<&str> = NAMED.split_whitespace().collect();
    let (pairs, _) = words.as_chunks::<2>();
    let named = pairs
        .iter()
        .map(|&[name, text]| (name, Cow::Borrowed(text)));
    let invisible = INVISIBLE.map(|(name, text)| (name, Cow::Borrowed(text)));
    latin_1.chain(named).chain(invisible).collect()
});

/// Those names that need no semicolon.
static LEGACY: LazyLock<BTreeMap<&str, &str>> = LazyLock::new(|| {
    let names = LATIN_1.split_whitespace().chain(WITHOUT_SEMICOLON);
    names
        .filter_map(|name| Some((name, NAMES.get(name)?.as_ref())))
        .collect()
});

/// Replaces the character references of a text or of the value of an attribute; unknown ones stay as they are.
pub(super) fn decode(text: &str, in_attribute: bool) -> Cow<'_, str> {
    if memchr::memchr(b'&', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, reference)) = rest.split_once('&') {
        decoded.push_str(before);
        let numeric = reference.strip_prefix('#').and_then(numeric);
        rest = if let Some((character, after)) = numeric {
            decoded.push_str(&character);
            after
        } else if let Some((character, after)) = named(reference, in_attribute) {
            decoded.push_str(character);
            after
        } else {
            decoded.push('&');
            reference
        };
    }
    decoded.push_str(rest);
    Cow::Owned(decoded)
}

/// The character of a number behind `&#`, and the text behind the reference.
fn numeric(text: &str) -> Option<(String, &str)> {
    let (digits, radix) = match text.strip_prefix(['x', 'X']) {
        Some(digits) => (digits, 16),
        None => (text, 10),
    };
    let end = digits
        .find(|c: char| !c.is_digit(radix))
        .unwrap_or(digits.len());
    let (digits, after) = digits.split_at(end);
    if digits.is_empty() {
        return None;
    }
    let number = digits.chars().filter_map(|c| c.to_digit(radix));
    let number = number.fold(0_u32, |number, digit| {
        number.saturating_mul(radix).saturating_add(digit)
    });
    let character = match number {
        // Pages written in Windows-1252 mean its characters, not the C1 controls.
        0x80..=0x9F => codepage::decode(WINDOWS_LATIN1, &[number as u8]),
        0 => char::REPLACEMENT_CHARACTER.to_string(),
        _ => char::from_u32(number)
            .unwrap_or(char::REPLACEMENT_CHARACTER)
            .to_string(),
    };
    Some((character, after.strip_prefix(';').unwrap_or(after)))
}

/// The text of a name behind `&`, and the text behind the reference.
fn named(text: &str, in_attribute: bool) -> Option<(&'static str, &str)> {
    let candidates = text.bytes().take(LONGEST);
    let length = candidates.take_while(u8::is_ascii_alphanumeric).count();
    let (name, after) = text.split_at_checked(length)?;
    if let Some(after) = after.strip_prefix(';')
        && let Some(character) = NAMES.get(name)
    {
        return Some((character, after));
    }
    // The longest name that needs no semicolon; not within "?a=1&copy=2" of an address.
    (2..=length.min(6)).rev().find_map(|length| {
        let (name, after) = text.split_at_checked(length)?;
        let character = LEGACY.get(name)?;
        let goes_on = after.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '=');
        (!(in_attribute && goes_on)).then_some((*character, after))
    })
}
