//! What is read ahead of a file, piece by piece.

use std::sync::Arc;

/// Bytes read ahead at a time.
pub(super) const WINDOW: usize = 512 << 10;

/// The bytes of a window.
#[derive(Debug, Clone)]
pub(super) enum Content {
    Planned,
    InWork,
    /// Shorter than a window at the end of the file, or where it cannot be read.
    Made(Arc<Vec<u8>>),
}

impl Content {
    pub(super) fn is_planned(&self) -> bool {
        matches!(self, Self::Planned)
    }
}
