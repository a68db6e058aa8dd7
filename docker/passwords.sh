#!/bin/sh
# Makes the passwords of the two database roles, once: 24 random bytes each, kept in volumes, never in a variable.
# For the database: /passwords/db/ROLE. For the service that logs in as the role: a libpq password file of its own.
# What is there is left alone; `passwords.sh new` draws new ones (docs/compose.md says what has to follow).
set -eu

for role in pgask_owner pgask_app; do
  password=/passwords/db/$role
  if [ ! -s "$password" ] || [ "${1:-}" = new ]; then
    # read by the database's own user, so open to all who have this volume, which is the database alone
    (umask 022 && head -c 24 /dev/urandom | base64 | tr '+/' '-_' >"$password.new")
    mv -f "$password.new" "$password"
  fi
  pgpass=/passwords/${role#pgask_}/pgpass
  (umask 077 && printf 'db:5432:*:%s:%s\n' "$role" "$(cat "$password")" >"$pgpass.new") # libpq wants 0600
  mv -f "$pgpass.new" "$pgpass"
done
