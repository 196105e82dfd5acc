//! Request logs: from a queue, under the ids of the requests.

use super::bulk::Document;
use super::{Shipper, document};
use crate::sink::Line;
use crate::sink::queue::Ship;

impl Ship for Shipper {
    type Item = Line;

    async fn ship(&self, batch: Vec<Line>) {
        let documents = batch.iter().map(|line| Document {
            id: String::from_utf8_lossy(line.id.as_bytes()).into_owned(),
            source: document::of_request(line),
        });
        self.send(documents.collect(), None).await;
    }
}
