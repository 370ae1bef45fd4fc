"""Gymnasium: how fast CartPole-v1 steps, alone and many at once, with random actions."""

import gymnasium
import measuring
import numpy

random = numpy.random.default_rng(0)


def alone(environment):
    environment.reset(seed=1)
    actions = [int(action) for action in random.integers(0, 2, 1000)]

    def call():
        for action in actions:
            _, _, terminated, truncated, _ = environment.step(action)
            if terminated or truncated:
                environment.reset()

    return call


measuring.rate("Gymnasium: one CartPole-v1", 1000, alone(gymnasium.make("CartPole-v1")))
for count in (10, 1000):
    environments = gymnasium.make_vec("CartPole-v1", num_envs=count, vectorization_mode="vector_entry_point")
    environments.reset(seed=1)
    actions = random.integers(0, 2, count)
    measuring.rate(f"Gymnasium: {count} in its NumPy vector", count, lambda: environments.step(actions))
measuring.finish()
