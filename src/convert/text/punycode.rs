//! Domains in letters of any script as the letters that DNS knows. RFC 3492, RFC 5891
#![forbid(unsafe_code)]

use unicode_normalization::UnicodeNormalization;

/// How such a label begins.
const PREFIX: &str = "xn--";
/// Octets of a label. RFC 1035 2.3.4
const MAX_LABEL: usize = 63;
/// What parts labels: the full stop, and those of East Asia. RFC 3490 3.1
const DOTS: [char; 4] = ['.', '\u{3002}', '\u{FF0E}', '\u{FF61}'];

/// Parameters of RFC 3492 5.
const BASE: u32 = 36;
const T_MIN: u32 = 1;
const T_MAX: u32 = 26;
const SKEW: u32 = 38;
const DAMP: u32 = 700;
const INITIAL_BIAS: u32 = 72;
const INITIAL_N: u32 = 128;

/// `name` in ASCII; None if a label of it has no such form.
pub(crate) fn domain(name: &str) -> Option<String> {
    let labels: Option<Vec<String>> = name.split(DOTS).map(label).collect();
    labels.map(|labels| labels.join("."))
}

fn label(text: &str) -> Option<String> {
    if text.is_ascii() {
        return Some(text.to_owned());
    }
    // What IDNA maps: letters to lower case, and all to their usual form.
    let text: Vec<char> = text.to_lowercase().nfkc().take(MAX_LABEL + 1).collect();
    let label = format!("{PREFIX}{}", encode(&text)?);
    (label.len() <= MAX_LABEL).then_some(label)
}

/// RFC 3492 6.3; None where numbers grow beyond what a label can hold.
fn encode(text: &[char]) -> Option<String> {
    let mut out: String = text.iter().filter(|letter| letter.is_ascii()).collect();
    let basic = u32::try_from(out.len()).ok()?;
    let count = u32::try_from(text.len()).ok()?;
    if basic > 0 {
        out.push('-');
    }
    let (mut n, mut delta, mut bias, mut handled) = (INITIAL_N, 0u32, INITIAL_BIAS, basic);
    while handled < count {
        let letters = text.iter().map(|letter| u32::from(*letter));
        let next = letters.filter(|letter| *letter >= n).min()?;
        delta = delta.checked_add((next - n).checked_mul(handled + 1)?)?;
        n = next;
        for letter in text.iter().map(|letter| u32::from(*letter)) {
            if letter < n {
                delta = delta.checked_add(1)?;
            }
            if letter == n {
                number(delta, bias, &mut out);
                bias = adapt(delta, handled + 1, handled == basic);
                delta = 0;
                handled += 1;
            }
        }
        delta += 1;
        n += 1;
    }
    Some(out)
}

/// A number of variable length.
fn number(mut value: u32, bias: u32, out: &mut String) {
    let mut k = BASE;
    loop {
        let threshold = k.saturating_sub(bias).clamp(T_MIN, T_MAX);
        if value < threshold {
            break;
        }
        let rest = value - threshold;
        out.push(digit(threshold + rest % (BASE - threshold)));
        value = rest / (BASE - threshold);
        k += BASE;
    }
    out.push(digit(value));
}

fn digit(value: u32) -> char {
    char::from_digit((value + 10) % BASE, BASE).unwrap_or('a')
}

/// RFC 3492 6.1
fn adapt(delta: u32, handled: u32, is_first: bool) -> u32 {
    let mut delta = if is_first { delta / DAMP } else { delta / 2 };
    delta += delta / handled;
    let mut k = 0;
    while delta > ((BASE - T_MIN) * T_MAX) / 2 {
        delta /= BASE - T_MIN;
        k += BASE;
    }
    k + ((BASE - T_MIN + 1) * delta) / (delta + SKEW)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_what_registries_have() {
        for (name, expected) in [
            ("m\u{fc}ller.example", "xn--mller-kva.example"),
            ("B\u{dc}CHER.example", "xn--bcher-kva.example"),
            (
                "\u{4f8b}\u{3048}\u{3002}\u{30c6}\u{30b9}\u{30c8}",
                "xn--r8jz45g.xn--zckzah",
            ),
            (
                "\u{43f}\u{440}\u{438}\u{43c}\u{435}\u{440}.org",
                "xn--e1afmkfd.org",
            ),
            ("a.example", "a.example"),
        ] {
            assert_eq!(domain(name).as_deref(), Some(expected), "{name}");
        }
        assert_eq!(domain(&"\u{fc}".repeat(80)), None);
    }
}
