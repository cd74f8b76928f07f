//! A scan of the whole file, and what is made of it: pages and blocks known by themselves stand in for a lost header, lost
//! roots, lost and damaged pages; and how and where they were written, by their content. Uses nothing of the layers above `ndb`.

mod anchors;
mod borders;
mod claims;
pub(crate) mod damaged_leaves;
pub(crate) mod lost_header;
mod memory;
pub(super) mod on_demand;
pub(super) mod pages;
pub(crate) mod rebuild;
pub(crate) mod rest;
pub(crate) mod roots;
pub(crate) mod samples;
pub(crate) mod shift;
mod strays;
mod trailer;

pub(crate) use memory::Memory;
pub(crate) use pages::{Found, scan};
