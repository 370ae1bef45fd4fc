"""Ray: calls of actors, their creation, a kill, and an object of 100 MB."""

import os
import signal
import time

import measuring
import numpy
import ray

ray.init(log_to_driver=False, include_dashboard=False)


@ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=-1)
class Adder:
    def __init__(self):
        self.total = 0

    def add(self, n):
        self.total += n
        return self.total

    def length(self, text):
        return len(text)

    def last(self, numbers):
        return int(numbers[-1])

    def pid(self):
        return os.getpid()


adder = Adder.remote()
ray.get(adder.add.remote(1))
kilobyte, megabyte = "k" * 1024, "m" * 1024 * 1024
measuring.rate("Ray: calls, one after another", 1, lambda: ray.get(adder.add.remote(1)))
measuring.rate("Ray: calls, one after another, with 1 KiB of text", 1, lambda: ray.get(adder.length.remote(kilobyte)))
measuring.rate("Ray: calls, one after another, with 1 MiB of text", 1, lambda: ray.get(adder.length.remote(megabyte)))
measuring.rate("Ray: calls, 100 in flight", 100, lambda: ray.get([adder.add.remote(1) for _ in range(100)]))

numbers = numpy.ones(100_000_000, numpy.uint8)
puts, gets, creations, restarts = [], [], [], []
for _ in range(measuring.TIMES):
    start = time.perf_counter()
    reference = ray.put(numbers)
    puts.append(1000 * (time.perf_counter() - start))
    start = time.perf_counter()
    ray.get(adder.last.remote(reference))
    gets.append(1000 * (time.perf_counter() - start))
    del reference
    start = time.perf_counter()
    another = Adder.remote()
    ray.get(another.add.remote(1))
    creations.append(1000 * (time.perf_counter() - start))
    pid = ray.get(another.pid.remote())
    start = time.perf_counter()
    os.kill(pid, signal.SIGKILL)
    while ray.get(another.pid.remote()) == pid:
        pass
    restarts.append(1000 * (time.perf_counter() - start))
    ray.kill(another)
measuring.note("Ray: actor created until it answers", "ms", creations)
measuring.note("Ray: kill -9 until the restarted actor answers", "ms", restarts)
measuring.note("Ray: put of 100 MB", "ms", puts)
measuring.note("Ray: get of 100 MB in another process, asked and answered", "ms", gets)
ray.shutdown()
measuring.finish()
