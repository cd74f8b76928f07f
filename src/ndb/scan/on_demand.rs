//! A scan that is made because a lookup failed.

use super::pages::scan;
use super::rebuild::rebuild;
use crate::ndb::finds::Finds;
use crate::ndb::header::Header;
use crate::ndb::source::Source;
use crate::ndb::watch::Watch;

/// Scans the file because a page or block of it is not to be had where it should be.
pub(crate) fn on_demand(source: &Source, header: &Header, watch: &dyn Watch) -> Finds {
    // The same line whoever comes first: which page or block it is, is told by itself.
    watch.problem(
        "a page is damaged, or a block is not at its place; looking through the whole file for intact copies"
            .into(),
    );
    let (format, checksums) = (header.format, &header.checksums);
    let found = scan(source, format, checksums, watch);
    let finds = rebuild(source, format, checksums, found);
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
