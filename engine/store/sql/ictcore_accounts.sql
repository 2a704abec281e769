-- Accounts of the ICTCore API; $1 is the organisation. Who sees what is a user whose own they are, or who made them
-- while they are nobody's; null: everybody's.

-- name: accounts
-- Of the type $2 and the user $3, or all.
SELECT a.id AS account_id, a.type, a.username, a.first_name, a.last_name, a.phone, a.email, a.address, a.active,
       a.user_id
FROM accounts a
WHERE a.organisation_id = $1 AND ($2::text IS NULL OR a.type = $2) AND ($3::bigint IS NULL OR a.user_id = $3)
      /* filters */ ORDER BY a.id

-- name: account
SELECT a.id AS account_id, a.type, a.username, a.passwd, a.passwd_pin, a.first_name, a.last_name, a.phone, a.email,
       a.address, a.active, a.user_id, a.settings,
       ARRAY(SELECT s.program_id FROM account_programs s WHERE s.account_id = a.id ORDER BY s.program_id) AS programs
FROM accounts a
WHERE a.organisation_id = $1 AND a.id = $2
  AND ($3::bigint IS NULL OR a.user_id = $3 OR (a.user_id IS NULL AND a.created_by = $3))

-- name: default_of
-- A user's own first account.
SELECT id FROM accounts WHERE organisation_id = $1 AND user_id = $2 AND type = 'account' ORDER BY id LIMIT 1

-- name: create_account
-- $2: all columns as JSON. No row when the name is taken within its type.
INSERT INTO accounts (organisation_id, created_by, user_id, type, username, passwd, passwd_pin, first_name, last_name,
                      phone, email, address, active)
SELECT $1, $3, $3, n.type, n.username, n.passwd, n.passwd_pin, n.first_name, n.last_name, n.phone, n.email, n.address,
       n.active
FROM jsonb_populate_record(NULL::accounts, $2::jsonb) n
ON CONFLICT DO NOTHING
RETURNING id

-- name: update_account
-- $3: the columns that change, as JSON; type and name stay as they were made.
UPDATE accounts a
SET (passwd, passwd_pin, first_name, last_name, phone, email, address, active)
    = (SELECT n.passwd, n.passwd_pin, n.first_name, n.last_name, n.phone, n.email, n.address, n.active
       FROM jsonb_populate_record(a, $3::jsonb) n)
WHERE a.organisation_id = $1 AND a.id = $2

-- name: delete_account
DELETE FROM accounts WHERE organisation_id = $1 AND id = $2

-- name: own_account
-- To the user $3 of the same organisation, or nobody's. Its programs were chosen by its former owner: they go.
WITH before AS (
    SELECT a.id, a.user_id FROM accounts a
    WHERE a.organisation_id = $1 AND a.id = $2
      AND ($3::bigint IS NULL OR EXISTS (SELECT FROM users u WHERE u.organisation_id = $1 AND u.id = $3))
    FOR UPDATE OF a
), dropped AS (
    DELETE FROM account_programs s USING before b WHERE s.account_id = b.id AND b.user_id IS DISTINCT FROM $3
)
UPDATE accounts a SET user_id = $3 FROM before b WHERE a.id = b.id
RETURNING a.id

-- name: subscribe
INSERT INTO account_programs (account_id, program_id)
SELECT a.id, p.id FROM accounts a JOIN programs p ON p.organisation_id = a.organisation_id
WHERE a.organisation_id = $1 AND a.id = $2 AND p.id = $3
ON CONFLICT DO NOTHING

-- name: unsubscribe
-- From these programs, or (null) from all.
DELETE FROM account_programs s USING accounts a
WHERE a.organisation_id = $1 AND a.id = $2 AND s.account_id = a.id
  AND ($3::bigint[] IS NULL OR s.program_id = ANY($3))

-- name: set_setting
UPDATE accounts SET settings = settings || jsonb_build_object($3::text, $4::jsonb)
WHERE organisation_id = $1 AND id = $2 AND (settings ? $3 OR (SELECT count(*) FROM jsonb_object_keys(settings)) < 100)
RETURNING id

-- name: drop_setting
UPDATE accounts SET settings = settings - $3::text
WHERE organisation_id = $1 AND id = $2 AND settings ? $3
RETURNING id
