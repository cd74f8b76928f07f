//! Writes compound files, in which OLE objects keep their streams. [MS-CFB]

const SECTOR: usize = 512;
const MINI_SECTOR: usize = 64;
const MINI_STREAM_CUTOFF: usize = 4096;
const END_OF_CHAIN: u32 = 0xFFFF_FFFE;
const FREE: u32 = 0xFFFF_FFFF;
const FAT_SECTOR: u32 = 0xFFFF_FFFD;
const DIRECTORY_ENTRY: usize = 128;

/// {number-0000-0000-C000-000000000046} as it lies in a file.
pub fn component(number: u32) -> [u8; 16] {
    let mut clsid = [0; 16];
    clsid[..4].copy_from_slice(&number.to_le_bytes());
    clsid[8] = 0xC0;
    clsid[15] = 0x46;
    clsid
}

#[derive(Default)]
struct Sectors {
    bytes: Vec<u8>,
    fat: Vec<u32>,
}

impl Sectors {
    fn one(&mut self, bytes: &[u8], next: u32) -> u32 {
        self.bytes.extend(bytes);
        self.bytes
            .resize(self.bytes.len().next_multiple_of(SECTOR), 0);
        self.fat.push(next);
        self.fat.len() as u32 - 1
    }

    /// Backwards, so that each sector lies before the one that it follows.
    fn chain(&mut self, bytes: &[u8]) -> u32 {
        let sectors = bytes.chunks(SECTOR).rev();
        sectors.fold(END_OF_CHAIN, |next, sector| self.one(sector, next))
    }
}

/// A compound file of class `clsid` with `streams` in its root storage.
pub fn compound_file(clsid: [u8; 16], streams: &[(&str, &[u8])]) -> Vec<u8> {
    let mut streams = streams.to_vec();
    streams.sort_by_key(|(name, _)| (name.len(), name.to_uppercase()));
    let mut sectors = Sectors::default();
    let (mut mini_stream, mut mini_fat) = (Vec::new(), Vec::new());
    let mut entries = Vec::new();
    for (number, (name, bytes)) in streams.iter().enumerate() {
        let start = match bytes.len() < MINI_STREAM_CUTOFF {
            true => {
                let start = mini_fat.len() as u32;
                mini_stream.extend(*bytes);
                mini_stream.resize(mini_stream.len().next_multiple_of(MINI_SECTOR), 0);
                let end = (mini_stream.len() / MINI_SECTOR) as u32;
                mini_fat.extend((start + 1..end).chain([END_OF_CHAIN]));
                start
            }
            false => sectors.chain(bytes),
        };
        let next = match number + 1 < streams.len() {
            true => number as u32 + 2,
            false => FREE,
        };
        entries.push(entry(
            name,
            2,
            [FREE, next, FREE],
            [0; 16],
            start,
            bytes.len(),
        ));
    }
    let root = entry(
        "Root Entry",
        5,
        [FREE, FREE, 1],
        clsid,
        sectors.chain(&mini_stream),
        mini_stream.len(),
    );
    entries.insert(0, root);
    let directory = sectors.chain(&entries.concat());
    let mini_fat: Vec<u8> = mini_fat
        .iter()
        .flat_map(|next| next.to_le_bytes())
        .collect();
    let mini_fat_sectors = mini_fat.len().div_ceil(SECTOR) as u32;
    let mini_fat = sectors.chain(&mini_fat);
    header(sectors, directory, mini_fat, mini_fat_sectors)
}

fn entry(
    name: &str,
    kind: u8,
    links: [u32; 3],
    clsid: [u8; 16],
    start: u32,
    size: usize,
) -> Vec<u8> {
    let mut entry: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let length = entry.len() as u16 + 2;
    entry.resize(64, 0);
    entry.extend(length.to_le_bytes());
    // Black.
    entry.extend([kind, 1]);
    entry.extend(links.iter().flat_map(|link| link.to_le_bytes()));
    entry.extend(clsid);
    // State, and two times.
    entry.extend([0; 4 + 2 * 8]);
    entry.extend(start.to_le_bytes());
    entry.extend((size as u64).to_le_bytes());
    assert_eq!(entry.len(), DIRECTORY_ENTRY);
    entry
}

/// The header and `sectors`, the table of them at their end.
fn header(mut sectors: Sectors, directory: u32, mini_fat: u32, mini_fat_sectors: u32) -> Vec<u8> {
    let per_sector = SECTOR / 4;
    let own = sectors.fat.len().div_ceil(per_sector - 1);
    let first = sectors.fat.len() as u32;
    sectors.fat.extend(std::iter::repeat_n(FAT_SECTOR, own));
    sectors.fat.resize(own * per_sector, FREE);
    let mut file = vec![0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];
    file.extend([0; 16]);
    for word in [0x3E, 3, 0xFFFE, 9, 6, 0, 0, 0_u16] {
        file.extend(word.to_le_bytes());
    }
    let mini_fat = match mini_fat_sectors {
        0 => END_OF_CHAIN,
        _ => mini_fat,
    };
    for number in [
        0,
        own as u32,
        directory,
        0,
        MINI_STREAM_CUTOFF as u32,
        mini_fat,
        mini_fat_sectors,
        END_OF_CHAIN,
        0,
    ] {
        file.extend(number.to_le_bytes());
    }
    let listed = (first..first + own as u32).chain(std::iter::repeat(FREE));
    file.extend(listed.take(109).flat_map(u32::to_le_bytes));
    assert_eq!(file.len(), SECTOR);
    file.extend(sectors.bytes);
    file.extend(sectors.fat.iter().flat_map(|next| next.to_le_bytes()));
    file
}
