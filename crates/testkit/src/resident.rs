//! A peer in this process that lives on a host of a [`Lan`](crate::netns::Lan): all its threads and sockets are there. What
//! it is asked is asked there as well. Where a process of its own is wanted, see [`headless`](crate::headless).

use std::io;
use std::sync::Arc;

use parlor::{Config, Live};
use tokio::runtime::{Builder, Runtime};

use crate::netns::Host;

/// See the module. It crashes when it is dropped: nobody is told.
#[derive(Debug)]
pub struct Resident {
    runtime: Option<Runtime>,
    live: Arc<Live>,
}

impl Resident {
    /// Starts a peer on a host.
    ///
    /// # Errors
    ///
    /// When the host cannot be entered, or the peer does not start.
    pub fn start(host: &Host, config: Config) -> io::Result<Self> {
        let build = || Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = host.enter(build).map_err(io::Error::other)??;
        let starting = runtime.spawn(async move { Live::start(config).await.map(Arc::new) });
        let live = runtime.block_on(starting).map_err(io::Error::other)?.map_err(io::Error::other)?;
        Ok(Self { runtime: Some(runtime), live })
    }

    /// Asks on the host, since new threads stay where the asking one is.
    ///
    /// # Panics
    ///
    /// When the question does.
    pub fn ask<T: Send + 'static, F>(&self, question: impl FnOnce(Arc<Live>) -> F) -> T
    where
        F: Future<Output = T> + Send + 'static,
    {
        let runtime = self.runtime.as_ref().expect("it runs until it is dropped");
        runtime.block_on(runtime.spawn(question(Arc::clone(&self.live)))).expect("the question panicked")
    }

    /// Lets something go on there until it ends or the peer does.
    pub fn let_run<F>(&self, work: impl FnOnce(Arc<Live>) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        if let Some(runtime) = &self.runtime {
            drop(runtime.spawn(work(Arc::clone(&self.live))));
        }
    }
}

impl Drop for Resident {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
