//! A scan of the whole file, and what is made of it: pages and blocks known by themselves stand in for a lost header, lost
//! roots, lost and damaged pages; and what their content tells of how and where they were written. Uses nothing of the layers above `ndb`.

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

/// Scans the file because something is not where it should be.
pub(crate) fn on_demand(source: &Source, header: &Header, watch: &dyn Watch) -> Finds {
    watch.problem("a part of the file is not where it should be; looking in the whole file".into());
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
