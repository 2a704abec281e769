-- Providers. The engine reads those of every organisation; else $1 is the organisation, and $2 the user who sees only
-- what he made (null: who sees everybody's). The password is read by the engine alone.

-- name: active
SELECT id, organisation_id, host, port, username, password, prefix, register, weight, channels, cps
FROM providers WHERE active AND type = 'sip' AND service_flag & 1 = 1 ORDER BY id

-- name: providers
SELECT id, created_by, name, description, type, gateway_flag, service_flag, node_id, host, port, username, dialstring,
       prefix, settings, register, weight, active, channels, cps
FROM providers WHERE organisation_id = $1 /* filters */ ORDER BY id

-- name: provider
SELECT id, created_by, name, description, type, gateway_flag, service_flag, node_id, host, port, username, dialstring,
       prefix, settings, register, weight, active, channels, cps
FROM providers WHERE organisation_id = $1 AND ($2::bigint IS NULL OR created_by = $2) AND id = $3

-- name: create_provider
-- $3: all columns that a client writes, as JSON.
INSERT INTO providers (organisation_id, created_by, name, description, type, gateway_flag, service_flag, node_id, host,
                       port, username, password, dialstring, prefix, settings, register, weight, active, channels, cps)
SELECT $1, $2, n.name, n.description, n.type, n.gateway_flag, n.service_flag, n.node_id, n.host, n.port, n.username,
       n.password, n.dialstring, n.prefix, n.settings, n.register, n.weight, n.active, n.channels, n.cps
FROM jsonb_populate_record(NULL::providers, $3::jsonb) n
RETURNING id

-- name: update_provider
-- $4: the columns that change, as JSON; the type stays as it was made.
UPDATE providers p
SET (name, description, gateway_flag, service_flag, node_id, host, port, username, password, dialstring, prefix,
     settings, register, weight, active, channels, cps)
    = (SELECT n.name, n.description, n.gateway_flag, n.service_flag, n.node_id, n.host, n.port, n.username, n.password,
              n.dialstring, n.prefix, n.settings, n.register, n.weight, n.active, n.channels, n.cps
       FROM jsonb_populate_record(p, $4::jsonb) n)
WHERE p.organisation_id = $1 AND ($2::bigint IS NULL OR p.created_by = $2) AND p.id = $3
RETURNING id, created_by, name, description, type, gateway_flag, service_flag, node_id, host, port, username,
          dialstring, prefix, settings, register, weight, active, channels, cps

-- name: delete_provider
DELETE FROM providers WHERE organisation_id = $1 AND ($2::bigint IS NULL OR created_by = $2) AND id = $3 RETURNING id
