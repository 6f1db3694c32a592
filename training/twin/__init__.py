"""The vision models and Qwen3 once more, in PyTorch, for training without a GPU.

MLX's Linux wheel for CPUs takes exponentials one by one and multiplies matrices with the reference
BLAS: a step takes several times as long there. The weights have the same names and shapes, and a
test holds the losses of one batch equal. It needs `pip install torch`.
"""
