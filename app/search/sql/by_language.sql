-- One of a question's figures, by the language of the chunk c of the document d.
CASE coalesce(c.language, d.language) WHEN 'en' THEN {en}::float8 WHEN 'zh' THEN {zh}::float8 ELSE {und}::float8 END
