-- Contacts out of a file; $1 is the organisation, $2 the group, $3 who imports.

-- name: make_table
CREATE TEMPORARY TABLE imported_contacts (
    line integer, phone text, number text, first_name text, last_name text, email text, address text, custom1 text,
    custom2 text, custom3 text, description text
) ON COMMIT DROP

-- name: lock_group
-- It is not deleted under the memberships, and a campaign that starts waits (people.sql): not while the file is read, only
-- while it is joined.
SELECT id FROM contact_groups WHERE organisation_id = $1 AND id = $2 FOR NO KEY UPDATE

-- name: join
-- Ids rise with the lines of the file.
WITH made AS (
    INSERT INTO contacts (organisation_id, created_by, phone, number, first_name, last_name, email, address, custom1,
                          custom2, custom3, description)
    SELECT $1, $3, phone, number, first_name, last_name, email, address, custom1, custom2, custom3, description
    FROM imported_contacts ORDER BY line
    RETURNING id
), joined AS (
    INSERT INTO contact_group_members (organisation_id, group_id, contact_id)
    SELECT $1, $2, id FROM made
    RETURNING 1
)
SELECT count(*) AS count FROM joined
