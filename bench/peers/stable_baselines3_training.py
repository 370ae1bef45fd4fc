"""Stable-Baselines3 on CartPole-v1: rates of A2C and of PPO with the RL Zoo's settings, and how long PPO takes to solve it."""

import os
import time

import measuring
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env

STARTED = time.time() - float(open("/proc/uptime").read().split()[0]) + (
    int(open("/proc/self/stat").read().rsplit(")", 1)[1].split()[19]) / os.sysconf("SC_CLK_TCK")
) if os.path.exists("/proc/self/stat") else time.time()

ZOO = dict(
    n_steps=32, batch_size=256, gae_lambda=0.8, gamma=0.98, n_epochs=20, ent_coef=0.0,
    learning_rate=lambda left: 0.001 * left, clip_range=lambda left: 0.2 * left,
)


class Watch(BaseCallback):
    """Ends the training after so many seconds since its first second, or where the last 20 episodes look solved."""

    def __init__(self, seconds, until_solved):
        super().__init__()
        self.seconds, self.until_solved, self.first, self.solved = seconds, until_solved, None, None

    def _on_step(self):
        if self.until_solved:
            returns = [episode["r"] for episode in list(self.model.ep_info_buffer)[-20:]]
            if len(returns) == 20 and sum(returns) / 20 >= 475:
                self.solved = time.time() - STARTED
            return self.solved is None and time.time() - STARTED < self.seconds
        now = time.perf_counter()
        if self.first is None:
            self.first = now
            self.begin = None
        if self.begin is None and now - self.first > min(1, self.seconds):
            self.begin, self.steps = now, self.num_timesteps
        if self.begin is not None and now - self.begin >= self.seconds:
            self.rate = (self.num_timesteps - self.steps) / (now - self.begin)
            return False
        return True


def train(kind, settings, watch):
    environments = make_vec_env("CartPole-v1", n_envs=8, seed=1)
    kind("MlpPolicy", environments, seed=1, device="cpu", **settings).learn(100_000, callback=watch)
    environments.close()
    return watch


if not measuring.QUICK:
    # First: its clock began with the process.
    solved = train(PPO, ZOO, Watch(40, True)).solved
    if solved is not None:
        measuring.note("Stable-Baselines3 PPO: process start to solved, seed 1", "s", [solved])
for name, kind, settings in (("A2C", A2C, {}), ("PPO, RL Zoo settings", PPO, ZOO)):
    rates = [train(kind, settings, Watch(measuring.SECONDS * 2, False)).rate for _ in range(measuring.TIMES)]
    measuring.note(f"Stable-Baselines3 {name}: training, 8 environments", "/s", rates)
measuring.finish()
