//! A table of bytes applied to many bytes: what reading a file in the usual encoding takes most of its time for.

/// Bytes of one vector.
#[cfg(target_arch = "x86_64")]
const LANES: usize = 64;

/// The entry of `table` for `byte`; a table has 256 entries, so a byte always finds one.
pub(super) fn substitute(table: &[u8; 256], byte: u8) -> u8 {
    table.get(usize::from(byte)).copied().unwrap_or(byte)
}

/// Replaces each byte of `data` by its entry in `table`, 64 at a time where the processor can (AVX-512 VBMI).
pub(super) fn substitute_all(table: &[u8; 256], data: &mut [u8]) {
    #[cfg(target_arch = "x86_64")]
    if let Some(avx512) = fearless_simd::Level::new().as_avx512() {
        let (vectors, rest) = data.as_chunks_mut();
        substitute_vectors(avx512, table, vectors);
        return one_by_one(table, rest);
    }
    one_by_one(table, data);
}

fn one_by_one(table: &[u8; 256], data: &mut [u8]) {
    for byte in data {
        *byte = substitute(table, *byte);
    }
}

#[cfg(target_arch = "x86_64")]
fearless_simd::kernel!(
    /// An instruction looks 64 bytes up in 128 entries by their lower seven bits; the upper bit chooses the half.
    fn substitute_vectors(avx512: Avx512, table: &[u8; 256], vectors: &mut [[u8; LANES]]) {
        use fearless_simd::{SimdBase, SimdInto, u8x64};
        use std::arch::x86_64::{
            __m512i, _mm512_mask_blend_epi8, _mm512_movepi8_mask, _mm512_permutex2var_epi8,
        };

        let (quarters, _) = table.as_chunks::<LANES>();
        let [a, b, c, d] = quarters else { return };
        let vector = |bytes: &[u8; LANES]| -> __m512i { u8x64::from_slice(avx512, bytes).into() };
        let [a, b, c, d] = [vector(a), vector(b), vector(c), vector(d)];
        for bytes in vectors {
            let index = vector(bytes);
            let lower = _mm512_permutex2var_epi8(a, index, b);
            let upper = _mm512_permutex2var_epi8(c, index, d);
            let entries = _mm512_mask_blend_epi8(_mm512_movepi8_mask(index), lower, upper);
            let entries: u8x64<_> = entries.simd_into(avx512);
            entries.store_slice(bytes);
        }
    }
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_bytes_get_what_each_of_them_gets() {
        let table: [u8; 256] = std::array::from_fn(|i| (i * 7 + 3) as u8 ^ (i >> 3) as u8);
        for len in [0, 1, 63, 64, 65, 127, 128, 8_176, 70_001] {
            let data: Vec<u8> = (0..len).map(|i: usize| (i * i / 3) as u8).collect();
            let expected: Vec<u8> = data.iter().map(|byte| table[usize::from(*byte)]).collect();
            let mut found = data;
            substitute_all(&table, &mut found);
            assert_eq!(found, expected, "{len} bytes");
        }
    }
}
