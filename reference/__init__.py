"""Reference implementations in NumPy: a forward and a VJP per layer, read like the mathematics.

Nothing here knows the verifier. That independence is what makes a reference an oracle.
"""
