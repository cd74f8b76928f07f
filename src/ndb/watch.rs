//! The callbacks of a recovery: what it does and finds.

/// What is called while a file is recovered, from any thread.
pub trait Watch: Send + Sync {
    /// A scan has read `done` of `total` bytes; both are equal at its end.
    fn progress(&self, done: u64, total: u64) {
        let _ = (done, total);
    }

    /// Something was lost, or gone around. The same line may come again.
    fn problem(&self, line: String);
}

/// Ignores all of it.
impl Watch for () {
    fn problem(&self, _: String) {}
}
