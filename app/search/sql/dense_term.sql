-- What a window's cosine is worth, in [0, 1]: its standard score (app/search/standard.py), less the less the model can read
-- of either text (`c.readability`).
c.readability * least(greatest((o.cosine - c.mean) / c.deviation / {span}, 0), 1)
