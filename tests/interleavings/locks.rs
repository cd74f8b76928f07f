//! Locks of shuttle, by the methods of those of `parking_lot`.

use std::ops::{Deref, DerefMut};

use shuttle::sync;

/// A lock that does not poison.
#[derive(Debug, Default)]
pub struct Mutex<T>(sync::Mutex<T>);

/// The lock while it is held; none only while its thread waits for a [`Condvar`].
pub struct MutexGuard<'a, T>(Option<sync::MutexGuard<'a, T>>);

/// What threads wait for that have given a lock back meanwhile.
#[derive(Debug, Default)]
pub struct Condvar(sync::Condvar);

impl<T> Mutex<T> {
    pub const fn new(value: T) -> Self {
        Self(sync::Mutex::new(value))
    }

    pub fn lock(&self) -> MutexGuard<'_, T> {
        let guard = self.0.lock();
        MutexGuard(Some(guard.unwrap_or_else(|held| held.into_inner())))
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("held")
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_mut().expect("held")
    }
}

impl Condvar {
    pub const fn new() -> Self {
        Self(sync::Condvar::new())
    }

    pub fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        let held = guard.0.take().expect("held");
        let held = self.0.wait(held);
        guard.0 = Some(held.unwrap_or_else(|held| held.into_inner()));
    }

    pub fn notify_one(&self) {
        self.0.notify_one();
    }

    pub fn notify_all(&self) {
        self.0.notify_all();
    }
}
