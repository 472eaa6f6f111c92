"""Loops of their own that went wrong: bugs reported and mended in public repositories."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from building import closeness, cloud, hits, net
from collection import faulty
from data import CartPole, cart_pole_steps, mnist_images, split, trained
from training import Training, batches

import retrograd as rg
from retrograd import nn, optim


@faulty(
    "five-video-new-layers-frozen",
    source="https://github.com/harvitronix/five-video-classification-methods/pull/26",
    shape="fine-tuning",
    faults=("the freezing takes in the new top layers, and only a lower block is trained",),
    right=("RG214", "RG213"),
)
def five_video_new_layers_frozen() -> tuple[Training, Training]:
    """A trained network gets a new top for other digits; the wrong part of it is frozen."""
    (x, y), (test_x, test_y) = mnist_images(2500, 14)
    old, new = (x[y < 5], y[y < 5]), (x[y >= 5], y[y >= 5] - 5)
    test = test_x[test_y >= 5], test_y[test_y >= 5] - 5

    def start(frozen):
        body = nn.Sequential(
            *(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(8, 16, 3), nn.ReLU(), nn.Flatten(), nn.Linear(256, 64), nn.ReLU()),
        )
        trained(nn.Sequential(body, nn.Linear(64, 5)), old, nn.cross_entropy, 4)
        model = nn.Sequential(body, nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 5))
        for part in frozen:
            (model[0][part] if part < 7 else model[part - 6]).requires_grad_(False)
        return model

    fixed = Training(
        model=lambda: start((0, 3)),
        train=(new[0][:400], new[1][:400]),
        loss=nn.cross_entropy,
        optimizer=lambda p: optim.SGD(
            [each for each in p if each.requires_grad], 0.02, momentum=0.9
        ),
        score=hits(test),
        well=0.85,
        epochs=15,
        batch_size=16,
    )
    return replace(fixed, model=lambda: start((3, 6, 7, 9))), fixed


@faulty(
    "pytorch-715-hidden-layers-in-a-list",
    source="https://github.com/pytorch/pytorch/issues/715",
    shape="classes",
    faults=("the hidden layers stand in a plain list, so that the optimizer never hears of them",),
    right=("RG213",),
)
def pytorch_715_hidden_layers_in_a_list() -> tuple[Training, Training]:
    """A deep tanh network for pairs; only the classifier's parameters get to the optimizer."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1500, 12)).astype(np.float32)
    y = (2 * (x[:, 0] * x[:, 6] > 0) + (x[:, 1] * x[:, 7] > 0)) * (x[:, 2] > -1)
    train, test = split(x, y.astype(np.int64))

    def start():
        return nn.Sequential(
            *(nn.Linear(12, 48), nn.Tanh(), nn.Linear(48, 48), nn.Tanh()),
            *(nn.Linear(48, 48), nn.Tanh(), nn.Linear(48, 4)),
        )

    fixed = Training(
        model=start,
        train=train,
        loss=nn.cross_entropy,
        optimizer=lambda parameters: optim.Adam(parameters, 0.003),
        score=hits(test),
        well=0.8,
        epochs=30,
        batch_size=32,
        valid=test,
    )
    wrong = replace(fixed, optimizer=lambda parameters: optim.Adam([*parameters][-2:], 0.003))
    return wrong, fixed


@faulty(
    "pytorch-wgan-generator-wrong-way",
    source="https://github.com/Zeleni9/pytorch-wgan/pull/53",
    shape="GAN",
    faults=("the generator descends the critic's value of its images instead of climbing",),
    right=("RG407",),
)
def pytorch_wgan_generator_wrong_way() -> tuple[Training, Training]:
    """A Wasserstein GAN with clipped weights on points, RMSprop for critic and generator."""
    real = cloud(512)
    noise = np.random.default_rng(1).normal(size=(1024, 4)).astype(np.float32)

    def wgan(sign):
        rg.manual_seed(0)
        critic = net(2, 48, 48, 1)
        first = [parameter.data.copy() for parameter in critic.parameters()]

        def cost(fake, _):
            return sign * critic(fake).mean()

        def fit(model, optimizer, rng):
            for parameter, values in zip(critic.parameters(), first, strict=True):
                parameter.data = values.copy()
            judge = optim.RMSprop(critic.parameters(), 0.002)

            @rg.compile
            def criticize(points, z):
                judge.zero_grad()
                fake = model(z).detach()
                (critic(fake).mean() - critic(points).mean()).backward()
                judge.step()

            @rg.compile
            def generate(z):
                optimizer.zero_grad()
                cost(model(z), None).backward()
                optimizer.step()

            for _ in range(500):
                for _ in range(4):
                    z = rng.normal(size=(64, 4)).astype(np.float32)
                    criticize(real[rng.integers(0, 512, 64)], z)
                    for parameter in critic.parameters():
                        parameter.data = np.clip(np.asarray(parameter.data), -0.1, 0.1)
                generate(rng.normal(size=(64, 4)).astype(np.float32))

        return Training(
            model=lambda: net(4, 48, 48, 2),
            train=(noise[:512], real),
            loss=cost,
            optimizer=lambda parameters: optim.RMSprop(parameters, 0.002),
            score=lambda predict: closeness(predict(noise[512:]), real),
            well=0.7,
            batch_size=64,
            fit=fit,
        )

    return wgan(1), wgan(-1)


