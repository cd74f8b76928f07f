//! A scan of the whole file, and what is made of it: pages and blocks known by themselves stand in for a lost header, lost
//! roots, lost and damaged pages; and how and where they were written, by their content. Uses nothing of the layers above `ndb`.

mod anchors;
mod borders;
pub(crate) mod damaged_leaves;
pub(crate) mod lost_header;
mod memory;
mod pages;
pub(crate) mod rebuild;
pub(crate) mod roots;
pub(crate) mod samples;
pub(crate) mod shift;
mod strays;
mod trailer;

pub(crate) use memory::Memory;
pub(crate) use pages::{Found, scan};

use super::header::Header;
use super::open::Watch;
use super::source::Source;
use super::stand_ins::Finds;

/// Scans the file because a page or block of it is not to be had where it should be.
pub(crate) fn on_demand(source: &Source, header: &Header, watch: &dyn Watch) -> Finds {
    // The same line whoever comes first: which page or block it is, is told by itself.
    watch.problem(
        "a page is damaged, or a block is not at its place; looking through the whole file for intact copies"
            .into(),
    );
    let (format, checksums) = (header.format, &header.checksums);
    let found = scan(source, format, checksums, watch);
    let finds = rebuild::rebuild(source, format, checksums, found);
    report(&finds, watch);
    finds
}

/// Tells how much a scan has found.
pub(crate) fn report(finds: &Finds, watch: &dyn Watch) {
    watch.problem(format!(
        "a scan of the whole file found {} nodes and {} blocks",
        finds.nodes().len(),
        finds.blocks().len()
    ));
}
