//! The link to the dashboards: MQTT.

mod status;

pub use status::LinkStatus;
