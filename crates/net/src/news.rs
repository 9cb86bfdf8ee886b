//! Being told that an interface, its carrier or its addresses changed, where the system tells it: by netlink on Linux. What
//! changed is not read here: whoever is told looks at everything anew, which is cheap and never out of step.

use tokio::sync::mpsc;

/// Something changed each time that this yields; changes that come together are one. It ends at once where nobody tells.
#[cfg(target_os = "linux")]
pub(crate) fn listen() -> mpsc::Receiver<()> {
    use futures::StreamExt;
    use rtnetlink::MulticastGroup::{Ipv4Ifaddr, Ipv6Ifaddr, Link};

    let (tell, told) = mpsc::channel(1);
    let Ok((connection, handle, mut messages)) = rtnetlink::new_multicast_connection(&[Link, Ipv4Ifaddr, Ipv6Ifaddr])
    else {
        return told;
    };
    tokio::spawn(async move {
        // It would end without its handle, and otherwise not at all.
        let (carrying, _handle) = (tokio::spawn(connection), handle);
        loop {
            tokio::select! {
                () = tell.closed() => break,
                message = messages.next() => match message {
                    // One that waits stands for all.
                    Some(_) => drop(tell.try_send(())),
                    None => break,
                }
            }
        }
        carrying.abort();
    });
    told
}

/// Nobody tells.
#[cfg(not(target_os = "linux"))]
pub(crate) fn listen() -> mpsc::Receiver<()> {
    mpsc::channel(1).1
}
