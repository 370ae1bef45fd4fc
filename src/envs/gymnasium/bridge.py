"""The Python end of the bridge to Gymnasium: steps environments for the program that started it.

    python bridge.py <version> <folder> <MiB of memory it may take; 0 does not limit it>

It makes two named pipes in the folder, `requests` and `answers`, and answers every request by one message until the
other end is closed. A message is its length (u32), what it is (u8, padded to 4), and that many bytes; all is little-endian.
What keeps it from beginning is left in the folder as `problem`. What environments print goes to standard output and error,
which are nobody's messages. Kept in words that an old Python can read, so that it can say that it is too old.
"""

import json
import os
import sys

VERSION = 1

ASKED_OPEN, ASKED_RESET, ASKED_STEP, ASKED_REPLAY, ASKED_INFO, ASKED_CLOSE = 1, 2, 3, 4, 5, 6
ANSWERED, FAULT = 1, 2

WORDS = 10


def give_up(folder, problem):
    draft = os.path.join(folder, ".problem")
    with open(draft, "w") as file:
        file.write(problem)
    os.rename(draft, os.path.join(folder, "problem"))
    sys.exit(3)


def limit_memory(mebibytes):
    if mebibytes <= 0:
        return
    try:
        import resource

        most = mebibytes * 1024 * 1024
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    except (ImportError, ValueError, OSError):
        pass


class Fault(Exception):
    """What is wrong with an environment, as the end of a sentence."""


def words_of(error):
    text = " ".join(str(error).split())
    return type(error).__name__ + (": " + text if text else "")


def place_of(error):
    """Where an error was raised: the last line that is not ours."""
    at, found = error.__traceback__, None
    while at is not None:
        file = at.tb_frame.f_code.co_filename
        if os.path.abspath(file) != os.path.abspath(__file__):
            found = "%s:%d" % (file, at.tb_lineno)
        at = at.tb_next
    return "" if found is None else " (at %s)" % found


class Worlds(object):
    """Environments of one id, by number."""

    def __init__(self, gymnasium, numpy, request):
        self.gymnasium, self.np = gymnasium, numpy
        self.id, self.kwargs = request["id"], dict(request["kwargs"])
        if request["limit"]:
            self.kwargs["max_episode_steps"] = request["limit"]
        self.worlds = {}
        self.infos = {}
        first = self.make()
        spec, unwrapped = first.spec, first.unwrapped
        self.observation_space, self.action_space = first.observation_space, first.action_space
        self.limit = None if spec is None else spec.max_episode_steps
        self.threshold = None if spec is None else spec.reward_threshold
        # Gymnasium's own draw everything from their np_random; what others draw from, their seed alone decides.
        self.shares_stream = type(unwrapped).__module__.split(".")[0] == "gymnasium"
        self.box = isinstance(self.observation_space, gymnasium.spaces.Box)
        self.size = gymnasium.spaces.flatdim(self.observation_space)
        # A Box2D world that goes on over resets has something of every episode in it: there each episode has a new one.
        self.renews = self.keeps_world(first)
        self.spare = None if self.renews else first
        self.read_action = self.action_reader()

    def make(self):
        return self.gymnasium.make(self.id, disable_env_checker=True, **self.kwargs)

    def keeps_world(self, env):
        unwrapped = env.unwrapped
        if type(getattr(unwrapped, "world", None)).__name__ != "b2World":
            return False
        env.reset(seed=0)
        before = unwrapped.world
        env.reset(seed=0)
        return unwrapped.world is before

    def action_reader(self):
        spaces, np, space = self.gymnasium.spaces, self.np, self.action_space
        if isinstance(space, spaces.Discrete):
            self.width = 1
            return lambda numbers: int(numbers[0])
        if isinstance(space, (spaces.Box, spaces.MultiDiscrete, spaces.MultiBinary)):
            self.width = int(np.prod(space.shape, dtype=np.int64))
            shape, dtype = space.shape, space.dtype
            return lambda numbers: numbers.astype(dtype).reshape(shape)
        self.width = 0
        return None

    def describe(self):
        return {
            "id": self.id,
            "gymnasium": self.gymnasium.__version__,
            "observation": space_json(self.gymnasium.spaces, self.observation_space),
            "action": space_json(self.gymnasium.spaces, self.action_space),
            "limit": self.limit,
            "threshold": None if self.threshold is None else float(self.threshold),
            "shares_stream": self.shares_stream,
        }

    def world(self, number):
        found = self.worlds.get(number)
        if found is None:
            found, self.spare = (self.spare, None) if self.spare is not None else (self.make(), None)
            self.worlds[number] = found
        return found

    # ------------------------------------------------------------------------------------ the stream of random numbers

    def read_stream(self, env, into):
        state = env.unwrapped.np_random.bit_generator.state
        inner = state["state"]
        raw = inner["state"].to_bytes(16, "little") + inner["inc"].to_bytes(16, "little")
        into[:8] = self.np.frombuffer(raw, dtype="<u4")
        into[8] = state["has_uint32"]
        into[9] = state["uinteger"]

    def write_stream(self, env, words):
        raw = words.tobytes()
        env.unwrapped.np_random.bit_generator.state = {
            "bit_generator": "PCG64",
            "state": {
                "state": int.from_bytes(raw[:16], "little"),
                "inc": int.from_bytes(raw[16:32], "little"),
            },
            "has_uint32": int(words[8]),
            "uinteger": int(words[9]),
        }

    # -------------------------------------------------------------------------------------------------------- playing

    def observe(self, observation, row):
        if not self.box:
            observation = self.gymnasium.spaces.flatten(self.observation_space, observation)
        try:
            row[:] = self.np.asarray(observation).reshape(-1)
        except (TypeError, ValueError) as error:
            raise Fault("its observation is no %s (%s)" % (self.observation_space, words_of(error)))

    def reset(self, number, words, seed, options, row):
        if self.renews:
            self.close(number)
        env = self.world(number)
        if self.shares_stream:
            unwrapped = env.unwrapped
            if getattr(unwrapped, "_np_random", None) is None:
                env.reset(seed=0)
            self.write_stream(env, words)
            observation, info = env.reset(options=options)
        else:
            observation, info = env.reset(seed=seed, options=options)
        self.infos[number] = info
        self.observe(observation, row)

    def step(self, number, action, row):
        """Reward, terminated and truncated; the observation is written to `row`."""
        env = self.worlds.get(number)
        if env is None:
            raise Fault("it was stepped before it was reset")
        observation, reward, terminated, truncated, info = env.step(self.read_action(action))
        bool_ = self.np.bool_
        if not isinstance(terminated, (bool, bool_)):
            raise Fault("terminated is %.100r, where True or False belongs" % (terminated,))
        if not isinstance(truncated, (bool, bool_)):
            raise Fault("truncated is %.100r, where True or False belongs" % (truncated,))
        try:
            reward = float(reward)
        except (TypeError, ValueError):
            raise Fault("the reward is %.100r, which is no number" % (reward,))
        self.infos[number] = info
        self.observe(observation, row)
        return reward, terminated, truncated

    def close(self, number):
        env = self.worlds.pop(number, None)
        self.infos.pop(number, None)
        if env is not None:
            env.close()


