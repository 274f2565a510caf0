//! stand-in while the page is being written
use crate::agent::Handle;
#[allow(missing_docs)]
pub struct Prepared {
    pub first_password: Option<String>,
}
#[allow(missing_docs)]
pub fn prepare(_: &Handle) -> Result<Prepared, String> {
    Ok(Prepared { first_password: None })
}
#[allow(missing_docs)]
pub async fn serve(_: Handle, _: Prepared, _: tokio::sync::watch::Receiver<bool>) -> Result<(), String> {
    Ok(())
}
