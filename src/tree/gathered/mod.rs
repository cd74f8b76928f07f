//! Directories of links in `.ostfs`, each made when somebody looks at it: the views of `-o views`, and what queries find with
//! `-o search`.
//!
//! From the bottom up, and no file uses one of a later row:
//! * `links`, a directory; `groups`, what belongs together; `queries`, which query is which;
//! * `views`, which finds groups; and `gathered`, what is kept of all that.

#[expect(
    clippy::module_inception,
    reason = "a type lives in the file of its name"
)]
mod gathered;
mod groups;
mod links;
mod queries;
mod views;

pub use gathered::Finds;
pub(super) use gathered::Gathered;
pub(super) use links::Links;
