-- What is read often: hotlines as the engine sees them, and logs newest first.

-- The phones of a hotline in the order of the agents' array, only active ones, each number once (the first agent
-- who has it wins). Queries of the engine filter it by number or not at all.
CREATE VIEW engine_hotlines AS
SELECT h.id, h.organisation_id, h.number, o.language, h.is_active, h.channels_inbound, h.channels_outbound,
       h.greeting_sound, h.ask_sound, p.phone_ids, p.user_ids, p.numbers
FROM hotlines h
JOIN organisations o ON o.id = h.organisation_id
CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(d.id ORDER BY d.position, d.id), '{}') AS phone_ids,
           coalesce(array_agg(d.user_id ORDER BY d.position, d.id), '{}') AS user_ids,
           coalesce(array_agg(d.number ORDER BY d.position, d.id), '{}') AS numbers
    FROM (
        SELECT DISTINCT ON (ph.number) ph.id, ph.user_id, ph.number, a.position
        FROM hotline_agents a
        JOIN phones ph ON ph.user_id = a.user_id AND ph.organisation_id = h.organisation_id AND ph.is_active
        WHERE a.hotline_id = h.id
        ORDER BY ph.number, a.position, ph.id
    ) d
) p
WHERE h.deleted_at IS NULL;

-- The fallback's calls are imported late: newest first goes by the time of the call, not by the id.
DROP INDEX call_logs_hotline;
CREATE INDEX call_logs_hotline ON call_logs (hotline_id, start_time DESC, id DESC);
DROP INDEX telephone_records_hotline;
CREATE INDEX telephone_records_hotline ON telephone_records (hotline_id, start_time DESC, id DESC);
