"""M/M/3 as SimPy's documentation would have it: a process a customer, a resource for the clerks."""

import random

import simpy
from measuring import QUICK, finish, rate

CUSTOMERS = 2_000 if QUICK else 20_000


def customer(env, clerks, waits):
    came = env.now
    with clerks.request() as request:
        yield request
        waits.append(env.now - came)
        yield env.timeout(random.expovariate(1))


def source(env, clerks, waits):
    for _ in range(CUSTOMERS):
        yield env.timeout(random.expovariate(2.4))
        env.process(customer(env, clerks, waits))


def run():
    env = simpy.Environment()
    env.process(source(env, simpy.Resource(env, 3), []))
    env.run()


rate("M/M/3, SimPy", CUSTOMERS, run)
finish()
