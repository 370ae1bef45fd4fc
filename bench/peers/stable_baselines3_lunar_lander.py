"""Stable-Baselines3's PPO on LunarLander-v3 with the settings that come with Troupe: one rate, in steps a second, of so many steps.

    python stable_baselines3_lunar_lander.py <steps>
"""

import sys
import time

from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env


class Iterations(BaseCallback):
    """When each collecting began: the first, warm-up and all, is left out of the rate."""

    def __init__(self):
        super().__init__()
        self.begins = []

    def _on_rollout_start(self):
        self.begins.append((time.perf_counter(), self.num_timesteps))

    def _on_step(self):
        return True


steps = int(sys.argv[1])
watch = Iterations()
environments = make_vec_env("LunarLander-v3", n_envs=16, seed=1)
model = PPO(
    "MlpPolicy", environments, seed=1, device="cpu", n_steps=256, batch_size=256, gae_lambda=0.98, gamma=0.999,
    n_epochs=6, ent_coef=0.01, learning_rate=1e-3, vf_coef=0.25,
)
model.learn(steps + 16 * 256, callback=watch)
ended, (first, done) = time.perf_counter(), watch.begins[1]
print((model.num_timesteps - done) / (ended - first))
