//! Constants of the three on-disk formats, checksums, block encodings, deterministic random data.
//! [MS-PST] 2.2 and 5.1 to 5.3, and what was seen in 4K-page files. An independent statement of the format: it shares nothing with the library under test.

/// Which kind of data file to write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// 32-bit PST of Outlook 97 to 2002 (wVer 14).
    Ansi,
    /// PST of Outlook 2003 and later (wVer 23).
    Unicode,
    /// OST of Outlook 2003 to 2010: pages and blocks as `Unicode`, contents as `Ost4k`.
    UnicodeOst,
    /// OST of Outlook 2013 and later: 4096-byte pages, compressed blocks (wVer 36).
    Ost4k,
}

/// bCryptMethod of the header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Crypt {
    None = 0,
    Permute = 1,
    Cyclic = 2,
}

/// Sizes and offsets that differ between the formats.
#[derive(Clone, Copy, Debug)]
pub struct Geometry {
    /// 64-bit BIDs and file offsets.
    pub wide: bool,
    pub page: usize,
    /// Bytes of a page before its trailer, and under its CRC.
    pub page_data: usize,
    /// Room for entries in a B-tree page.
    pub entries: usize,
    pub block_align: usize,
    pub block_trailer: usize,
    /// Largest payload of a block.
    pub block_max: usize,
    pub first_amap: u64,
    /// Bytes of bitmap in an AMap, and where they begin.
    pub amap_bytes: usize,
    pub amap_start: usize,
    pub dlist: u64,
    /// Lowest bit of the block index in a HID.
    pub hid_block_shift: u32,
}

const ANSI: Geometry = Geometry {
    wide: false,
    page: 512,
    page_data: 500,
    entries: 496,
    block_align: 64,
    block_trailer: 12,
    block_max: 8180,
    first_amap: 0x4400,
    amap_bytes: 496,
    amap_start: 4,
    dlist: 0x4200,
    hid_block_shift: 16,
};

const UNICODE: Geometry = Geometry {
    wide: true,
    page_data: 496,
    entries: 488,
    block_trailer: 16,
    block_max: 8176,
    amap_start: 0,
    ..ANSI
};

const OST4K: Geometry = Geometry {
    wide: true,
    page: 4096,
    page_data: 4072,
    entries: 4056,
    block_align: 512,
    block_trailer: 24,
    block_max: 65512,
    first_amap: 0x22000,
    amap_bytes: 4072,
    amap_start: 0,
    dlist: 0x21000,
    hid_block_shift: 19,
};

impl Format {
    pub const ALL: [Format; 4] = [
        Format::Ansi,
        Format::Unicode,
        Format::UnicodeOst,
        Format::Ost4k,
    ];

    pub fn geometry(self) -> Geometry {
        match self {
            Format::Ansi => ANSI,
            Format::Unicode | Format::UnicodeOst => UNICODE,
            Format::Ost4k => OST4K,
        }
    }

    /// Usual wVer.
    pub fn version(self) -> u16 {
        match self {
            Format::Ansi => 14,
            Format::Unicode | Format::UnicodeOst => 23,
            Format::Ost4k => 36,
        }
    }

    pub fn is_ost(self) -> bool {
        matches!(self, Format::UnicodeOst | Format::Ost4k)
    }

    pub fn extension(self) -> &'static str {
        if self.is_ost() { "ost" } else { "pst" }
    }
}

impl Geometry {
    /// File bytes that one AMap page maps.
    pub fn amap_interval(&self) -> u64 {
        (self.amap_bytes * 8 * self.block_align) as u64
    }

    /// Width of a BID and of a file offset.
    pub fn word(&self) -> usize {
        if self.wide { 8 } else { 4 }
    }

    /// Size of a block on disk, trailer included.
    pub fn block_size(&self, payload: usize) -> usize {
        (payload + self.block_trailer).next_multiple_of(self.block_align)
    }

    /// Whether the pages are those of a 4K-page file.
    pub fn is_4k(&self) -> bool {
        self.page == 4096
    }

    pub fn put_word(&self, out: &mut Vec<u8>, value: u64) {
        if self.wide {
            out.extend(value.to_le_bytes());
        } else {
            out.extend(u32::try_from(value).expect("fits ANSI").to_le_bytes());
        }
    }
}

/// Page types.
pub const PTYPE_BBT: u8 = 0x80;
pub const PTYPE_NBT: u8 = 0x81;
pub const PTYPE_FMAP: u8 = 0x82;
pub const PTYPE_PMAP: u8 = 0x83;
pub const PTYPE_AMAP: u8 = 0x84;
pub const PTYPE_FPMAP: u8 = 0x85;
pub const PTYPE_DLIST: u8 = 0x86;

/// Largest item of a heap; longer values go to a sub-node.
pub const HEAP_ITEM_MAX: usize = 3580;

