"""The empirical game: what a bank of real answers says of equilibrium, welfare and regret.

Everything here is a pure function of arrays (Wellman 2006, empirical game-theoretic analysis): the agents'
actions are cells of a grid, an answer is the class of equal answers it falls in, and a team's payoffs follow
from the classes alone. It knows nothing of LLMs, files or checkpoints.
"""
