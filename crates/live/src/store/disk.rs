//! The file under the database, with a switch: redb writes once more when it is closed, which a process that is killed
//! would not do, and which nobody wants of a database that has failed.

use std::io;
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::backends::FileBackend;
use redb::{BackendError, StorageBackend};

/// Whether, and in tests how much, may be written.
#[derive(Clone, Debug, Default)]
pub(super) struct Disk(Arc<Switch>);

#[derive(Debug, Default)]
struct Switch {
    paused: AtomicBool,
    stopped: AtomicBool,
    #[cfg(test)]
    test: super::tests::DiskOfTest,
}

impl Disk {
    /// Nothing is written until [`resume`](Self::resume).
    pub(super) fn pause(&self) {
        self.0.paused.store(true, Ordering::Release);
    }

    pub(super) fn resume(&self) {
        self.0.paused.store(false, Ordering::Release);
    }

    /// Nothing is written any more.
    pub(super) fn stop(&self) {
        self.0.stopped.store(true, Ordering::Release);
    }

    /// A file, under this switch.
    pub(super) fn over(&self, file: FileBackend) -> Switched {
        Switched { file, switch: Arc::clone(&self.0) }
    }

    #[cfg(test)]
    pub(super) fn test(&self) -> &super::tests::DiskOfTest {
        &self.0.test
    }
}

/// The file of an open database.
#[derive(Debug)]
pub(super) struct Switched {
    file: FileBackend,
    switch: Arc<Switch>,
}

impl Switched {
    fn may_write(&self) -> io::Result<()> {
        if self.switch.stopped.load(Ordering::Acquire) || self.switch.paused.load(Ordering::Acquire) {
            return Err(io::Error::other("the store is closed"));
        }
        Ok(())
    }
}

impl StorageBackend for Switched {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        #[cfg(test)]
        self.switch.test.before_read()?;
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.may_write()?;
        #[cfg(test)]
        self.switch.test.before_set_len(self.file.len()?, len)?;
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.may_write()?;
        #[cfg(test)]
        if !self.switch.test.before_sync()? {
            return Ok(());
        }
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.may_write()?;
        #[cfg(test)]
        self.switch.test.before_write(offset, data)?;
        self.file.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }

    // The lock of the file, which keeps a second process away also where that of the profile does not hold.

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.query_lock_range(start, end)
    }
}
