//! How the layers above open a file: the header, two pages and the block of the message store are read. Only when one of
//! them is not what it should be, the content decides what the header does not: format, places, checksums, encoding. The
//! whole file is scanned when roots, or later a lookup, do not lead to what they should ([`Recover`]).
//!
//! A header is believed as far as the content agrees, a step for each: the format in which both roots are there, the
//! encoding under which most of some 64 heaps are heaps; the header's own if none does better. Where a CRC is wrong, a
//! sample of pages and blocks whose trailers are right in all else shows whether their writer fills CRCs in another way
//! throughout (`scan/samples`): one that is right means that the others are damaged. Each decision is
//! logged once, and is a finding of `check`.

use std::path::Path;
use std::sync::Arc;

use super::crc::Checksums;
use super::crypt::CryptMethod;
use super::database::NodeDatabase;
use super::header::{Header, MAGIC};
use super::ids::{BlockId, BlockRef, NodeId};
use super::page_type::PageType;
use super::scan::on_demand::report;
use super::scan::pages::{self, Found};
use super::scan::{lost_header, rebuild, rest, roots, samples, shift};
use super::source::{Source, at_best};
use super::watch::Watch;
use crate::error::{Error, Result};

/// When a file is scanned for what its B-trees do not lead to: `-o recover=off|auto|scan`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Recover {
    /// Never.
    Off,
    /// When a page is damaged or a block is not at its place.
    #[default]
    Auto,
    /// At once.
    Scan,
}

/// Opens `path` with caches of at most `cache` bytes, recovering what is lost when it is needed.
pub fn open(path: &Path, cache: u64) -> Result<NodeDatabase> {
    open_with(path, cache, Recover::Auto, Arc::new(()))
}

/// Opens `path` with caches of at most `cache` bytes; `watch` is called with what is lost or gone around.
pub fn open_with(
    path: &Path,
    cache: u64,
    mode: Recover,
    watch: Arc<dyn Watch>,
) -> Result<NodeDatabase> {
    open_source(Source::open(path)?, cache, mode, watch)
}

/// As [`open_with`], of a file that is open already.
pub fn open_source(
    source: Source,
    cache: u64,
    mode: Recover,
    watch: Arc<dyn Watch>,
) -> Result<NodeDatabase> {
    Opening { cache, mode, watch }.open(source)
}

/// How a file is to be opened. Its header is believed as far as its content agrees; each step that finds that it
/// does not reports it once. A healthy file gives the first step what it needs, and the others nothing to do.
struct Opening {
    cache: u64,
    mode: Recover,
    watch: Arc<dyn Watch>,
}

impl Opening {
    fn open(&self, source: Source) -> Result<NodeDatabase> {
        let (source, header) = self.line_ends(source);
        let (ndb, found) = self.header(source, header)?;
        let (ndb, found) = self.places(ndb, found)?;
        if let Some(rest) = rest::describe(ndb.source(), ndb.header()) {
            self.tell(rest);
        }
        let ndb = self.schemes(ndb)?;
        let lost = self.lost_root(&ndb)?;
        let ndb = self.roots(ndb, found, lost)?;
        Ok(match self.mode {
            Recover::Off => ndb,
            Recover::Auto | Recover::Scan => {
                let ndb = ndb.with_scan_on_demand(Arc::clone(&self.watch));
                ndb.tell_of_roots();
                ndb
            }
        })
    }

    fn tell(&self, line: String) {
        self.watch.problem(line);
    }

    fn database(&self, source: Source, header: Header) -> NodeDatabase {
        NodeDatabase::new(source, header, self.cache)
    }

    /// The file with another header than the one it was opened with.
    fn with_header(&self, ndb: &NodeDatabase, header: Header) -> NodeDatabase {
        self.database(ndb.source().clone(), header)
    }

    /// The file as it was before it was copied as text, if it was: then its header has another length of the file, or other
    /// fields behind the first LF. With its header, as it is read.
    fn line_ends(&self, source: Source) -> (Source, Result<Header>) {
        let header = Header::read(&source);
        let is_as_long = |header: &Header| header.crc_valid && header.file_eof == source.len();
        let is_as_written = header.as_ref().is_ok_and(is_as_long);
        if self.mode == Recover::Off || is_as_written || !has_magic(&source) {
            return (source, header);
        }
        let progress = |done| self.watch.progress(done, source.len());
        let Some(source) = source.without_added_line_ends(progress) else {
            return (source, header);
        };
        if let Some(line) = source.describe_line_ends() {
            self.tell(line);
        }
        let header = Header::read(&source);
        (source, header)
    }

