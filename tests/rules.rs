//! Rules through the whole box: what is excluded is never asked of the PBX, what is wanted later comes later, and a missed
//! call that nobody called back becomes one task.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod rig;
mod rules {
    pub mod call_back;
    pub mod deliver;
    pub mod dry_run;
    pub mod exclude;
    pub mod town;
}
