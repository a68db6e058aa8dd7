"""What hundreds of shelves cost: the planner expects their rows, and a term's postings of all are read at once.

Revision: 0034. What 0017 wrote, `(collection_id = ANY (ARRAY(…))) IS TRUE`, is taken for ten collections' rows, whoever
asks: where an admin reads hundreds, for next to none, and plans are made for that. The new condition lets the same rows
through. Each policy is changed in a transaction of its own, without a look at the table's rows.
Postings lie by term first: of so many collections they were so many looks into the index for each term, and are one.
Post, though code of before would go on with it: it comes after such, and no code needs it.
"""

from __future__ import annotations

import re

from alembic import op
from sqlalchemy import text

from migrations.online import build_index, commit, drop_index

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None
KIND = "post"

OLD = "(collection_id = ANY (ARRAY(SELECT id FROM pgask.collections))) IS TRUE"
NEW = "CASE WHEN collection_id = ANY (ARRAY(SELECT id FROM pgask.collections)) THEN true END IS NOT NULL"

_INCLUDED = "term_frequency, chunk_terms"

# As PostgreSQL shows them
_SEEN = r"\(collection_id = ANY \(ARRAY\( SELECT collections\.id\s+FROM (?:pgask\.)?collections\)\)\)"
_SHOWN_OLD = re.compile(rf"\({_SEEN} IS TRUE\)")
_SHOWN_NEW = re.compile(rf"\(\s*CASE\s+WHEN {_SEEN} THEN true\s+ELSE NULL::boolean\s+END IS NOT NULL\)")
_POLICIES = text(
    "SELECT p.polname, p.polrelid::regclass::text, pg_get_expr(p.polqual, p.polrelid) FROM pg_policy p"
    " WHERE p.polname <> 'owner' ORDER BY 2, 1"
)
_PROTECT = """
CREATE OR REPLACE FUNCTION pgask.protect(target regclass) RETURNS void LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    of_collection CONSTANT text := '{condition}';
    condition text;
    is_filled boolean;
BEGIN
    SELECT attnotnull INTO is_filled FROM pg_catalog.pg_attribute
     WHERE attrelid = target AND attname = 'collection_id' AND NOT attisdropped;
    IF EXISTS (SELECT FROM pg_catalog.pg_attribute
                WHERE attrelid = target AND attname = 'tenant_id' AND NOT attisdropped) THEN
        condition := 'tenant_id = pgask.current_tenant()';
    ELSIF is_filled THEN
        condition := of_collection;
    ELSIF is_filled IS NOT NULL THEN
        condition := 'CASE WHEN collection_id IS NULL'
            || ' THEN EXISTS (SELECT FROM pgask.documents d WHERE d.id = document_id) ELSE '
            || of_collection || ' END';
    ELSE
        RAISE EXCEPTION '% has neither tenant_id nor collection_id', target;
    END IF;
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', target);
    EXECUTE format('CREATE POLICY tenant ON %s USING (%s)', target, condition);
    EXECUTE format('CREATE POLICY owner ON %s TO %I USING (true)', target, current_user);
END $$
"""


def upgrade() -> None:
    _rewrite(_SHOWN_OLD, NEW)
    build_index("ix_postings_term_collection", "pgask.postings", "term, collection_id, chunk_id", _INCLUDED)
    drop_index("pgask.ix_postings_term")


def downgrade() -> None:
    build_index("ix_postings_term", "pgask.postings", "collection_id, term, chunk_id", _INCLUDED)
    drop_index("pgask.ix_postings_term_collection")
    _rewrite(_SHOWN_NEW, OLD)


def _rewrite(shown: re.Pattern[str], condition: str) -> None:
    op.execute(_PROTECT.replace("{condition}", condition))
    for policy, table, current in op.get_bind().execute(_POLICIES).all():
        changed, count = shown.subn(f"({condition})", current)
        if count:
            op.execute(f"ALTER POLICY {policy} ON {table} USING ({changed})")
            commit()