def space_json(spaces, space):
    def bounds(values, infinite):
        return [infinite if value == float(infinite) else float(value) for value in values.reshape(-1).tolist()]

    if isinstance(space, spaces.Box):
        low, high = bounds(space.low, "-Infinity"), bounds(space.high, "Infinity")
        return {
            "type": "Box",
            "low": low,
            "high": high,
            "shape": [int(n) for n in space.shape] or [1],
            "dtype": str(space.dtype),
        }
    if isinstance(space, spaces.Discrete):
        return {"type": "Discrete", "n": int(space.n), "start": int(space.start)}
    if isinstance(space, spaces.MultiDiscrete):
        return {
            "type": "MultiDiscrete",
            "nvec": [int(n) for n in space.nvec.reshape(-1)],
            "start": [int(n) for n in space.start.reshape(-1)],
            "shape": [int(n) for n in space.shape],
        }
    if isinstance(space, spaces.MultiBinary):
        return {"type": "MultiBinary", "shape": [int(n) for n in space.shape]}
    if isinstance(space, spaces.Text):
        return {
            "type": "Text",
            "minLength": int(space.min_length),
            "maxLength": int(space.max_length),
            "charset": "".join(space.character_list),
        }
    if isinstance(space, spaces.Tuple):
        return {"type": "Tuple", "spaces": [space_json(spaces, part) for part in space.spaces]}
    if isinstance(space, spaces.Dict):
        return {
            "type": "Dict",
            "spaces": [[key, space_json(spaces, part)] for key, part in space.spaces.items()],
        }
    return {"type": type(space).__name__}


def plain(np, value, depth=0):
    """What JSON can hold of an info."""
    if isinstance(value, (bool, str)) or value is None:
        return value
    if isinstance(value, (int, float, np.integer, np.floating, np.bool_)):
        number = value.item() if hasattr(value, "item") else value
        return number if not isinstance(number, float) or number - number == 0 else None
    if isinstance(value, np.ndarray):
        return plain(np, value.tolist(), depth)
    if depth < 8 and isinstance(value, dict):
        return dict((str(key), plain(np, entry, depth + 1)) for key, entry in value.items())
    if depth < 8 and isinstance(value, (list, tuple)):
        return [plain(np, entry, depth + 1) for entry in value]
    return str(value)


