-- Who may do what in the database: pgask_owner owns the schema, pgask_app reads and writes rows.
-- psql runs it as the superuser, by the database image on an empty volume; running it again sets the passwords
-- in /passwords anew and changes nothing else.
\set QUIET on
\set owner_password `cat /passwords/pgask_owner`
\set app_password `cat /passwords/pgask_app`

SELECT 'CREATE ROLE ' || name FROM unnest('{pgask_owner,pgask_app}'::text[]) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec

ALTER ROLE pgask_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'owner_password';
ALTER ROLE pgask_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'app_password';
-- the superuser got a random one that nobody knows; without any it can't log in over the network at all
ALTER ROLE postgres PASSWORD NULL;

ALTER DATABASE pgask OWNER TO pgask_owner;
REVOKE ALL ON DATABASE postgres, template1, pgask FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE pgask TO pgask_app;
CREATE EXTENSION IF NOT EXISTS vector;
