"""SimPy's bank with reneging, many customers: how many are served and how many leave, as JSON."""
import json, random, sys, time
import simpy

customers, clerks = int(sys.argv[1]), int(sys.argv[2])
random.seed(1)
env = simpy.Environment()
counter = simpy.Resource(env, clerks)
counts = {"served": 0, "reneged": 0}


def customer():
    with counter.request() as request:
        results = yield request | env.timeout(random.uniform(1, 3))
        if request not in results:
            counts["reneged"] += 1
            return
        counts["served"] += 1
        yield env.timeout(random.expovariate(1 / 12))


def source():
    for _ in range(customers):
        env.process(customer())
        yield env.timeout(random.expovariate(1 / 10))


env.process(source())
began = time.process_time()
env.run()
print(json.dumps({"seconds": time.process_time() - began, **counts}))
