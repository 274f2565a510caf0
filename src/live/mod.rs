//! Hearing of calls at once instead of asking: the PBX's Call Control WebSocket, and the lines that it writes about each
//! call to a socket.
//!
//! Both ring for the flow that reads the call log. Of a PBX without an API the lines are the call log.

mod calls;
mod echoes;
mod gaps;
mod receiver;
mod status;
mod wires;

pub use calls::Listener;
pub use receiver::Receiver;
pub use status::LiveStatus;