def problem_of(gymnasium, request, error):
    """Why an environment cannot be made, as the end of a sentence."""
    wrong = gymnasium.error
    name = type(error).__name__
    text = " ".join(str(error).split()).rstrip(".")
    if isinstance(error, ModuleNotFoundError) and request["module"] is not None:
        return "its module %s cannot be imported (%s)" % (request["module"], text)
    if isinstance(error, (wrong.NameNotFound, wrong.NamespaceNotFound, wrong.VersionNotFound, wrong.DeprecatedEnv)):
        return "Gymnasium %s has no %s: %s" % (gymnasium.__version__, request["id"], text)
    if isinstance(error, (wrong.DependencyNotInstalled, ImportError)):
        return "a package is missing that it needs: %s" % text
    return "making it raised %s: %s%s" % (name, text, place_of(error))


def opened(gymnasium, numpy, request):
    name = request["module"]
    try:
        if name is not None:
            import importlib

            importlib.import_module(name)
        elif request["id"].startswith("ALE/"):
            import ale_py

            gymnasium.register_envs(ale_py)
        return Worlds(gymnasium, numpy, request)
    except Exception as error:
        if request["id"].startswith("ALE/") and isinstance(error, ModuleNotFoundError):
            raise Fault("its package is missing: run %s -m pip install ale-py" % sys.executable)
        raise Fault(problem_of(gymnasium, request, error))


class Bridge(object):
    def __init__(self, gymnasium, numpy, requests, answers):
        self.gymnasium, self.np = gymnasium, numpy
        self.requests, self.answers = requests, answers
        self.worlds = None

    def read(self, count):
        parts = []
        while count > 0:
            part = os.read(self.requests, min(count, 1 << 20))
            if not part:
                return None
            parts.append(part)
            count -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def write(self, kind, payload):
        message = len(payload).to_bytes(4, "little") + bytes((kind, 0, 0, 0)) + payload
        view = memoryview(message)
        while len(view) > 0:
            view = view[os.write(self.answers, view) :]

    def serve(self):
        handlers = {
            ASKED_OPEN: self.open,
            ASKED_RESET: self.reset,
            ASKED_STEP: self.step,
            ASKED_REPLAY: self.replay,
            ASKED_INFO: self.info,
            ASKED_CLOSE: self.close,
        }
        while True:
            head = self.read(8)
            if head is None:
                return
            payload = self.read(int.from_bytes(head[:4], "little"))
            if payload is None:
                return
            try:
                self.write(ANSWERED, handlers[head[4]](payload))
            except BrokenPipeError:
                return
            except Fault as fault:
                self.fault(str(fault), None)
            except Failed as failed:
                self.fault(failed.reason, failed.world)
            except MemoryError:
                self.fault("it takes more memory than it may (TROUPE_PYTHON_MEMORY, in MiB)", None)

    def fault(self, reason, world):
        self.write(FAULT, json.dumps({"reason": reason, "world": world}).encode())

    def guarded(self, during, world, play):
        try:
            return play()
        except Fault as fault:
            raise Failed(world, str(fault))
        except MemoryError:
            raise Failed(world, "%s takes more memory than it may (TROUPE_PYTHON_MEMORY, in MiB)" % during)
        except BrokenPipeError:
            raise
        except BaseException as error:
            raise Failed(world, "%s raised %s%s" % (during, words_of(error), place_of(error)))

    def open(self, payload):
        self.worlds = opened(self.gymnasium, self.np, json.loads(payload))
        return json.dumps(self.worlds.describe()).encode()

    def begin(self, payload, options, row):
        """The start that a request names: of the world, its stream, or its seed."""
        np = self.np
        seed = int(np.frombuffer(payload, "<f8", 1, 0)[0])
        words = np.frombuffer(payload, "<u4", WORDS, 8)
        number = int(np.frombuffer(payload, "<u4", 1, 48)[0])
        self.guarded("its reset", number, lambda: self.worlds.reset(number, words, seed, options, row))
        return number

    def left(self, number, row):
        """Where a world is: the words of its stream, and its observation."""
        words = self.np.zeros(WORDS, "<u4")
        if self.worlds.shares_stream:
            self.worlds.read_stream(self.worlds.worlds[number], words)
        return words.tobytes() + row.tobytes()

    def reset(self, payload):
        row = self.np.zeros(self.worlds.size, "<f4")
        options = json.loads(payload[56:]) if len(payload) > 56 else None
        return self.left(self.begin(payload, options, row), row)

    def step(self, payload):
        np, worlds = self.np, self.worlds
        count, width = int(np.frombuffer(payload, "<u4", 1, 0)[0]), worlds.width
        actions = np.frombuffer(payload, "<f8", count * width, 8).reshape(count, width)
        at = 8 + 8 * count * width
        numbers = np.frombuffer(payload, "<u4", count, at).tolist()
        given = np.frombuffer(payload, "<u4", count * WORDS, at + 4 * count).reshape(count, WORDS)
        changed = payload[at + 4 * count * (1 + WORDS) :]
        rewards = np.zeros(count, "<f8")
        words = np.zeros((count, WORDS), "<u4")
        rows = np.zeros((count, worlds.size), "<f4")
        flags = bytearray(2 * count)
        shares = worlds.shares_stream
        for k, number in enumerate(numbers):

            def play():
                if changed[k]:
                    worlds.write_stream(worlds.worlds[number], given[k])
                return worlds.step(number, actions[k], rows[k])

            rewards[k], flags[2 * k], flags[2 * k + 1] = self.guarded("its step", number, play)
            if shares:
                worlds.read_stream(worlds.worlds[number], words[k])
        return rewards.tobytes() + words.tobytes() + rows.tobytes() + bytes(flags)

    def replay(self, payload):
        """Plays an episode again from its start."""
        np, worlds = self.np, self.worlds
        row = np.zeros(worlds.size, "<f4")
        number = self.begin(payload, None, row)
        steps, width = int(np.frombuffer(payload, "<u4", 1, 52)[0]), worlds.width
        actions = np.frombuffer(payload, "<f8", steps * width, 56).reshape(steps, width)
        for k in range(steps):
            self.guarded("its step", number, lambda: worlds.step(number, actions[k], row))
        return self.left(number, row)

    def info(self, payload):
        number = int(self.np.frombuffer(payload, "<u4", 1, 0)[0])
        info = self.worlds.infos.get(number)
        return json.dumps(plain(self.np, info) if isinstance(info, dict) else {}).encode()

    def close(self, payload):
        self.worlds.close(int(self.np.frombuffer(payload, "<u4", 1, 0)[0]))
        return b""


