//! Little-endian integers out of byte slices: every read is checked, none panics.
#![forbid(unsafe_code)]

/// The `N` bytes at offset `at`, or None when the slice ends before.
pub fn array_at<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk::<N>().copied()
}

/// Byte at offset `at`.
pub fn u8_at(bytes: &[u8], at: usize) -> Option<u8> {
    bytes.get(at).copied()
}

/// Unsigned 16-bit integer at offset `at`.
pub fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    array_at(bytes, at).map(u16::from_le_bytes)
}

/// Unsigned 32-bit integer at offset `at`.
pub fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    array_at(bytes, at).map(u32::from_le_bytes)
}

/// Unsigned 64-bit integer at offset `at`.
pub fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    array_at(bytes, at).map(u64::from_le_bytes)
}

/// Unsigned integer of `width` bytes (1 to 8) at offset `at`.
pub fn uint_at(bytes: &[u8], at: usize, width: usize) -> Option<u64> {
    // The widths of nearly all fields, without a copy.
    match width {
        8 => return u64_at(bytes, at),
        4 => return u32_at(bytes, at).map(u64::from),
        _ => {}
    }
    let field = bytes.get(at..at.checked_add(width)?)?;
    let mut wide = [0; 8];
    wide.get_mut(..width)?.copy_from_slice(field);
    Some(u64::from_le_bytes(wide))
}

/// Copies what `source` has from byte `offset` on into `buf`; returns how many bytes that was.
pub fn copy_at(source: &[u8], offset: u64, buf: &mut [u8]) -> usize {
    let rest = usize::try_from(offset)
        .ok()
        .and_then(|offset| source.get(offset..))
        .unwrap_or_default();
    let count = rest.len().min(buf.len());
    if let (Some(to), Some(from)) = (buf.get_mut(..count), rest.get(..count)) {
        to.copy_from_slice(from);
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_end_where_the_slice_ends() {
        let bytes = [1, 2, 3, 4, 5];
        assert_eq!(u16_at(&bytes, 3), Some(0x0504));
        assert_eq!(u16_at(&bytes, 4), None);
        assert_eq!(u32_at(&bytes, usize::MAX), None);
        assert_eq!(uint_at(&bytes, 1, 3), Some(0x040302));
        assert_eq!(uint_at(&bytes, 0, 9), None);
    }

    #[test]
    fn a_copy_ends_with_its_source_or_its_buffer() {
        let mut buf = [0; 3];
        assert_eq!(copy_at(&[1, 2, 3, 4], 2, &mut buf), 2);
        assert_eq!(buf, [3, 4, 0]);
        assert_eq!(copy_at(&[1, 2, 3, 4], 0, &mut buf), 3);
        assert_eq!(buf, [1, 2, 3]);
        assert_eq!(copy_at(&[1], 1, &mut buf), 0);
        assert_eq!(copy_at(&[1], u64::MAX, &mut buf), 0);
    }
}
