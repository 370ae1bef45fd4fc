"""PyTorch, eager, one thread: loss, gradients and Adam of 200 rows, two towers of 4 → 256 ReLU."""

import time

import measuring
import torch

torch.set_num_threads(1)
actor = torch.nn.Sequential(torch.nn.Linear(4, 256), torch.nn.ReLU(), torch.nn.Linear(256, 2))
critic = torch.nn.Sequential(torch.nn.Linear(4, 256), torch.nn.ReLU(), torch.nn.Linear(256, 1))
optimizer = torch.optim.Adam([*actor.parameters(), *critic.parameters()], lr=3e-4)
observations, actions, returns = torch.rand(200, 4), torch.randint(0, 2, (200,)), torch.rand(200)


def update():
    distribution = torch.distributions.Categorical(logits=actor(observations))
    advantages = returns - critic(observations).squeeze(-1)
    loss = -(distribution.log_prob(actions) * advantages.detach()).mean() + 0.5 * advantages.pow(2).mean()
    loss = loss - 0.01 * distribution.entropy().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


times = []
for _ in range(50 if measuring.QUICK else 1000):
    start = time.perf_counter()
    update()
    times.append(1e6 * (time.perf_counter() - start))
measuring.note("PyTorch: update of 200 rows, hidden 256", "us", times[len(times) // 5:])
measuring.finish()