    /// The file with its header: as it stands, or would but for its magic; as it must be read for its roots to be there; from
    /// behind what stands in front of it; or one made up from a scan, whose finds come with it.
    fn header(
        &self,
        source: Source,
        header: Result<Header>,
    ) -> Result<(NodeDatabase, Option<Found>)> {
        let error = match header {
            Ok(header) => {
                if let Some(wrong_bit) = header.wrong_bit {
                    self.tell(format!("the CRC of the header does not fit; {wrong_bit}"));
                }
                return Ok((self.format(source, header)?, None));
            }
            Err(error) if lost_header::may_be_damage(&error) => error,
            Err(error) => return Err(error),
        };
        if let Some(header) = lost_header::by_checksums(&source) {
            self.tell(format!(
                "{}; going on, since the CRC of its header is right",
                wrong_header(&error)
            ));
            return Ok((self.format(source, header)?, None));
        }
        if let Some(header) = lost_header::by_roots(&source)? {
            self.tell(match header.declared_format() == Some(header.format) {
                true => format!(
                    "{}; going on, since it names the roots of both trees",
                    wrong_header(&error)
                ),
                false => of_another_format(&header),
            });
            let ndb = self.database(source, header);
            // Only Windows reads what it has encrypted: then no method makes sense of it.
            let is_readable =
                ndb.header().is_crypt_known() || samples::crypt_method(&ndb)?.is_some();
            return if is_readable {
                Ok((ndb, None))
            } else {
                Err(error)
            };
        }
        if self.mode == Recover::Off {
            return Err(error);
        }
        if let Some(moved) = lost_header::moved(&source) {
            self.tell_of_places(&moved);
            let header = Header::read(&moved);
            return self.header(moved, header);
        }
        let format = match lost_header::format(&source) {
            None if self.mode == Recover::Scan || lost_header::is_small(&source) => {
                lost_header::format_by_scan(&source, &*self.watch)
            }
            known => known,
        };
        let Some(format) = format else {
            return Err(error);
        };
        self.tell(format!(
            "{}; looking for the mail in the whole file",
            wrong_header(&error)
        ));
        let checksums = Checksums::default();
        let found = pages::scan(&source, format, &checksums, &*self.watch);
        match lost_header::header(&source, format, &found) {
            Some(header) => Ok((self.database(source, header), Some(found))),
            None if found.is_empty() => Err(error),
            None => Err(no_heap_found(found.blocks.len())),
        }
    }

    /// The file with its header read in the format in which its roots are there, or else its allocation maps.
    fn format(&self, source: Source, header: Header) -> Result<NodeDatabase> {
        let ndb = self.database(source, header);
        match self.lost_root(&ndb) {
            Ok(None) => return Ok(ndb),
            Ok(Some(_)) => {}
            Err(error) if error.is_unread() => return Err(error),
            Err(_) => {}
        }
        let source = ndb.source();
        let other = match lost_header::by_roots(source)? {
            None => match lost_header::format(source) {
                Some(format) => lost_header::header_as(source, format)?,
                None => None,
            },
            found => found,
        };
        let other = other.filter(|other| other.format != ndb.header().format);
        let Some(other) = other else {
            return Ok(ndb);
        };
        self.tell(of_another_format(&other));
        Ok(self.with_header(&ndb, other))
    }

    /// The file with all parts at the offsets at which they were written, if a stretch of it was lost or doubled; with what was
    /// `found` in it, unless that is elsewhere then.
    fn places(
        &self,
        ndb: NodeDatabase,
        found: Option<Found>,
    ) -> Result<(NodeDatabase, Option<Found>)> {
        if self.mode == Recover::Off || !told_or(false, || shift::is_suspected(&ndb))? {
            return Ok((ndb, found));
        }
        let Some(pieces) = shift::pieces(ndb.source(), ndb.header(), &*self.watch) else {
            return Ok((ndb, found));
        };
        let source = ndb.source().with_pieces(pieces);
        self.tell_of_places(&source);
        Ok((self.database(source, ndb.header().clone()), None))
    }

    /// Tells where the parts of `source` are that are not in their places.
    fn tell_of_places(&self, source: &Source) {
        for line in shift::describe(source.pieces()) {
            self.tell(line);
        }
    }

    /// The file with its checksums and its encoding as its writer has used them, if anything does not fit where it is first
    /// needed: in the header, the roots, or the block of the message store.
    fn schemes(&self, ndb: NodeDatabase) -> Result<NodeDatabase> {
        let header = ndb.header();
        let fits = header.checksums == Checksums::default()
            && header.crc_valid
            && header.is_crypt_known()
            && self.lost_root(&ndb)?.is_none()
            && told_or(true, || self.is_store_fine(&ndb))?;
        if fits {
            return Ok(ndb);
        }
        let ndb = self.checksums(ndb)?;
        self.encoding(ndb)
    }

