"""Only for measuring: optimizers, batches and loops that do not train what should be trained."""

from __future__ import annotations

from dataclasses import replace

from cases import Pair, case
from data import abalone, california, digit_images, digit_rows, digits, mnist, scaled
from loops import eval_before_training, right, without_eval, without_zero_grad
from programs import Detached, cnn, mlp, rnn, training

from retrograd import nn, optim


@case("abalone/mlp/sgd-rate-too-high")
def sgd_too_high() -> Pair:
    data = scaled(abalone())
    healthy = training(data, mlp(data, [24, 24]), optimizer=optim.SGD, lr=0.03, epochs=20)
    return healthy, replace(healthy, options={"lr": 3.0})


@case("mnist/cnn/sgd-rate-too-high")
def cnn_too_high() -> Pair:
    data = mnist()
    healthy = training(
        data, cnn(data, [8, 16]), optimizer=optim.SGD, lr=0.03, momentum=0.9, epochs=8
    )
    return healthy, replace(healthy, options={"lr": 1.0, "momentum": 0.9})


@case("digits/mlp/sgd-rate-too-low")
def sgd_too_low() -> Pair:
    data = digits()
    healthy = training(data, mlp(data, [64]), optimizer=optim.SGD, lr=0.05, momentum=0.9, epochs=14)
    return healthy, replace(healthy, options={"lr": 2e-5, "momentum": 0.9})


@case("mnist/cnn/adam-rate-too-low")
def cnn_too_low() -> Pair:
    data = mnist()
    healthy = training(data, cnn(data, [12, 12], nn.GELU), epochs=10, lr=6e-3)
    return healthy, replace(healthy, options={"lr": 1e-6})


@case("digits/mlp/optimizer-has-the-last-layer")
def only_the_last() -> Pair:
    data = digits()
    healthy = training(data, mlp(data, [64, 32, 16]), lr=4e-3)
    return healthy, replace(
        healthy, optimizer=lambda parameters, lr: optim.Adam(list(parameters)[-2:], lr)
    )


@case("digits/cnn/convolutions-detached")
def detached() -> Pair:
    data = digit_images()
    healthy = training(data, cnn(data, [4, 8]), lr=5e-3, epochs=15)
    return healthy, replace(healthy, model=lambda: Detached(healthy.model(), after=6))


@case("digits/mlp/no-zero-grad")
def never_cleared() -> Pair:
    data = digits()
    healthy = training(
        data, mlp(data, [48]), optimizer=optim.SGD, lr=0.1, momentum=0.9, fit=right, epochs=15
    )
    return healthy, replace(healthy, fit=without_zero_grad)


@case("digits/cnn/eval-before-training")
def always_eval() -> Pair:
    data = digit_images()
    model = cnn(data, [8, 16], norm=nn.BatchNorm2d, drop=0.2)
    healthy = training(data, model, fit=right, epochs=12, lr=2e-3)
    return healthy, replace(healthy, fit=eval_before_training)


@case("digits/mlp/no-eval")
def no_eval() -> Pair:
    data = digits()
    healthy = training(data, mlp(data, [96], drop=0.3), fit=right, epochs=15)
    return healthy, replace(healthy, fit=without_eval)


@case("digits/mlp/momentum-too-low")
def stale() -> Pair:
    data = digits()

    def norm(momentum: float) -> nn.Module:
        return lambda size: nn.BatchNorm1d(size, momentum=momentum)

    healthy = training(data, mlp(data, [48, 48], norm=norm(0.1)), lr=2e-3, epochs=15)
    return healthy, replace(healthy, model=mlp(data, [48, 48], norm=norm(1e-4)))


@case("mnist/cnn/dropout-95")
def dropout() -> Pair:
    data = mnist()
    healthy = training(data, cnn(data, [8, 16], drop=0.25), epochs=14, lr=5e-3)
    return healthy, replace(healthy, model=cnn(data, [8, 16], drop=0.97))


@case("california/mlp/decay-too-strong")
def decay() -> Pair:
    data = scaled(california())
    healthy = training(
        data, mlp(data, [64, 32]), optimizer=optim.AdamW, weight_decay=0.01, epochs=18
    )
    return healthy, replace(healthy, options={"lr": 3e-3, "weight_decay": 100.0})


@case("abalone/mlp/batch-of-one")
def tiny_batches() -> Pair:
    data = scaled(abalone())
    healthy = training(
        data, mlp(data, [32]), optimizer=optim.SGD, lr=0.05, batch_size=32, epochs=20
    )
    return healthy, replace(healthy, batch_size=1, epochs=3)


@case("digits/mlp/one-batch-an-epoch")
def huge_batches() -> Pair:
    data = digits()
    healthy = training(data, mlp(data, [80]), batch_size=20, epochs=15, lr=2e-3)
    return healthy, replace(healthy, batch_size=1080)


@case("digits/mlp/clip-norm-too-low")
def clipped() -> Pair:
    data = digits()
    healthy = training(
        data, mlp(data, [32, 32]), optimizer=optim.SGD, lr=0.2, clip_norm=10.0, epochs=20
    )
    return healthy, replace(healthy, clip_norm=1e-3)


@case("digit-rows/gru/one-epoch")
def one_epoch() -> Pair:
    data = digit_rows()
    healthy = training(data, rnn(data, 24, nn.GRU), epochs=20, lr=4e-3)
    return healthy, replace(healthy, epochs=1)
