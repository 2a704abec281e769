-- A delivery waits no longer for its next try when the clock was put back: since when it waits is stored beside until when,
-- and a time to come proves it (webhooks.sql, `claim`). One that a sender has in hand waits as well: for the end of the time in
-- which it must be done.
ALTER TABLE webhook_deliveries ADD COLUMN waits_since timestamptz NOT NULL DEFAULT now();
CREATE INDEX webhook_deliveries_waits ON webhook_deliveries (waits_since) WHERE state = 'pending';
UPDATE webhook_deliveries SET due_at = taken_until WHERE state = 'pending' AND taken_until > due_at;
