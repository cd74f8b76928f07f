//! Who is told what a recovery does and finds.

/// Hears of a recovery. Both may be called from any thread.
pub trait Watch: Send + Sync {
    /// A scan has read `done` of `total` bytes; both are equal at its end.
    fn progress(&self, done: u64, total: u64) {
        let _ = (done, total);
    }

    /// Something was lost, or gone around. The same line may come again.
    fn problem(&self, line: String);
}

/// Hears nothing.
impl Watch for () {
    fn problem(&self, _: String) {}
}
