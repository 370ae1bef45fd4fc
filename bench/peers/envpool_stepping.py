"""EnvPool: how fast CartPole-v1 steps in its C++ threads, with random actions."""

import envpool
import measuring
import numpy

random = numpy.random.default_rng(0)
for count in (10, 1000):
    environments = envpool.make("CartPole-v1", env_type="gymnasium", num_envs=count, num_threads=1, seed=1)
    environments.reset()
    actions = random.integers(0, 2, count).astype(numpy.int32)
    measuring.rate(f"EnvPool: {count}, one thread", count, lambda: environments.step(actions))
measuring.finish()