@faulty(
    "deep-q-networks-no-done-mask",
    source="https://github.com/cyoon1729/deep-Q-networks/issues/3",
    shape="reinforcement",
    faults=("the value of the next state counts even where the episode ended",),
    right=(),
)
def deep_q_networks_no_done_mask() -> tuple[Training, Training]:
    """Q-learning for the cart and pole from a buffer of random steps, with a network held still."""
    rng = np.random.default_rng(0)
    world, steps = CartPole(rng), []
    while len(steps) < 6000:
        state, fell = world.reset(), False
        while not fell:
            action = int(rng.integers(0, 2))
            later, reward, fell = world.step(action)
            steps.append((*state, action, reward, *later, fell))
            state = later
    steps = np.array(steps, np.float32)
    state, action, reward, later, fell = np.split(steps, [4, 5, 6, 10], 1)

    def loss(output, target):
        chosen = (output * nn.functional.one_hot(target[:, 0].astype(np.int64), 2)).sum(1)
        return nn.mse_loss(chosen, target[:, 1])

    def learner(masked):
        def fit(model, optimizer, rng):
            @rg.compile
            def values(states):
                with rg.no_grad():
                    return model(states)

            @rg.compile
            def step(states, target):
                optimizer.zero_grad()
                loss(model(states), target).backward()
                optimizer.step()

            for _ in range(40):
                best = values(later).numpy().max(1, keepdims=True)
                target = reward + 0.99 * best * (1 - fell if masked else 1)
                rows = (state, np.concatenate([action, target], 1).astype(np.float32))
                for inputs, part in batches(rows, 64, rng):
                    step(*inputs, part)

        return fit

    fixed = Training(
        model=lambda: net(4, 64, 64, 2),
        train=(state, np.concatenate([action, reward], 1)),
        loss=loss,
        optimizer=lambda parameters: optim.Adam(parameters, 0.001),
        score=lambda predict: cart_pole_steps(lambda states: predict(states).argmax(1)),
        well=120,
        batch_size=64,
        fit=learner(True),
    )
    return replace(fixed, fit=learner(False)), fixed


@faulty(
    "truxify-actor-descends-value",
    source="https://github.com/KanishJebaMathewM/Truxify/pull/11885",
    shape="reinforcement",
    faults=("the actor's loss lacks its minus, so that it seeks the lowest value",),
    right=("RG407",),
)
def truxify_actor_descends_value() -> tuple[Training, Training]:
    """An actor with a tanh output that follows a critic trained before on random actions."""
    rng = np.random.default_rng(0)
    state = rng.normal(size=(1500, 3)).astype(np.float32)

    def best(state):
        return np.tanh(state[:, :1] - 0.5 * state[:, 1:2])

    tried = rng.uniform(-1, 1, (1500, 1)).astype(np.float32)
    value = (1 - np.square(tried - best(state))).astype(np.float32)
    rg.manual_seed(0)
    critic = trained(net(4, 64, 64, 1), (np.hstack([state, tried]), value), nn.mse_loss, 15)

    def actor(sign):
        return Training(
            model=lambda: nn.Sequential(net(3, 48, 48, 1), nn.Tanh()),
            train=(state, state),
            loss=lambda act, state: sign * critic(rg.concatenate([state, act], 1)).mean(),
            optimizer=lambda parameters: optim.Adam(parameters, 0.001),
            score=lambda predict: 1 - np.square(predict(state) - best(state)).mean(),
            well=0.85,
            epochs=10,
            batch_size=64,
        )

    return actor(1), actor(-1)
