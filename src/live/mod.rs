//! Hearing of calls at once instead of asking: the PBX's Call Control WebSocket.
//!
//! It rings for the flow that reads the call log; nothing else depends on it.

mod calls;
mod echoes;
mod status;

pub use calls::Listener;
pub use status::LiveStatus;
