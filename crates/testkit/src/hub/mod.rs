//! A hub that joins hosts by a cable each, and whose weather is a test's to make.
//!
//! Every port is a TAP device inside the namespace of a host: what the host sends is read from it here, and what arrives
//! is written to it. One thread carries all frames. What it decides for each (lost, late, twice, out of order, kept back)
//! is in [`weather`] and [`switch`], which know neither devices nor a clock, and comes from a seed: chance does not
//! decide a test, though what the hosts send and when is up to them.
//!
//! [`Lan::over_hub`](crate::netns::Lan::over_hub) makes one. It stands where a kernel would shape traffic by itself: not
//! every kernel has that, and none says which frame was the first after a cut.

mod ethernet;
mod switch;
mod weather;

use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;
use tun_rs::{DeviceBuilder, Layer, SyncDevice};

pub use switch::Groups;
use switch::Switch;
pub use weather::{Counts, Flaps, Weather};

/// The longest frame: 1,500 bytes and the header, with room for a tag.
const FRAME_MAX: usize = 1_600;
/// Frames that are read from one port before it is the next one's turn.
const AT_ONCE: usize = 64;

/// See the module. Its thread ends when it is dropped.
#[derive(Debug)]
pub struct Hub {
    shared: Arc<Shared>,
    wake: UnixStream,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    began: Instant,
    switch: Mutex<Switch>,
    /// In the order of the ports of the switch.
    devices: Mutex<Vec<Arc<SyncDevice>>>,
    ended: Mutex<bool>,
}

impl Hub {
    /// A hub without ports.
    ///
    /// # Errors
    ///
    /// When the system refuses a thread.
    pub(crate) fn start(seed: u64) -> std::io::Result<Self> {
        let (wake, woken) = UnixStream::pair()?;
        wake.set_nonblocking(true)?;
        woken.set_nonblocking(true)?;
        let shared = Arc::new(Shared {
            began: Instant::now(),
            switch: Mutex::new(Switch::new(seed)),
            devices: Mutex::default(),
            ended: Mutex::default(),
        });
        let inside = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("hub".into()).spawn(move || inside.carry(&woken))?;
        Ok(Hub { shared, wake, thread: Some(thread) })
    }

    /// A TAP device with the hardware address of a port, in the network namespace of the calling thread.
    pub(crate) fn device(name: &str, port: usize) -> std::io::Result<SyncDevice> {
        let last = u8::try_from(port + 1).map_err(|_| std::io::Error::from(ErrorKind::InvalidInput))?;
        let builder = DeviceBuilder::new().name(name).layer(Layer::L2).mac_addr([2, 0, 0, 74, 0, last]);
        let device = builder.enable(false).build_sync()?;
        device.set_nonblocking(true)?;
        Ok(device)
    }

    /// One more port, with the weather that is everywhere.
    pub(crate) fn add_port(&self, device: SyncDevice) {
        lock(&self.shared.devices).push(Arc::new(device));
        self.switch().add_port();
        self.wake();
    }

    /// From now on this is the weather for what one host sends to another. The way back keeps its own.
    pub fn weather(&self, from: usize, to: usize, weather: Weather) {
        let now = self.shared.now();
        self.switch().turn(from, to, weather, now);
    }

    /// From now on this is the weather between all hosts, those included that come later.
    pub fn weather_everywhere(&self, weather: Weather) {
        let now = self.shared.now();
        self.switch().turn_everywhere(weather, now);
    }

    /// From now on this is the weather for all that a host sends and receives.
    pub fn weather_around(&self, host: usize, weather: Weather) {
        let now = self.shared.now();
        let mut switch = self.switch();
        for other in (0..switch.ports()).filter(|other| *other != host) {
            switch.turn(host, other, weather, now);
            switch.turn(other, host, weather, now);
        }
    }

    /// From now on only hosts of the same island reach each other, and a host that is in none is alone.
    pub fn partition(&self, islands: &[&[usize]]) {
        self.switch().partition(islands);
    }

    /// All hosts are one network again.
    pub fn mend(&self) {
        let mut switch = self.switch();
        let all: Vec<usize> = (0..switch.ports()).collect();
        switch.partition(&[&all]);
    }

    /// Nothing passes to and from a host, which keeps its carrier: the cable behind the next switch is out.
    pub fn silence(&self, host: usize) {
        self.switch().plug(host, false);
    }

    /// The end of [`silence`](Self::silence).
    pub fn restore(&self, host: usize) {
        self.switch().plug(host, true);
    }

    /// Which frames for many pass from now on.
    pub fn filter(&self, groups: Groups) {
        self.switch().filter(groups);
    }

    /// What became of the frames from one host to another.
    #[must_use]
    pub fn counts(&self, from: usize, to: usize) -> Counts {
        self.switch().counts(from, to)
    }

    /// When the first frame for one host alone passed to or from a host since its cable was put back. Before it, nobody
    /// could have heard from anybody there.
    #[must_use]
    pub fn first_passed(&self, host: usize) -> Option<Instant> {
        self.switch().first(host).map(|after| self.shared.began + after)
    }

    fn switch(&self) -> MutexGuard<'_, Switch> {
        lock(&self.shared.switch)
    }

    fn wake(&self) {
        // A full pipe wakes as well.
        let _ = (&self.wake).write(&[0]);
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        *lock(&self.shared.ended) = true;
        self.wake();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("switch", &self.switch).finish_non_exhaustive()
    }
}

impl Shared {
    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// The thread.
    fn carry(&self, mut woken: &UnixStream) {
        let mut frame = [0; FRAME_MAX];
        while !*lock(&self.ended) {
            let devices = lock(&self.devices).clone();
            self.hand_out(&devices);
            let next = lock(&self.switch).next();
            let wait = next.map(|due| TimeSpec::from_duration(due.saturating_sub(self.now())));
            let mut fds: Vec<PollFd<'_>> =
                devices.iter().map(|device| PollFd::new(device.as_fd(), PollFlags::POLLIN)).collect();
            fds.push(PollFd::new(woken.as_fd(), PollFlags::POLLIN));
            if ppoll(&mut fds, wait, None).is_err() {
                continue;
            }
            while woken.read(&mut frame).is_ok_and(|bytes| bytes > 0) {}
            let ready = |fd: &PollFd<'_>| fd.revents().is_some_and(|events| events.contains(PollFlags::POLLIN));
            let ready: Vec<bool> = fds.iter().map(ready).collect();
            for (port, device) in devices.iter().enumerate().filter(|(port, _)| ready.get(*port) == Some(&true)) {
                for _ in 0..AT_ONCE {
                    let Ok(bytes) = device.recv(&mut frame) else { break };
                    lock(&self.switch).take(port, &frame[..bytes], self.now());
                }
            }
        }
    }

    /// Writes what is due. A host that does not take it, because its device is down or gone, has lost it.
    fn hand_out(&self, devices: &[Arc<SyncDevice>]) {
        loop {
            let Some((port, frame)) = lock(&self.switch).arrived(self.now()) else { return };
            if let Some(device) = devices.get(port) {
                let _ = device.send(&frame);
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
