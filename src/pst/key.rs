//! PidTagRecordKey of a copy. Two stores of one key cannot be open in Outlook at once, so a copy has another than its source;
//! but a copy of a copy has the same, so that copying again changes nothing.

use sha2::{Digest as _, Sha256};

/// Bytes of the key, and those in front that the others are made of.
pub(super) const SIZE: usize = 16;
const OWN: usize = 12;

/// The key of part number `part` of a copy of the store with the key `source`, which may be empty, or have the keys of several.
pub(super) fn of_copy(source: &[u8], part: u32) -> [u8; SIZE] {
    if part > 1 {
        return marked(&hash(&format!("ostfs part {part}"), source));
    }
    if let Ok(key) = <[u8; SIZE]>::try_from(source)
        && marked(&key) == key
    {
        return key;
    }
    marked(&hash("ostfs", source))
}

/// The GUID in the history of the store with this key.
pub(super) fn of_history(key: &[u8; SIZE]) -> [u8; SIZE] {
    hash("ostfs history", key)
}

/// `key` with a mark at its end that it has only if ostfs has made it.
fn marked(key: &[u8; SIZE]) -> [u8; SIZE] {
    let own = key.get(..OWN).unwrap_or_default();
    let mut marked = *key;
    let tail = marked.get_mut(OWN..).unwrap_or_default();
    for (to, from) in tail.iter_mut().zip(hash("ostfs mark", own)) {
        *to = from;
    }
    marked
}

fn hash(purpose: &str, bytes: &[u8]) -> [u8; SIZE] {
    let mut hash = Sha256::new();
    hash.update(purpose);
    hash.update(bytes);
    let mut key = [0; SIZE];
    for (to, from) in key.iter_mut().zip(hash.finalize()) {
        *to = from;
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_has_a_key_of_its_own_and_a_copy_of_a_copy_the_same() {
        let copy = of_copy(&[7; SIZE], 1);
        assert_ne!(copy, [7; SIZE]);
        assert_eq!(of_copy(&copy, 1), copy);
        assert_ne!(of_copy(&[8; SIZE], 1), copy);
        assert_eq!(of_copy(&of_copy(&[], 1), 1), of_copy(&[], 1));
    }

    #[test]
    fn parts_of_a_copy_have_keys_of_their_own() {
        let parts = [1, 2, 3].map(|part| of_copy(&[7; SIZE], part));
        let [one, two, three] = parts;
        assert!(one != two && two != three && three != one);
        // A copy of a part is the part.
        assert_eq!(parts.map(|part| of_copy(&part, 1)), parts);
    }
}
