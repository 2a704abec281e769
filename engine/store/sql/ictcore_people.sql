-- Contacts and groups as the ICTCore API keeps them: the directory's rows. $1 is the organisation; where it says
-- `seen by`, the user who sees only what he made, or null: who sees everybody's.

-- name: contacts
SELECT c.id AS contact_id, c.first_name, c.last_name, c.phone, c.email, c.address, c.custom1, c.custom2, c.custom3,
       c.description
FROM contacts c
WHERE c.organisation_id = $1 /* filters */
ORDER BY c.id

-- name: contacts_of_group
-- The first page of a group of a million costs no more than that page.
SELECT c.id AS contact_id, c.first_name, c.last_name, c.phone, c.email, c.address, c.custom1, c.custom2, c.custom3,
       c.description
FROM contact_group_members m JOIN contacts c ON c.id = m.contact_id
WHERE m.organisation_id = $1 AND m.group_id = $2 /* filters */
ORDER BY m.contact_id

-- name: contact
-- $3 seen by
SELECT c.id AS contact_id, c.first_name, c.last_name, c.phone, c.email, c.address, c.custom1, c.custom2, c.custom3,
       c.description
FROM contacts c
WHERE c.organisation_id = $1 AND c.id = $2 AND ($3::bigint IS NULL OR c.created_by = $3)

-- name: create_contact
INSERT INTO contacts (organisation_id, created_by, phone, number, first_name, last_name, email, address, custom1,
                      custom2, custom3, description)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
RETURNING id

-- name: update_contact
-- $3 seen by; null: stays as it is. Not to one that can neither be rung nor written to.
UPDATE contacts SET
    phone = coalesce($4, phone), number = CASE WHEN $4 IS NULL THEN number ELSE $5 END,
    more_numbers = array_remove(more_numbers, $5), first_name = coalesce($6, first_name),
    last_name = coalesce($7, last_name), email = coalesce($8, email), address = coalesce($9, address),
    custom1 = coalesce($10, custom1), custom2 = coalesce($11, custom2), custom3 = coalesce($12, custom3),
    description = coalesce($13, description)
WHERE organisation_id = $1 AND id = $2 AND ($3::bigint IS NULL OR created_by = $3)
  AND (($4::text IS NULL AND $8::text IS NULL) OR trim(coalesce($4, phone)) <> '' OR coalesce($8, email) <> '')
RETURNING id AS contact_id, first_name, last_name, phone, email, address, custom1, custom2, custom3, description

-- name: delete_contact
-- Its memberships go with it. $3 seen by
DELETE FROM contacts WHERE organisation_id = $1 AND id = $2 AND ($3::bigint IS NULL OR created_by = $3) RETURNING id

-- name: groups
SELECT g.id AS group_id, g.name, g.description, g.contact_total
FROM contact_groups g
WHERE g.organisation_id = $1 /* filters */
ORDER BY g.id

-- name: group
-- $3 seen by
SELECT g.id AS group_id, g.name, g.description, g.contact_total
FROM contact_groups g
WHERE g.organisation_id = $1 AND g.id = $2 AND ($3::bigint IS NULL OR g.created_by = $3)

-- name: create_group
INSERT INTO contact_groups (organisation_id, created_by, name, description) VALUES ($1, $2, $3, $4) RETURNING id

-- name: update_group
-- $3 seen by; null: stays as it is
UPDATE contact_groups SET name = coalesce($4, name), description = coalesce($5, description)
WHERE organisation_id = $1 AND id = $2 AND ($3::bigint IS NULL OR created_by = $3)
RETURNING id

-- name: link
-- Who is in it stays as he is. Locked in the order of people.sql's `add_member`.
WITH c AS (
    SELECT id FROM contacts WHERE organisation_id = $1 AND id = $3 FOR KEY SHARE
), g AS (
    SELECT g.organisation_id, g.id, c.id AS contact_id
    FROM contact_groups g CROSS JOIN c WHERE g.organisation_id = $1 AND g.id = $2 FOR NO KEY UPDATE OF g
)
INSERT INTO contact_group_members (organisation_id, group_id, contact_id)
SELECT organisation_id, id, contact_id FROM g
ON CONFLICT DO NOTHING

-- name: unlink
DELETE FROM contact_group_members WHERE organisation_id = $1 AND group_id = $2 AND contact_id = $3

-- name: export
-- Contacts of group $2 behind contact $3, $4 at a time, as the columns of a CSV file, and the id to go on behind. Who is
-- not wanted has no columns. (The page is cut before the join: no plan then reads the contacts of pages before it.)
SELECT c.phone, c.first_name, c.last_name, c.email, c.address, c.custom1, c.custom2, c.custom3, c.description, m.contact_id
FROM (SELECT contact_id FROM contact_group_members
      WHERE organisation_id = $1 AND group_id = $2 AND contact_id > $3 ORDER BY contact_id LIMIT $4) m
LEFT JOIN contacts c ON c.id = m.contact_id /* filters */
ORDER BY m.contact_id
