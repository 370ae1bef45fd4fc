"""Gymnasium: how fast its environments step, and CartPole-v1 many at once, with random actions."""

import gymnasium
import measuring
import numpy

random = numpy.random.default_rng(0)


def alone(environment):
    environment.reset(seed=1)
    environment.action_space.seed(1)
    actions = [environment.action_space.sample() for _ in range(1000)]

    def call():
        for action in actions:
            _, _, terminated, truncated, _ = environment.step(action)
            if terminated or truncated:
                environment.reset()

    return call


for name in ("CartPole-v1", "Acrobot-v1", "MountainCar-v0", "MountainCarContinuous-v0", "Pendulum-v1", "FrozenLake-v1",
             "CliffWalking-v1", "Taxi-v4", "Blackjack-v1"):
    measuring.rate(f"Gymnasium: one {name}", 1000, alone(gymnasium.make(name)))
for count in (10, 1000):
    environments = gymnasium.make_vec("CartPole-v1", num_envs=count, vectorization_mode="vector_entry_point")
    environments.reset(seed=1)
    actions = random.integers(0, 2, count)
    measuring.rate(f"Gymnasium: {count} in its NumPy vector", count, lambda: environments.step(actions))
measuring.finish()
