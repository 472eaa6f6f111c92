"""For tuning: optimizers, batches and loops that do not train what should be trained."""

from __future__ import annotations

from dataclasses import replace

from cases import Pair, case
from data import (
    california,
    digit_images,
    digit_rows,
    digits,
    letters,
    mnist,
    mnist1d,
    scaled,
    temperatures,
)
from loops import eval_after_first_epoch, right, without_eval, without_zero_grad
from programs import Detached, cnn, mlp, rnn, signal_cnn, training

from retrograd import nn, optim


@case("letters/mlp/adam-rate-too-high")
def adam_too_high() -> Pair:
    data = scaled(letters())
    healthy = training(data, mlp(data, [96]), lr=5e-3)
    return healthy, replace(healthy, options={"lr": 1.0})


@case("digit-rows/gru/adam-rate-too-high")
def gru_too_high() -> Pair:
    data = digit_rows()
    healthy = training(data, rnn(data, 32, nn.GRU), lr=5e-3)
    return healthy, replace(healthy, options={"lr": 0.7})


@case("california/mlp/adam-rate-too-low")
def adam_too_low() -> Pair:
    data = scaled(california())
    healthy = training(data, mlp(data, [48, 48], nn.SiLU), lr=2e-3)
    return healthy, replace(healthy, options={"lr": 1e-6})


@case("digit-rows/gru/adam-rate-too-low")
def gru_too_low() -> Pair:
    data = digit_rows()
    healthy = training(data, rnn(data, 40, nn.GRU), batch_size=24)
    return healthy, replace(healthy, options={"lr": 3e-6})


@case("mnist1d/cnn/optimizer-has-the-last-layer")
def only_the_last() -> Pair:
    data = mnist1d()
    healthy = training(data, signal_cnn(data, norm=nn.BatchNorm1d, drop=0.3), epochs=10)
    return healthy, replace(
        healthy, optimizer=lambda parameters, lr: optim.Adam(list(parameters)[-2:], lr)
    )


@case("california/mlp/hidden-layers-detached")
def detached() -> Pair:
    data = scaled(california())
    healthy = training(data, mlp(data, [32, 32]), lr=4e-3)
    return healthy, replace(healthy, model=lambda: Detached(healthy.model(), after=3))


@case("temperatures/rnn/no-zero-grad")
def never_cleared() -> Pair:
    data = temperatures()
    healthy = training(data, rnn(data, 24), optimizer=optim.SGD, lr=0.1, epochs=10, fit=right)
    return healthy, replace(healthy, fit=without_zero_grad)


@case("letters/mlp/eval-after-first-epoch")
def left_in_eval() -> Pair:
    data = scaled(letters())
    healthy = training(
        data, mlp(data, [128], norm=nn.BatchNorm1d, drop=0.1), fit=right, batch_size=64
    )
    return healthy, replace(healthy, fit=eval_after_first_epoch)


@case("mnist/cnn/no-eval")
def no_eval() -> Pair:
    data = mnist()
    healthy = training(data, cnn(data, [8, 16], norm=nn.BatchNorm2d, drop=0.2), fit=right, epochs=8)
    return healthy, replace(healthy, fit=without_eval)


@case("mnist/cnn/momentum-too-low")
def stale() -> Pair:
    data = mnist()

    def norm(momentum: float) -> nn.Module:
        return lambda size: nn.BatchNorm2d(size, momentum=momentum)

    healthy = training(data, cnn(data, [8, 12], norm=norm(0.1)), epochs=8, lr=4e-3)
    return healthy, replace(healthy, model=cnn(data, [8, 12], norm=norm(1e-4)))


@case("digits/mlp/dropout-95")
def dropout() -> Pair:
    data = digits()
    healthy = training(data, mlp(data, [64, 64], drop=0.1))
    return healthy, replace(healthy, model=mlp(data, [64, 64], drop=0.95))


@case("digits/cnn/decay-too-strong")
def decay() -> Pair:
    data = digit_images()
    healthy = training(data, cnn(data, [8, 16], nn.GELU), weight_decay=1e-5)
    return healthy, replace(healthy, options={"lr": 3e-3, "weight_decay": 1.0})


@case("letters/mlp/batch-of-two")
def tiny_batches() -> Pair:
    data = scaled(letters())
    healthy = training(data, mlp(data, [64]), optimizer=optim.SGD, lr=0.3, batch_size=64, epochs=25)
    return healthy, replace(healthy, batch_size=2, epochs=3)


@case("california/mlp/one-batch-an-epoch")
def huge_batches() -> Pair:
    data = scaled(california())
    healthy = training(data, mlp(data, [64]), batch_size=24)
    return healthy, replace(healthy, batch_size=1200)


@case("california/mlp/clip-norm-too-low")
def clipped() -> Pair:
    data = scaled(california())
    healthy = training(
        data, mlp(data, [64, 64], nn.Tanh), optimizer=optim.SGD, lr=0.05, clip_norm=5.0
    )
    return healthy, replace(healthy, clip_norm=1e-3)


@case("letters/mlp/one-epoch")
def one_epoch() -> Pair:
    data = scaled(letters())
    healthy = training(data, mlp(data, [104], nn.GELU), epochs=22)
    return healthy, replace(healthy, epochs=1)
