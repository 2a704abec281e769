-- A hotline's phones: agents in the order of their array, each agent's phones in the order that the user gave them.
-- Of a number that two have, the first place counts.
CREATE OR REPLACE VIEW engine_hotlines AS
SELECT h.id, h.organisation_id, h.number, o.language, h.is_active, h.channels_inbound, h.channels_outbound,
       h.greeting_sound, h.ask_sound, p.phone_ids, p.user_ids, p.numbers
FROM hotlines h
JOIN organisations o ON o.id = h.organisation_id
CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(d.id ORDER BY d.agent, d.position, d.id), '{}') AS phone_ids,
           coalesce(array_agg(d.user_id ORDER BY d.agent, d.position, d.id), '{}') AS user_ids,
           coalesce(array_agg(d.number ORDER BY d.agent, d.position, d.id), '{}') AS numbers
    FROM (
        SELECT DISTINCT ON (ph.number) ph.id, ph.user_id, ph.number, a.position AS agent, ph.position
        FROM hotline_agents a
        JOIN phones ph ON ph.user_id = a.user_id AND ph.organisation_id = h.organisation_id AND ph.is_active
        WHERE a.hotline_id = h.id
        ORDER BY ph.number, a.position, ph.position, ph.id
    ) d
) p
WHERE h.deleted_at IS NULL;
