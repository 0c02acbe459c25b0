"""Forward and backward pass of an MLP in closed form, on fixed memory, for a fixed number of rows.

Works on the memory of the torch parameters and of their flat gradient. Small products go through NumPy,
whose calls cost half of torch's; large ones through torch, which keeps to the threads it was given.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from plaudit.engine.nets.mlp import MLP

Floats = NDArray[np.float32]

_SMALL = 2**17
"""Multiplications below which NumPy's product is quicker, and runs on one thread whatever is set."""


class Product:
    """`out = a @ b` on fixed memory."""

    def __init__(self, a: Tensor, b: Tensor, out: Tensor) -> None:
        self.small = a.shape[0] * a.shape[1] * b.shape[1] < _SMALL
        self.tensors, self.arrays, self.out = (a, b), (a.numpy(), b.numpy()), out
        self.out_array = out.numpy()

    def __call__(self) -> None:
        if self.small:
            np.matmul(*self.arrays, out=self.out_array)
        else:
            torch.mm(*self.tensors, out=self.out)


class Passes:
    """The passes of one MLP over `rows` rows: fill `x`, call `forward`, fill `d_out`, call `backward`.

    Attributes:
        x: `(rows, width)` encoded observations.
        out: `(rows, outputs)` what `forward` gave.
        d_out: `(rows, outputs)` gradient of the loss by the outputs.
    """

    def __init__(self, net: MLP, rows: int) -> None:
        self.tanh = net.config.activation == "tanh"
        layers: list[Any] = list(net.layers)
        self.weights: list[Tensor] = [layer.weight.detach() for layer in layers]
        self.biases: list[Floats] = [layer.bias.detach().numpy() for layer in layers]
        widths = [net.encode.width, *(len(bias) for bias in self.biases)]
        self._values = [torch.zeros(rows, width) for width in widths]
        self.values: list[Floats] = [value.numpy() for value in self._values]
        self.x, self.out = self.values[0], self.values[-1]
        self._products = [
            Product(self._values[i], weight.t(), self._values[i + 1]) for i, weight in enumerate(self.weights)
        ]

    def forward(self) -> Floats:
        """Return `out` for what stands in `x`; the next call overwrites it."""
        last = len(self.weights) - 1
        for i, product in enumerate(self._products):
            product()
            value = self.values[i + 1]
            value += self.biases[i]
            if i < last:
                if self.tanh:
                    np.tanh(value, out=value)
                else:
                    np.maximum(value, np.float32(0.0), out=value)
        return self.out

    def prepare_backward(self, net: MLP) -> None:
        """Allocate the backward pass, which writes into the `.grad` of the parameters."""
        layers: list[Any] = list(net.layers)
        self.d_biases: list[Floats] = [layer.bias.grad.numpy() for layer in layers]
        self._d_values = [torch.zeros_like(value) for value in self._values]
        self.d_values: list[Floats] = [d.numpy() for d in self._d_values]
        self.d_out = self.d_values[-1]
        self._ones: Floats = np.ones(len(self.out), np.float32)
        self._d_weights = [
            Product(self._d_values[i + 1].t(), self._values[i], layer.weight.grad)
            for i, layer in enumerate(layers)
        ]
        self._d_inputs = [
            Product(self._d_values[i + 1], weight, self._d_values[i]) for i, weight in enumerate(self.weights)
        ]

    def backward(self) -> None:
        """Write the gradient of every weight and bias, from `d_out`."""
        for i in reversed(range(len(self.weights))):
            self._d_weights[i]()
            np.matmul(self._ones, self.d_values[i + 1], out=self.d_biases[i])
            if i == 0:
                return
            self._d_inputs[i]()
            value, d_value = self.values[i], self.d_values[i]
            if self.tanh:
                slope = np.square(value)
                np.subtract(np.float32(1.0), slope, out=slope)
                d_value *= slope
            else:
                d_value *= value > 0