    fn checksums(&self, ndb: NodeDatabase) -> Result<NodeDatabase> {
        let header = ndb.header();
        let checksums = told_or(header.checksums, || {
            samples::checksums(ndb.source(), header)
        })?;
        for line in checksums.describe() {
            self.tell(line);
        }
        let header = Header {
            checksums,
            ..header.clone()
        };
        Ok(self.with_header(&ndb, header))
    }

    /// The encoding of the header stays if the message store is a heap under it.
    fn encoding(&self, ndb: NodeDatabase) -> Result<NodeDatabase> {
        let header = ndb.header();
        if header.is_crypt_known() && told_or(true, || self.is_store_fine(&ndb))? {
            return Ok(ndb);
        }
        let found = told_or(None, || samples::crypt_method(&ndb))?;
        let Some(crypt) = found.filter(|found| *found != header.crypt || !header.is_crypt_known())
        else {
            return Ok(ndb);
        };
        self.tell(format!(
            "the header says that blocks are {}, but they are {}: decoded so",
            header
                .declared_crypt()
                .map_or("encoded by no known method", CryptMethod::name),
            crypt.name()
        ));
        let header = Header {
            crypt,
            crypt_guessed: header.declared_crypt() == Some(CryptMethod::None),
            ..header.clone()
        };
        Ok(self.with_header(&ndb, header))
    }

    /// Whether the block of the message store is whole and a heap, or there is none.
    fn is_store_fine(&self, ndb: &NodeDatabase) -> Result<bool> {
        let entry = ndb.find_node(NodeId::MESSAGE_STORE).and_then(|node| {
            let data = node.map_or(BlockId::NONE, |node| node.data);
            // The list of its blocks, if it has many, is no heap.
            if data.is_none() || data.is_internal() {
                return Ok(None);
            }
            ndb.find_block(data)
        });
        match entry {
            Ok(Some(entry)) => samples::is_heap(ndb, entry),
            Ok(None) => Ok(true),
            Err(error) if error.is_unread() => Err(error),
            Err(_) => Ok(false),
        }
    }

    /// Why the root of a tree cannot be read. A disk that does not answer is not scanned.
    fn lost_root(&self, ndb: &NodeDatabase) -> Result<Option<Error>> {
        let types = [PageType::Nbt, PageType::Bbt];
        let lost = types
            .into_iter()
            .find_map(|page_type| ndb.root(page_type).err());
        match lost {
            Some(error) if error.is_unread() => Err(error),
            lost => Ok(lost),
        }
    }

    /// The file with what stands in for roots that are lost or may be stale, made of `found` or of a scan.
    fn roots(
        &self,
        ndb: NodeDatabase,
        found: Option<Found>,
        lost: Option<Error>,
    ) -> Result<NodeDatabase> {
        let cut_off = cut_off(&ndb);
        let lost = match lost {
            Some(error) if self.mode == Recover::Off => {
                return Err(cut_off.map_or(error, not_scanned));
            }
            lost => lost,
        };
        if let Some(cut_off) = &cut_off {
            self.tell(format!(
                "{cut_off}; copy it again from its source, if that is at hand"
            ));
        }
        let found = match found {
            Some(found) => found,
            None if !self.must_scan(&ndb, lost.as_ref()) => return Ok(ndb),
            None => self.scan(&ndb),
        };
        if found.is_empty() {
            return Err(cut_off.map_or_else(nothing_found, nothing_left));
        }
        let ndb = self.with_newest_roots(ndb, &found);
        let header = ndb.header();
        let finds = rebuild::rebuild(ndb.source(), header.format, &header.checksums, found);
        report(&finds, &*self.watch);
        Ok(ndb.with_finds(finds))
    }

    /// Whether the whole file is to be scanned now; reports the reason.
    fn must_scan(&self, ndb: &NodeDatabase, lost: Option<&Error>) -> bool {
        // A header with a wrong CRC may be older than the trees: then its roots can be whole, and stale.
        let why = match lost {
            _ if self.mode == Recover::Off => return false,
            Some(error) => error.to_string(),
            None if !ndb.header().crc_valid => "the CRC of the header is wrong".into(),
            None => match doubtful_roots(ndb) {
                Some(why) => why,
                None => return self.mode == Recover::Scan,
            },
        };
        self.tell(format!("{why}; looking for the mail in the whole file"));
        true
    }

    fn scan(&self, ndb: &NodeDatabase) -> Found {
        let header = ndb.header();
        pages::scan(ndb.source(), header.format, &header.checksums, &*self.watch)
    }

