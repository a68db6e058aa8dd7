-- What a window's cosine is worth, in [0, 1]: less the less the model can read of either text (`c.readability`).
c.readability * greatest(o.cosine, 0)
