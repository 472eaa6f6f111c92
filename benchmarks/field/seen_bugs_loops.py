"""Loops of their own that went wrong: bugs reported and mended in public repositories."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from building import closeness, cloud, hits, net
from collection import faulty
from data import digits
from training import Training, batches

import retrograd as rg
from retrograd import nn, optim


def loop(loss, train, epochs, size, *, clears=True, trains=True):
    """A loop that may forget to clear the gradients, or to switch back to training mode."""

    def fit(model, optimizer, rng):
        @rg.compile
        def step(inputs, target):
            if clears:
                optimizer.zero_grad()
            loss(model(*inputs), target).backward()
            optimizer.step()

        model.train(trains)
        for _ in range(epochs):
            for inputs, target in batches(train, size, rng):
                step(inputs, target)

    return fit


@faulty(
    "texar-classifier-stays-in-eval",
    source="https://github.com/asyml/texar-pytorch/issues/310",
    shape="classes",
    faults=("after the evaluation before the first epoch the model stays in evaluation mode",),
    right=("RG218",),
)
def texar_classifier_stays_in_eval() -> tuple[Training, Training]:
    """A deep classifier with batch normalization and dropout that is never put back to training."""
    train, test = digits()

    def start():
        layers = [nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU()]
        for _ in range(8):
            layers += [nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU()]
        return nn.Sequential(*layers, nn.Dropout(0.1), nn.Linear(64, 10))

    def sgd(parameters):
        return optim.SGD(parameters, 0.05)

    fixed = Training(
        model=start,
        train=train,
        loss=nn.cross_entropy,
        optimizer=sgd,
        score=hits(test),
        well=0.9,
        fit=loop(nn.cross_entropy, train, 10, 32),
        valid=test,
    )
    wrong = replace(fixed, fit=loop(nn.cross_entropy, train, 10, 32, trains=False))
    return wrong, fixed


@faulty(
    "code-soup-discriminator-gradients-kept",
    source="https://github.com/Adversarial-Deep-Learning/code-soup/pull/73",
    shape="GAN",
    faults=(
        "the discriminator's gradients are never cleared, those of the generator's steps included",
    ),
    right=("RG212",),
)
def code_soup_discriminator_gradients_kept() -> tuple[Training, Training]:
    """A plain GAN on points with Adam, whose discriminator piles gradients up."""
    real = cloud(512)
    noise = np.random.default_rng(1).normal(size=(1024, 4)).astype(np.float32)

    def gan(clears):
        rg.manual_seed(0)
        critic = net(2, 48, 48, 1)
        first = [parameter.data.copy() for parameter in critic.parameters()]

        def cost(fake, _):
            return rg.softplus(-critic(fake)).mean()

        def fit(model, optimizer, rng):
            for parameter, values in zip(critic.parameters(), first, strict=True):
                parameter.data = values.copy()
                parameter.grad = None
            judge = optim.Adam(critic.parameters(), 0.002, betas=(0.5, 0.999))

            @rg.compile
            def step(points, z):
                if clears:
                    judge.zero_grad()
                fake = model(z)
                guilt = (
                    rg.softplus(-critic(points)).mean() + rg.softplus(critic(fake.detach())).mean()
                )
                guilt.backward()
                judge.step()
                optimizer.zero_grad()
                cost(fake, None).backward()
                optimizer.step()

            for _ in range(1500):
                z = rng.normal(size=(64, 4)).astype(np.float32)
                step(real[rng.integers(0, 512, 64)], z)

        return Training(
            model=lambda: net(4, 48, 48, 2),
            train=(noise[:512], real),
            loss=cost,
            optimizer=lambda parameters: optim.Adam(parameters, 0.001, betas=(0.5, 0.999)),
            score=lambda predict: closeness(predict(noise[512:]), real),
            well=0.7,
            batch_size=64,
            fit=fit,
        )

    return gan(False), gan(True)
