-- Contact groups as the Sensaphone.net API keeps them: the directory's rows, several in one request. $1 is the organisation;
-- `seen by`: the user who sees only what he made, or null: who sees everybody's.
-- People are locked before groups, each kind in the order of their ids, and groups before their members have ids: as `add_member`
-- of people.sql does.

-- name: groups
-- $2 seen by, $3 these or null: all, $4 with their members, in the order in which they joined.
SELECT g.id AS group_id, g.name,
       CASE WHEN $4 THEN ARRAY(SELECT m.user_id FROM contact_group_members m
                               WHERE m.group_id = g.id AND m.user_id IS NOT NULL ORDER BY m.id) ELSE '{}' END AS user_ids,
       CASE WHEN $4 THEN ARRAY(SELECT m.contact_id FROM contact_group_members m
                               WHERE m.group_id = g.id AND m.contact_id IS NOT NULL ORDER BY m.id) ELSE '{}' END AS contact_ids
FROM contact_groups g
WHERE g.organisation_id = $1 AND ($2::bigint IS NULL OR g.created_by = $2) AND ($3::bigint[] IS NULL OR g.id = ANY($3))
ORDER BY g.id

-- name: lock_contacts
-- $3 seen by
SELECT id FROM contacts WHERE organisation_id = $1 AND id = ANY($2::bigint[]) AND ($3::bigint IS NULL OR created_by = $3)
ORDER BY id FOR KEY SHARE

-- name: lock_users
-- $3 seen by: himself as well.
SELECT id FROM users
WHERE organisation_id = $1 AND id = ANY($2::bigint[]) AND ($3::bigint IS NULL OR created_by = $3 OR id = $3)
ORDER BY id FOR KEY SHARE

-- name: lock_groups
-- $3 seen by
SELECT id FROM contact_groups WHERE organisation_id = $1 AND id = ANY($2::bigint[]) AND ($3::bigint IS NULL OR created_by = $3)
ORDER BY id FOR NO KEY UPDATE

-- name: create_group
INSERT INTO contact_groups (organisation_id, created_by, name) VALUES ($1, $2, $3) RETURNING id

-- name: rename
UPDATE contact_groups SET name = $3 WHERE organisation_id = $1 AND id = $2

-- name: join
-- $2 groups, $3 contacts, $4 users, of which one is null. Who is in it already stays as he is.
INSERT INTO contact_group_members (organisation_id, group_id, contact_id, user_id)
SELECT $1, m.group_id, m.contact_id, m.user_id
FROM unnest($2::bigint[], $3::bigint[], $4::bigint[]) WITH ORDINALITY AS m(group_id, contact_id, user_id, place)
ORDER BY m.place
ON CONFLICT DO NOTHING

-- name: leave
-- As `join`. Who was in none of them is not among the rows.
DELETE FROM contact_group_members WHERE id = ANY(ARRAY(
    SELECT k.id FROM contact_group_members k WHERE k.id = ANY(ARRAY(
        SELECT m.id FROM unnest($2::bigint[], $3::bigint[]) l(group_id, contact_id)
        JOIN contact_group_members m ON m.group_id = l.group_id AND m.contact_id = l.contact_id AND m.organisation_id = $1
        UNION ALL
        SELECT m.id FROM unnest($2::bigint[], $4::bigint[]) l(group_id, user_id)
        JOIN contact_group_members m ON m.group_id = l.group_id AND m.user_id = l.user_id AND m.organisation_id = $1))
    ORDER BY k.id FOR UPDATE))
RETURNING group_id, contact_id, user_id