class Failed(Exception):
    """What went wrong with which world."""

    def __init__(self, world, reason):
        Exception.__init__(self, reason)
        self.world, self.reason = world, reason


def end_with_the_other(requests):
    """Ends this process once the other end is closed, whatever an environment is doing then."""
    import select
    import threading
    import time

    def watch():
        poll = select.poll()
        poll.register(requests, 0)
        while True:
            for _, event in poll.poll(1000):
                if event & (select.POLLHUP | select.POLLERR | select.POLLNVAL):
                    os._exit(0)
            time.sleep(0.05)

    thread = threading.Thread(target=watch)
    thread.daemon = True
    thread.start()


def main():
    version, folder, memory = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    if sys.version_info < (3, 10):
        give_up(
            folder,
            "%s is Python %d.%d, and Gymnasium wants 3.10 or newer: name another with TROUPE_PYTHON"
            % (sys.executable, sys.version_info[0], sys.version_info[1]),
        )
    if version != VERSION:
        give_up(folder, "%s is of version %d and the program wants %d: install the program anew" % (__file__, VERSION, version))
    import signal

    # Ctrl-C is for the program, which still needs the environments until it has come to its end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Nothing is imported from where this file lies; modules of the person's are.
    sys.path[0:1] = []
    sys.path.append(os.getcwd())
    try:
        import gymnasium
        import numpy
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and error.name in ("gymnasium", "numpy"):
            give_up(
                folder,
                "%s has no package %s: run %s -m pip install gymnasium" % (sys.executable, error.name, sys.executable),
            )
        give_up(folder, "importing gymnasium raised %s%s" % (words_of(error), place_of(error)))
    if int(gymnasium.__version__.split(".")[0]) < 1:
        give_up(
            folder,
            "%s has gymnasium %s, and 1.0 or newer is wanted: run %s -m pip install --upgrade gymnasium"
            % (sys.executable, gymnasium.__version__, sys.executable),
        )
    limit_memory(memory)
    for name in ("answers", "requests"):
        os.mkfifo(os.path.join(folder, name))
    requests = os.open(os.path.join(folder, "requests"), os.O_RDONLY)
    answers = os.open(os.path.join(folder, "answers"), os.O_WRONLY)
    end_with_the_other(requests)
    bridge = Bridge(gymnasium, numpy, requests, answers)
    hello = {"version": VERSION, "pid": os.getpid(), "python": sys.version.split()[0], "gymnasium": gymnasium.__version__}
    bridge.write(ANSWERED, json.dumps(hello).encode())
    bridge.serve()


if __name__ == "__main__":
    main()
