-- Whether an event was shipped to where events are searched. Those of before are not: they are shipped once that is configured.
ALTER TABLE event ADD COLUMN shipped INTEGER NOT NULL DEFAULT FALSE;
CREATE INDEX event_unshipped ON event (seq) WHERE shipped = FALSE;

-- How many models there are, by their age.
CREATE INDEX model_trained ON model (plugin, trained_at_ms) WHERE enrolled = TRUE;
