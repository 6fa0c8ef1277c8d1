//! The signals that ask a program to end. From `listen` on, none of them ends it by itself.

use std::io;

use crate::failure::Signal;

/// The signals of this system, waited for in turn.
#[derive(Debug)]
pub(crate) struct Signals(system::Signals);

impl Signals {
    /// Takes the signals over.
    pub(crate) fn listen() -> io::Result<Self> {
        system::Signals::listen().map(Self)
    }

    /// The next one.
    pub(crate) async fn next(&mut self) -> Signal {
        self.0.next().await
    }
}

#[cfg(unix)]
mod system {
    use std::future::pending;
    use std::io;

    use tokio::signal::unix::{self, SignalKind, signal};

    use crate::failure::Signal;

    #[derive(Debug)]
    pub(super) struct Signals {
        interrupt: unix::Signal,
        terminate: unix::Signal,
    }

    impl Signals {
        pub(super) fn listen() -> io::Result<Self> {
            Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
        }

        pub(super) async fn next(&mut self) -> Signal {
            tokio::select! {
                Some(()) = self.interrupt.recv() => Signal::Interrupt,
                Some(()) = self.terminate.recv() => Signal::Terminate,
                // The runtime that delivers them is gone, and this future with it.
                else => pending().await,
            }
        }
    }
}

#[cfg(windows)]
mod system {
    use std::future::pending;
    use std::io;

    use tokio::signal::windows::{self, CtrlBreak, CtrlC, CtrlClose, CtrlShutdown};

    use crate::failure::Signal;

    #[derive(Debug)]
    pub(super) struct Signals {
        interrupt: CtrlC,
        stop: CtrlBreak,
        close: CtrlClose,
        shutdown: CtrlShutdown,
    }

    impl Signals {
        pub(super) fn listen() -> io::Result<Self> {
            let (interrupt, stop) = (windows::ctrl_c()?, windows::ctrl_break()?);
            Ok(Self { interrupt, stop, close: windows::ctrl_close()?, shutdown: windows::ctrl_shutdown()? })
        }

        pub(super) async fn next(&mut self) -> Signal {
            tokio::select! {
                Some(()) = self.interrupt.recv() => Signal::Interrupt,
                Some(()) = self.stop.recv() => Signal::Terminate,
                Some(()) = self.close.recv() => Signal::Terminate,
                Some(()) = self.shutdown.recv() => Signal::Terminate,
                else => pending().await,
            }
        }
    }
}
