"""From a bank and a policy to certificates and regret: what `econ equilibrium` and `econ regret` write.

:mod:`~econ.certify.recorded` reads banks as a game, :mod:`~econ.certify.policies` policies as profiles on its
grid, :mod:`~econ.certify.document` puts the numbers of :mod:`econ.equilibrium.empirical` into one document.
"""
