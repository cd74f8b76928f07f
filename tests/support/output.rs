//! The file itself: a stream of pages and blocks with the allocation maps between them. [MS-PST] 2.2.2.7.
use std::fs::File;
use std::io::Result;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::format::*;

/// Bytes gathered before they go to the file.
const BUFFER: usize = 1 << 20;
/// AMaps between PMaps, before the first FMap, between FMaps, before the first FPMap, between FPMaps.
const PMAP_STEP: u64 = 8;
const FMAP_FIRST: u64 = 128;
const FMAP_STEP: u64 = 496;
const FPMAP_FIRST: u64 = 128 * 64;
const FPMAP_STEP: u64 = 496 * 64;

/// The file under way: everything is placed behind what was written before.
pub struct Output {
    geo: Geometry,
    file: File,
    buffer: Vec<u8>,
    buffer_at: u64,
    pos: u64,
    /// The AMap being filled, and its bitmap.
    amap: u64,
    bits: Vec<u8>,
    free_units: u64,
}

/// What the header says of the allocation maps.
#[derive(Clone, Copy, Debug)]
pub struct MapState {
    pub last_amap: u64,
    pub free_bytes: u64,
}

impl Output {
    /// `skipped` AMap intervals are left out before the first place: their maps are zeros, all is free.
    pub fn create(path: &Path, geo: Geometry, skipped: u64) -> Result<Output> {
        let mut out = Output {
            geo,
            file: File::create(path)?,
            buffer: Vec::with_capacity(BUFFER),
            buffer_at: geo.first_amap,
            pos: geo.first_amap,
            amap: skipped,
            bits: Vec::new(),
            free_units: skipped * geo.amap_bytes as u64 * 8,
        };
        out.open_section();
        Ok(out)
    }

    /// Map pages at the start of AMap interval `k`.
    fn map_pages(&self, k: u64) -> Vec<u8> {
        let mut pages = vec![PTYPE_AMAP];
        if !self.geo.is_4k() {
            if k.is_multiple_of(PMAP_STEP) {
                pages.push(PTYPE_PMAP);
            }
            if k >= FMAP_FIRST && (k - FMAP_FIRST).is_multiple_of(FMAP_STEP) {
                pages.push(PTYPE_FMAP);
            }
            if k >= FPMAP_FIRST && (k - FPMAP_FIRST).is_multiple_of(FPMAP_STEP) {
                pages.push(PTYPE_FPMAP);
            }
        }
        pages
    }

    fn section_start(&self, k: u64) -> u64 {
        self.geo.first_amap + k * self.geo.amap_interval()
    }

    fn open_section(&mut self) {
        self.bits = vec![0; self.geo.amap_bytes];
        let start = self.section_start(self.amap);
        let size = self.map_pages(self.amap).len() * self.geo.page;
        self.mark(start, size);
        self.pos = start + size as u64;
    }

    fn mark(&mut self, ib: u64, size: usize) {
        let unit = self.geo.block_align as u64;
        let first = (ib - self.section_start(self.amap)) / unit;
        for bit in first..first + size as u64 / unit {
            self.bits[(bit / 8) as usize] |= 0x80 >> (bit % 8);
        }
    }

    fn close_section(&mut self) -> Result<()> {
        self.flush()?;
        let used: u64 = self.bits.iter().map(|b| u64::from(b.count_ones())).sum();
        self.free_units += self.geo.amap_bytes as u64 * 8 - used;
        let mut ib = self.section_start(self.amap);
        for ptype in self.map_pages(self.amap) {
            let mut page = vec![0; self.geo.amap_start];
            match ptype {
                PTYPE_AMAP => page.extend(&self.bits),
                _ => page.resize(self.geo.page_data, 0xFF),
            }
            let page = self.finish_page(page, ptype, ib, ib);
            self.file.write_all_at(&page, ib)?;
            ib += self.geo.page as u64;
        }
        Ok(())
    }

    /// A place of `size` bytes that no map page crosses.
    pub fn allocate(&mut self, size: usize, align: usize) -> Result<u64> {
        let mut ib = self.pos.next_multiple_of(align as u64);
        while ib + size as u64 > self.section_start(self.amap + 1) {
            self.close_section()?;
            self.amap += 1;
            self.open_section();
            ib = self.pos.next_multiple_of(align as u64);
        }
        self.mark(ib, size);
        self.pos = ib + size as u64;
        Ok(ib)
    }

    pub fn put(&mut self, ib: u64, bytes: &[u8]) -> Result<()> {
        if self.buffer.len() + bytes.len() > BUFFER {
            self.flush()?;
        }
        if self.buffer.is_empty() {
            self.buffer_at = ib;
        }
        self.buffer.resize((ib - self.buffer_at) as usize, 0);
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        self.file.write_all_at(&self.buffer, self.buffer_at)?;
        self.buffer.clear();
        Ok(())
    }

    /// Pads `page` and adds the trailer.
    pub fn finish_page(&self, mut page: Vec<u8>, ptype: u8, bid: u64, ib: u64) -> Vec<u8> {
        let geo = &self.geo;
        page.resize(geo.page_data, 0);
        let crc = crc(&page);
        let sig = match ptype {
            PTYPE_BBT | PTYPE_NBT | PTYPE_DLIST => signature(ib, bid),
            _ => 0,
        };
        page.extend([ptype, ptype]);
        page.extend(sig.to_le_bytes());
        if geo.wide {
            page.extend(crc.to_le_bytes());
            page.extend(bid.to_le_bytes());
        } else {
            page.extend((bid as u32).to_le_bytes());
            page.extend(crc.to_le_bytes());
        }
        if geo.is_4k() {
            page.extend(1u64.to_le_bytes());
        }
        page
    }

    /// Writes the last maps and the DList, sets the length; returns it and what the header says of the maps.
    pub fn finish(&mut self, dlist_bid: u64, round_up: bool) -> Result<(u64, MapState)> {
        self.close_section()?;
        let dlist = self.finish_page(vec![0; 8], PTYPE_DLIST, dlist_bid, self.geo.dlist);
        self.file.write_all_at(&dlist, self.geo.dlist)?;
        let eof = if round_up {
            self.section_start(self.amap + 1)
        } else {
            self.pos
        };
        self.file.set_len(eof)?;
        let state = MapState {
            last_amap: self.section_start(self.amap),
            free_bytes: self.free_units * self.geo.block_align as u64,
        };
        Ok((eof, state))
    }

    pub fn write_header(&self, header: &[u8]) -> Result<()> {
        self.file.write_all_at(header, 0)
    }
}
