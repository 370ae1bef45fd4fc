"""RLlib's IMPALA on environments whose step takes so many microseconds of a processor: for `bench/machines.ts`. Sixteen
environments, fragments of 20 steps, a batch of all; in one process, and in two of Ray's with eight environments each."""

import sys
import time

import gymnasium
import measuring
import numpy
import ray
from ray.rllib.algorithms.impala import IMPALAConfig
from ray.rllib.core.rl_module.default_model_config import DefaultModelConfig
from ray.tune.registry import register_env

ENVIRONMENTS, STEPS = 16, 20
MICROS = [int(argument) for argument in sys.argv[1:] if argument.isdigit()] or [100, 10]


class Busy(gymnasium.Env):
    observation_space = gymnasium.spaces.Box(-1, 1, (4,), numpy.float32)
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self, config):
        self.seconds = config["micros"] / 1e6
        self.observation = numpy.zeros(4, numpy.float32)
        self.steps = 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.steps = 0
        return self.observation, {}

    def step(self, action):
        end = time.perf_counter() + self.seconds
        while time.perf_counter() < end:
            pass
        self.steps += 1
        return self.observation, float(action), False, self.steps >= 200, {}


def measure(micros, runners):
    algorithm = (
        IMPALAConfig()
        .environment("Busy", env_config={"micros": micros})
        .env_runners(
            num_env_runners=runners,
            num_envs_per_env_runner=ENVIRONMENTS // max(1, runners),
            rollout_fragment_length=STEPS,
        )
        .training(train_batch_size_per_learner=ENVIRONMENTS * STEPS)
        .learners(num_learners=0)
        .rl_module(model_config=DefaultModelConfig(fcnet_hiddens=[256], fcnet_activation="relu"))
        .reporting(min_time_s_per_iteration=2 * measuring.SECONDS)
        .build_algo()
    )
    values, before = [], None
    while len(values) <= measuring.TIMES:
        steps = algorithm.train().get("env_runners", {}).get("num_env_steps_sampled_lifetime")
        now = time.perf_counter()
        # The first results come when something was learned.
        if steps is None:
            continue
        if before is not None:
            values.append((steps - before[0]) / (now - before[1]))
        before = (steps, now)
    algorithm.stop()
    where = "one process" if runners == 0 else f"{runners} env runners"
    measuring.note(f"RLlib's IMPALA, a step of {micros} µs, {where}", "/s", values[1:])


ray.init(log_to_driver=False, include_dashboard=False)
register_env("Busy", Busy)
for micros in MICROS:
    for runners in (0, 2):
        measure(micros, runners)
ray.shutdown()
measuring.finish()
