-- Contacts and groups; $1 is the organisation.

-- name: contacts
-- Of the group $4, or all.
SELECT id, first_name, last_name, phone, number, more_numbers, email, address, custom1, custom2, custom3, description,
       language, time_zone
FROM contacts c
WHERE organisation_id = $1 AND id > $2
  AND ($4::bigint IS NULL
       OR EXISTS (SELECT 1 FROM contact_group_members m
                  WHERE m.group_id = $4 AND m.contact_id = c.id AND m.organisation_id = $1))
ORDER BY id LIMIT $3

-- name: contact
SELECT id, first_name, last_name, phone, number, more_numbers, email, address, custom1, custom2, custom3, description,
       language, time_zone
FROM contacts WHERE organisation_id = $1 AND id = $2

-- name: create_contact
INSERT INTO contacts (organisation_id, first_name, last_name, phone, number, more_numbers, email, address, custom1,
                      custom2, custom3, description, language, time_zone)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
RETURNING id, first_name, last_name, phone, number, more_numbers, email, address, custom1, custom2, custom3,
          description, language, time_zone

-- name: replace_contact
UPDATE contacts SET first_name = $3, last_name = $4, phone = $5, number = $6, more_numbers = $7, email = $8,
                    address = $9, custom1 = $10, custom2 = $11, custom3 = $12, description = $13, language = $14,
                    time_zone = $15
WHERE organisation_id = $1 AND id = $2
RETURNING id, first_name, last_name, phone, number, more_numbers, email, address, custom1, custom2, custom3,
          description, language, time_zone

-- name: delete_contact
DELETE FROM contacts WHERE organisation_id = $1 AND id = $2 RETURNING id

-- name: groups
SELECT g.id, g.name, g.description, g.contact_total + g.user_total AS member_count
FROM contact_groups g WHERE g.organisation_id = $1 AND g.id > $2 ORDER BY g.id LIMIT $3

-- name: group
SELECT g.id, g.name, g.description, g.contact_total + g.user_total AS member_count
FROM contact_groups g WHERE g.organisation_id = $1 AND g.id = $2

-- name: create_group
INSERT INTO contact_groups (organisation_id, name, description) VALUES ($1, $2, $3)
RETURNING id, name, description, 0::bigint AS member_count

-- name: replace_group
UPDATE contact_groups g SET name = $3, description = $4 WHERE g.organisation_id = $1 AND g.id = $2
RETURNING g.id, g.name, g.description, g.contact_total + g.user_total AS member_count

-- name: members
SELECT m.id, m.contact_id, m.user_id, coalesce(u.name, trim(c.first_name || ' ' || c.last_name)) AS name
FROM contact_group_members m
LEFT JOIN contacts c ON c.id = m.contact_id
LEFT JOIN users u ON u.id = m.user_id
WHERE m.organisation_id = $1 AND m.group_id = $2 AND m.id > $3
ORDER BY m.id LIMIT $4

-- name: member
SELECT m.id, m.contact_id, m.user_id, coalesce(u.name, trim(c.first_name || ' ' || c.last_name)) AS name
FROM contact_group_members m
LEFT JOIN contacts c ON c.id = m.contact_id
LEFT JOIN users u ON u.id = m.user_id
WHERE m.organisation_id = $1 AND m.group_id = $2 AND m.id = $3

-- name: add_member
-- Only where group and contact or user are the organisation's; who is in it already stays as they are. The group is locked
-- before the member has its id (migration 0009): a campaign that starts meanwhile knows by it who was there. The person
-- is locked before the group, in the order of a removal.
WITH c AS (
    SELECT id FROM contacts WHERE organisation_id = $1 AND id = $3 FOR KEY SHARE
), u AS (
    SELECT id FROM users WHERE organisation_id = $1 AND id = $4 FOR KEY SHARE
), who AS (
    SELECT c.id AS contact_id, u.id AS user_id FROM (SELECT) one LEFT JOIN c ON true LEFT JOIN u ON true
    WHERE num_nonnulls(c.id, u.id) = 1
), g AS (
    SELECT g.organisation_id, g.id, who.contact_id, who.user_id
    FROM contact_groups g CROSS JOIN who WHERE g.organisation_id = $1 AND g.id = $2 FOR NO KEY UPDATE OF g
)
INSERT INTO contact_group_members (organisation_id, group_id, contact_id, user_id)
SELECT organisation_id, id, contact_id, user_id FROM g
ON CONFLICT DO NOTHING
RETURNING id

-- name: membership
SELECT m.id, m.contact_id, m.user_id, coalesce(u.name, trim(c.first_name || ' ' || c.last_name)) AS name
FROM contact_group_members m
LEFT JOIN contacts c ON c.id = m.contact_id
LEFT JOIN users u ON u.id = m.user_id
WHERE m.organisation_id = $1 AND m.group_id = $2 AND (m.contact_id = $3 OR m.user_id = $4)

-- name: delete_member
DELETE FROM contact_group_members WHERE organisation_id = $1 AND group_id = $2 AND id = $3 RETURNING id