    /// In place of roots that are not the newest come those of the newest whole trees. A header that is right names these: of
    /// older nodes, which are what is left then, newer ones are missing; older blocks say less than a scan.
    fn with_newest_roots(&self, mut ndb: NodeDatabase, found: &Found) -> NodeDatabase {
        for page_type in [PageType::Nbt, PageType::Bbt] {
            let damaged = match page_type {
                PageType::Nbt => &*found.damaged,
                PageType::Bbt => &[],
            };
            let current = ndb.root(page_type).ok();
            let newest = roots::newest(found.pages(page_type), damaged);
            let newer = newest.filter(|newest| current.is_none_or(|current| current < newest.bid));
            let Some(newest) = newer else {
                continue;
            };
            let is_older = ndb.header().crc_valid && newest.bid < ndb.header().root(page_type).bid;
            let age = match (is_older, page_type) {
                (false, _) => "",
                (true, PageType::Nbt) => {
                    ndb = ndb.with_older_nodes();
                    ", which is older than the header says: what is newer is looked for"
                }
                (true, PageType::Bbt) => continue,
            };
            self.tell(format!(
                "going on with the {} root at {:#x}{age}",
                page_type.name(),
                newest.ib
            ));
            ndb = ndb.with_root(page_type, newest);
        }
        ndb
    }
}

/// What `look` finds in the file, or `otherwise` where the disk never gives what it looks at: that tells nothing, and is no reason
/// to show nothing else.
fn told_or<T>(otherwise: T, look: impl Fn() -> Result<T>) -> Result<T> {
    match at_best(look) {
        Err(error) if error.is_unread() => Ok(otherwise),
        told => told,
    }
}

/// Why the roots that the header names, which can be read, are not to be trusted. A page that is newer than its reference was
/// written in a commit that did not end, as in real files; one that is older is another page.
fn doubtful_roots(ndb: &NodeDatabase) -> Option<String> {
    let named = ndb.header().roots();
    let is_other = |(page_type, named): &(PageType, BlockRef)| {
        ndb.root(*page_type).is_ok_and(|found| found < named.bid)
    };
    if let Some((page_type, named)) = named.into_iter().find(is_other) {
        return Some(format!(
            "the {} root at offset {:#x} is older than the header says",
            page_type.name(),
            named.ib
        ));
    }
    let is_missing = |nid| matches!(ndb.find_node(nid), Ok(None));
    let is_without_store = is_missing(NodeId::MESSAGE_STORE) && is_missing(NodeId::ROOT_FOLDER);
    is_without_store.then(|| "the NBT has no message store and no root folder".into())
}

/// Whether a file at `path` says of itself that it is an Outlook data file, by how it begins.
pub fn is_data_file(path: &Path) -> bool {
    // Opening a pipe would wait for its writer.
    path.is_file() && Source::open(path).is_ok_and(|source| has_magic(&source))
}

/// Whether the file begins as each of its kind does.
fn has_magic(source: &Source) -> bool {
    let mut magic = [0; MAGIC.len()];
    source.read_exact_at(&mut magic, 0).is_ok() && magic == *MAGIC
}

/// The problem line about a `header` whose version is wrong.
fn of_another_format(header: &Header) -> String {
    format!(
        "the header says version {}, but the pages are those of a file of the format {}; read as such",
        header.version, header.format.name
    )
}

/// The problem line about a file that ends before `ibFileEof`.
fn cut_off(ndb: &NodeDatabase) -> Option<String> {
    let (file_eof, len) = (ndb.header().file_eof, ndb.source().len());
    (file_eof > len).then(|| {
        format!(
            "the file has {len} bytes where its header says {file_eof}: it was cut off, or its header is damaged"
        )
    })
}

/// A file that is `cut_off` and whose roots are lost, which nobody may look for.
fn not_scanned(cut_off: String) -> Error {
    Error::Truncated(format!(
        "{cut_off}; copy it again from its source, or see what is left with -o recover=auto"
    ))
}

/// A file that is `cut_off` and in which a scan found nothing.
fn nothing_left(cut_off: String) -> Error {
    Error::Truncated(format!(
        "{cut_off}, and nothing that can be read is left; copy it again from its source"
    ))
}

/// What is wrong with the header of a file that turns out to be one of Outlook all the same.
fn wrong_header(error: &Error) -> String {
    match error {
        Error::NotOutlook(_) => "the header does not begin with !BDN".to_owned(),
        error => error.to_string(),
    }
}

/// A file without a header in which a scan found `blocks`, none of which is a heap, so that nothing tells their encoding or what
/// they belong to.
fn no_heap_found(blocks: usize) -> Error {
    Error::Unsupported(format!(
        "an Outlook data file of which {blocks} blocks are left, and none that tells what they belong to: the rest is \
         overwritten, or encrypted from outside; try a backup of it"
    ))
}

/// A file in which a scan found nothing.
fn nothing_found() -> Error {
    Error::Unsupported(
        "no page of a B-tree and no block in the whole file: it is overwritten, encrypted from outside, or no Outlook \
         data file behind its header; try a backup of it"
            .into(),
    )
}
