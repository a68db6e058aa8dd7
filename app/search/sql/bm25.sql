-- What the term `w` adds to the BM25 of the chunk that the posting `p` is of (app/search/bm25.py has the formula).
w.idf * (%(k1)s::float8 + 1) * p.term_frequency / (p.term_frequency + w.flat + w.steep * p.chunk_terms)
