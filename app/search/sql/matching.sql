-- The documents that a filter keeps, and those kept in the place of copies that it keeps: a text is found in every
-- folder that holds it. The condition is made by app/store/filters.py.
SELECT d.id, d.chunk_count FROM pgask.documents d
 WHERE d.collection_id = %(collection_id)s AND {condition}
UNION
SELECT kept.id, kept.chunk_count FROM pgask.documents d JOIN pgask.documents kept ON kept.id = d.duplicate_of
 WHERE d.collection_id = %(collection_id)s AND d.duplicate_of IS NOT NULL AND {condition}
