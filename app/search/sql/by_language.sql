-- One of a question's figures, by the language of the document d's text.
CASE d.language WHEN 'en' THEN {en}::float8 WHEN 'zh' THEN {zh}::float8 ELSE {und}::float8 END
