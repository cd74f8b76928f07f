//! Values of properties as people read them, whatever their type.
#![forbid(unsafe_code)]

use crate::clock;
use crate::ltp::{PropertyType, Value};
use crate::messaging::{Properties, text_of_value};

/// PtypCurrency counts parts of its unit.
const CURRENCY_PARTS: i64 = 10_000;

/// The value of property `id`; None if there is none, or it is nothing that people read.
pub(crate) fn property(properties: &Properties, id: u16) -> Option<String> {
    let value = properties.value(id).ok()??;
    let record = properties.context().and_then(|context| context.record(id));
    let is_currency = record.is_some_and(|record| record.property_type == PropertyType::CURRENCY);
    match value {
        Value::Integer64(parts) if is_currency => Some(currency(parts)),
        value => text(&value, properties.code_page()),
    }
}

/// `value` in words, 8-bit text read in `code_page`: times in UTC, several values as a list; None for bytes.
fn text(value: &Value, code_page: u32) -> Option<String> {
    let text = match value {
        Value::Integer(number) => number.to_string(),
        Value::Integer64(number) => number.to_string(),
        Value::Floating(number) if number.is_finite() => number.to_string(),
        Value::Boolean(truth) => if *truth { "yes" } else { "no" }.to_owned(),
        Value::Time(time) => format!("{}Z", clock::utc(time.known()?.unix_seconds())?),
        Value::Guid(guid) => guid.to_string(),
        Value::String(_) | Value::String8(_) => text_of_value(value, code_page)?,
        Value::Multiple(values) => {
            let texts = values.iter().filter_map(|value| text(value, code_page));
            texts.collect::<Vec<_>>().join(", ")
        }
        Value::Floating(_) | Value::Binary(_) | Value::Object { .. } => return None,
    };
    (!text.trim().is_empty()).then_some(text)
}

fn currency(parts: i64) -> String {
    let sign = if parts < 0 { "-" } else { "" };
    let parts = parts.unsigned_abs();
    let unit = CURRENCY_PARTS.unsigned_abs();
    let fraction = format!("{:04}", parts % unit);
    let fraction = fraction.trim_end_matches('0');
    format!("{sign}{}.{fraction:0<2}", parts / unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ltp::FileTime;

    #[test]
    fn a_value_of_any_type_is_words_and_bytes_are_none() {
        let texts = vec![Value::String8(b"a".to_vec()), Value::String8(b"b".to_vec())];
        // Python: datetime(2024, 1, 2, 3, 4) in ticks since 1601.
        let time = FileTime(133_486_382_400_000_000);
        for (value, expected) in [
            (Value::Integer(-7), Some("-7")),
            (Value::Floating(0.5), Some("0.5")),
            (Value::Floating(f64::NAN), None),
            (Value::Boolean(true), Some("yes")),
            (Value::Time(time), Some("2024-01-02T03:04:00Z")),
            (Value::Time(FileTime(0)), None),
            (Value::Multiple(texts), Some("a, b")),
            (Value::Multiple(Vec::new()), None),
            (Value::String8(b" \0".to_vec()), None),
            (Value::Binary(b"a".to_vec()), None),
        ] {
            assert_eq!(text(&value, 1252).as_deref(), expected, "{value:?}");
        }
    }

    #[test]
    fn money_has_two_digits_and_more_if_it_needs_them() {
        assert_eq!(currency(123_400), "12.34");
        assert_eq!(currency(50_000), "5.00");
        assert_eq!(currency(-1), "-0.0001");
    }
}
