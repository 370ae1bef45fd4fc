"""Times one learner update of PyTorch, eager, on one thread: one JSON request a line in, microseconds a line out.

A request has the network (kind, inputs, actions, hidden, activation), rows, and how many milliseconds to measure for.
An update is what the devices' is: losses, gradients, the norm of the gradient, Adam. The answer is the shortest of them.
"""

import json
import sys
import time

import torch

torch.set_num_threads(1)


def tower(widths, activation):
    layers = []
    for inputs, outputs in zip(widths, widths[1:]):
        layers += [torch.nn.Linear(inputs, outputs), torch.nn.Tanh() if activation == "tanh" else torch.nn.ReLU()]
    return torch.nn.Sequential(*layers)


def prepare(request):
    inputs, actions, hidden = request["inputs"], request["actions"], request["hidden"]
    widths = [inputs, *hidden]
    shared = request["kind"] == "shared"
    trunk = tower(widths if shared else [inputs], request["activation"])
    actor, critic = (
        torch.nn.Sequential(
            *([] if shared else tower(widths, request["activation"])), torch.nn.Linear(widths[-1], outputs)
        )
        for outputs in (actions, 1)
    )
    parameters = [*trunk.parameters(), *actor.parameters(), *critic.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=1e-6)
    rows = request["rows"]
    observations = torch.randn(rows, inputs)
    taken = torch.randint(actions, (rows,))
    advantages, returns = torch.randn(rows), torch.randn(rows)

    def update():
        features = trunk(observations)
        distribution = torch.distributions.Categorical(logits=actor(features), validate_args=False)
        values = critic(features).squeeze(-1)
        policy = -(distribution.log_prob(taken) * advantages).mean()
        loss = policy + 0.5 * ((returns - values) ** 2).mean() - 0.01 * distribution.entropy().mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 0.5)
        optimizer.step()

    return update


prepared = {}
for line in sys.stdin:
    request = json.loads(line)
    millis = request.pop("millis")
    key = json.dumps(request)
    if key not in prepared:
        prepared[key] = prepare(request)
        prepared[key]()
    best = float("inf")
    end = time.perf_counter() + millis / 1000
    while best == float("inf") or time.perf_counter() < end:
        begin = time.perf_counter()
        prepared[key]()
        best = min(best, time.perf_counter() - begin)
    print(best * 1e6, flush=True)
