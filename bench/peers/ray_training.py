"""The notebook's kind of training on Ray and PyTorch: ten remote environment workers take 20 steps each with the policy
they are sent, then the driver takes one step of Adam on all 200. Hidden 256, ReLU, two separate networks."""

import time

import gymnasium
import measuring
import numpy
import ray
import torch

WORKERS, STEPS, GAMMA = 10, 20, 0.95


class Policy(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.actor = torch.nn.Sequential(torch.nn.Linear(4, 256), torch.nn.ReLU(), torch.nn.Linear(256, 2))
        self.critic = torch.nn.Sequential(torch.nn.Linear(4, 256), torch.nn.ReLU(), torch.nn.Linear(256, 1))

    def forward(self, observations):
        return torch.distributions.Categorical(logits=self.actor(observations)), self.critic(observations).squeeze(-1)


@ray.remote(num_cpus=0)
class EnvWorker:
    def __init__(self, seed):
        torch.set_num_threads(1)
        self.environment = gymnasium.make("CartPole-v1")
        self.observation, _ = self.environment.reset(seed=seed)

    def collect(self, policy):
        observations, actions, rewards, ends = [], [], [], []
        with torch.no_grad():
            for _ in range(STEPS):
                distribution, _ = policy(torch.as_tensor(self.observation).unsqueeze(0))
                action = int(distribution.sample())
                observations.append(self.observation)
                self.observation, reward, terminated, truncated, _ = self.environment.step(action)
                actions.append(action)
                rewards.append(reward)
                ends.append(terminated or truncated)
                if ends[-1]:
                    self.observation, _ = self.environment.reset()
            _, bootstrap = policy(torch.as_tensor(self.observation).unsqueeze(0))
        value, returns = float(bootstrap), []
        for reward, end in zip(reversed(rewards), reversed(ends)):
            value = reward + (0 if end else GAMMA * value)
            returns.append(value)
        return numpy.array(observations, numpy.float32), actions, returns[::-1]


ray.init(log_to_driver=False, include_dashboard=False)
policy = Policy()
optimizer = torch.optim.Adam(policy.parameters(), lr=3e-4)
workers = [EnvWorker.remote(seed) for seed in range(WORKERS)]


def iterate():
    fragments = ray.get([worker.collect.remote(policy) for worker in workers])
    observations = torch.as_tensor(numpy.concatenate([fragment[0] for fragment in fragments]))
    actions = torch.as_tensor(sum((fragment[1] for fragment in fragments), []))
    returns = torch.as_tensor(sum((fragment[2] for fragment in fragments), []), dtype=torch.float32)
    distribution, values = policy(observations)
    advantages = returns - values
    loss = -(distribution.log_prob(actions) * advantages.detach()).mean() + 0.5 * advantages.pow(2).mean()
    loss = loss - 0.001 * distribution.entropy().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


iterate()
measuring.SECONDS *= 2
measuring.rate("Ray with PyTorch: the notebook's work, 10 workers", WORKERS * STEPS, iterate)
ray.shutdown()
measuring.finish()
