"""Texts move into parts of 2,000 code points, so that a hit in a long document reads a few pages and not all of it.

Revision: 0007. One pass over the texts. Writers wait from the start (SHARE), readers while the table is written anew
at the end, which gives the room of the old texts back. Nothing is embedded again.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# By bytes, since a place in a text is found by counting from its beginning: by characters, a text would be read once
# for each of its parts. A character has at most 4 bytes; one that the slice cuts is left to the next.
CUT = """
CREATE FUNCTION pgask.cut_text(whole text) RETURNS SETOF text LANGUAGE plpgsql IMMUTABLE SET search_path = '' AS $$
DECLARE
    bytes CONSTANT bytea := convert_to(whole, 'UTF8');
    size CONSTANT int := octet_length(bytes);
    at int := 0;
    ends int;
    piece text;
BEGIN
    WHILE at < size LOOP
        ends := least(at + 8000, size);
        WHILE ends < size AND (get_byte(bytes, ends) & 192) = 128 LOOP
            ends := ends - 1;
        END LOOP;
        piece := left(convert_from(substring(bytes FROM at + 1 FOR ends - at), 'UTF8'), 2000);
        RETURN NEXT piece;
        at := at + octet_length(convert_to(piece, 'UTF8'));
    END LOOP;
END $$
"""

FILL = """
INSERT INTO pgask.document_texts (document_id, part, text)
SELECT d.id, p.number - 1, p.text
  FROM pgask.documents d CROSS JOIN LATERAL pgask.cut_text(d.text) WITH ORDINALITY p (text, number)
"""


def upgrade() -> None:
    op.execute("LOCK TABLE pgask.documents IN SHARE MODE")
    op.create_table(
        "document_texts",
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        schema="pgask",
    )
    # packed, and in its row: a part has at most 8,000 bytes
    op.execute("ALTER TABLE pgask.document_texts ALTER COLUMN text SET STORAGE MAIN")
    op.execute(CUT)
    op.execute(FILL)
    op.execute("DROP FUNCTION pgask.cut_text(text)")
    op.create_primary_key(
        op.f("pk_document_texts"), "document_texts", ["document_id", "part"], schema="pgask"
    )
    op.create_foreign_key(
        op.f("fk_document_texts_document_id"),
        "document_texts",
        "documents",
        ["document_id"],
        ["id"],
        source_schema="pgask",
        referent_schema="pgask",
        ondelete="CASCADE",
    )
    op.drop_column("documents", "text", schema="pgask")
    # a dropped column keeps its room until the table is written anew
    op.execute("CLUSTER pgask.documents USING pk_documents")
    op.execute("ALTER TABLE pgask.documents SET WITHOUT CLUSTER")


def downgrade() -> None:
    op.execute("LOCK TABLE pgask.documents IN SHARE MODE")
    op.add_column(
        "documents", sa.Column("text", sa.Text(), server_default="", nullable=False), schema="pgask"
    )
    op.execute(
        "UPDATE pgask.documents d SET text = t.text FROM (SELECT document_id, string_agg(text, '' ORDER BY part)"
        " AS text FROM pgask.document_texts GROUP BY document_id) t WHERE t.document_id = d.id"
    )
    op.drop_table("document_texts", schema="pgask")
