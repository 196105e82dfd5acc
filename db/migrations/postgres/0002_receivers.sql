-- How a receiver of deliveries (a client, on one channel) is doing, and who is telling it things. One that was never told anything has
-- no row.
CREATE TABLE receiver (
    client     TEXT COLLATE "C" NOT NULL REFERENCES client (id) ON DELETE CASCADE,
    channel    TEXT COLLATE "C" NOT NULL,
    failures   BIGINT           NOT NULL,
    next_at    BIGINT           NOT NULL,
    holder     BYTEA,
    held_until BIGINT           NOT NULL,
    PRIMARY KEY (client, channel)
);

-- A delivery stands in its receiver's line, in the order of `seq`, or aside, until `next_at`. `since` is when an operator said
-- "again"; else the time of its event counts. Neither `leased_until` nor `delivery_open` is
-- used any more.
ALTER TABLE delivery ADD COLUMN aside BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE delivery ADD COLUMN refusals BIGINT NOT NULL DEFAULT 0;
ALTER TABLE delivery ADD COLUMN since BIGINT;

CREATE INDEX delivery_line ON delivery (client, channel, aside, seq, next_at) WHERE closed_at IS NULL;
CREATE INDEX delivery_session ON delivery (session) WHERE closed_at IS NULL;
CREATE INDEX delivery_dead ON delivery (seq) WHERE dead = TRUE;