/// The CRC of the format: CRC-32 with initial value 0 and no final inversion.
pub fn crc(bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial(0xFFFF_FFFF);
    hasher.update(bytes);
    hasher.finalize() ^ 0xFFFF_FFFF
}

/// wSig of a page or block.
pub fn signature(ib: u64, bid: u64) -> u16 {
    let x = ib as u32 ^ bid as u32;
    (x >> 16) as u16 ^ x as u16
}

const fn hex(text: &str) -> [u8; 256] {
    const fn digit(c: u8) -> u8 {
        if c <= b'9' { c - b'0' } else { c - b'a' + 10 }
    }
    let bytes = text.as_bytes();
    let mut out = [0; 256];
    let mut i = 0;
    while i < 256 {
        out[i] = digit(bytes[2 * i]) << 4 | digit(bytes[2 * i + 1]);
        i += 1;
    }
    out
}

const fn inverse(table: &[u8; 256]) -> [u8; 256] {
    let mut out = [0; 256];
    let mut i = 0;
    while i < 256 {
        out[table[i] as usize] = i as u8;
        i += 1;
    }
    out
}

pub const MP_R: [u8; 256] = hex(concat!(
    "41361362a8216ebbf416cc047f64e85d1ef2cb2a74c55e35d295479e962d9a88",
    "4c7d843fdbac31b6485ff6c4d8398be7233b388ec8c1df25b120a546604e9cfb",
    "aad35651457c550007c92b9d859b09a08fadb30f63ab894bd7a7155a716642bf",
    "264a6b98faea7753b270052cfd593a867ece06eb827857c78d43afb41cd45bcd",
    "e2e9274fc3087280cfb0eff5286dbe304d3492d50e3c2232e5e4f99fc2d10a81",
    "12e1ee918376e397e6618a1779a4b7dc907a5c8c02a6ca69de501a1193b95287",
    "58fced1d37491b6ae0293399bd6cd994f340546ff0c673b8d63e6518441fdd67",
    "10f10c19ecae03a1147ba90bfff8a3c0a201f72ebc2468750dfeba2fb5d0da3d",
));
pub const MP_S: [u8; 256] = hex(concat!(
    "14530f56b3c87a9ceb65481716159f02cc547c83000d0c0ba262a876dbd9edc7",
    "c5a4dcac8574d6d0a79bae9a967166c36399b8dd73928e847da55ed15d93b157",
    "5150808952944f4e0a6bbc8d7f6e47464140440111cb033ff7f4e1a98f3c3af9",
    "fbf0193082092ec99da08649ee6f4d6dc42d813425871b88aafc06a11238fd4c",
    "4272641337246a757743ffe6b44b365ce4d8353d45b92cecb7312b290768a30e",
    "697b189e2139be281a5b78f523ca2ab0af3efe048ce7e5983295d3f64ae8a6ea",
    "e9f3d52f7020f21f0567ad5510cecde3273bdabad7c226d4911dd21c2233f8fa",
    "f15aefcf90b68bb5bdc0bf08971e6ce261e0c6c159abbb58de5fdf60797eb28a",
));
pub const MP_I: [u8; 256] = inverse(&MP_R);

/// Encodes the payload of a data block in place.
pub fn encode(crypt: Crypt, bid: u64, data: &mut [u8]) {
    match crypt {
        Crypt::None => {}
        Crypt::Permute => data.iter_mut().for_each(|b| *b = MP_R[*b as usize]),
        Crypt::Cyclic => cyclic(bid, data),
    }
}

/// Decodes the payload of a data block in place.
pub fn decode(crypt: Crypt, bid: u64, data: &mut [u8]) {
    match crypt {
        Crypt::None => {}
        Crypt::Permute => data.iter_mut().for_each(|b| *b = MP_I[*b as usize]),
        Crypt::Cyclic => cyclic(bid, data),
    }
}

/// The cyclic method is its own inverse; its key is the low half of the BID.
fn cyclic(bid: u64, data: &mut [u8]) {
    let key = bid as u32 & !1;
    let mut w = (key >> 16) as u16 ^ key as u16;
    for b in data {
        let [lo, hi] = w.to_le_bytes();
        let c = MP_R[b.wrapping_add(lo) as usize];
        let c = MP_S[c.wrapping_add(hi) as usize];
        *b = MP_I[c.wrapping_sub(hi) as usize].wrapping_sub(lo);
        w = w.wrapping_add(1);
    }
}

/// One step of SplitMix64: a good hash of `x`.
pub fn mix(x: u64) -> u64 {
    let mut z = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A small deterministic generator (SplitMix64).
#[derive(Clone, Debug)]
pub struct Prng(pub u64);

impl Prng {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(n)) >> 64) as u64
    }

    /// A number in `low..high`.
    pub fn range(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low)
    }

    /// True in `percent` of 100 cases.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len() as u64) as usize]
    }
}
