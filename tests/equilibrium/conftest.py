import torch

torch.set_num_threads(1)  # as in every econ command
