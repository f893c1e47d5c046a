"""The bank: real answers of executors on a grid of actions, several samples each, recorded once.

An executor's answer depends on (problem, strategy, action, model) alone, so recorded answers are a faithful
environment: training, ablations and deviations cost no executor call.

:mod:`~econ.bank.schema` says what a bank holds, :mod:`~econ.bank.store` keeps it in files,
:mod:`~econ.bank.build` fills it.
"""
