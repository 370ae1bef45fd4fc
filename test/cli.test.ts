/** The command line as people use it: real processes, their output, exit codes, and what they leave behind. */
import { assert, describe } from "@effect/vitest"
import { Effect, FileSystem, Schema } from "effect"
import { fileURLToPath } from "node:url"
import { RunEventFromJsonLine } from "../src/runtime/monitoring/RunEvent.ts"
import { live, temporary, troupe } from "./program.ts"
import { troupeHere } from "./programHere.ts"

const fixture = (name: string) => fileURLToPath(new URL(`./runtime/fixtures/${name}`, import.meta.url))

const events = (stdout: string) =>
  Effect.forEach(stdout.trim().split("\n"), (line) => Schema.decodeUnknownEffect(RunEventFromJsonLine)(line))

describe("the command line", () => {
  live(
    "trains to the end, says so, and leaves a whole run folder",
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const cwd = yield* temporary
      const { code, stderr, stdout } = yield* troupe(cwd, ["--n-envs", "10", "--seed", "1", "--json"])
      assert.strictEqual(stderr, "")
      assert.strictEqual(code, 0)
      const last = (yield* events(stdout)).at(-1)
      assert(last?.event === "finished" && last.solved)
      assert.strictEqual(last.lost_steps, 0)
      const [run] = yield* fs.readDirectory(`${cwd}/runs`)
      const files = yield* fs.readDirectory(`${cwd}/runs/${run}`)
      assert.includeMembers(files.map((name) => name.replace(/^events\.out\.tfevents\..*/, "events")), [
        "config.json",
        "curve.svg",
        "events",
        "monitor.csv",
        "policy.safetensors",
        "progress.csv",
        "progress.jsonl"
      ])

      const evaluated = yield* troupe(cwd, ["eval", `runs/${run}`, "--episodes", "20", "--json"])
      assert.strictEqual(evaluated.code, 0, evaluated.stderr)
      assert.isAtLeast(JSON.parse(evaluated.stdout).mean, 475)
      const drawn = yield* troupe(cwd, ["eval", `runs/${run}`, "--episodes", "1", "--render", "svg", "--out", "a.svg"])
      assert.strictEqual(drawn.code, 0, drawn.stderr)
      assert.match(yield* fs.readFileString(`${cwd}/a.svg`), /^<svg .*animateTransform/s)
      const shown = yield* troupe(cwd, ["eval", `runs/${run}`, "--episodes", "1", "--render", "ansi"])
      assert.match(shown.stdout, /\[=o=\]/)

      for (const [format, file] of [["onnx", "a.onnx"], ["tfjs", "a/model.json"], ["safetensors", "a.safetensors"]]) {
        const exported = yield* troupe(cwd, [
          "export",
          `runs/${run}`,
          "--format",
          format!,
          "--out",
          file!.split("/")[0]!
        ])
        assert.strictEqual(exported.code, 0, exported.stderr)
        assert.isAbove((yield* fs.readFile(`${cwd}/${file}`)).length, 1000)
      }
      // Whoever begins with what was learned has learned it.
      const begun = ["--init-from", "a.safetensors", "--lr", "0.0001", "--no-run-folder", "--json"]
      const further = (yield* events((yield* troupe(cwd, begun)).stdout)).at(-1)
      assert(further?.event === "finished" && further.solved)
      assert.isBelow(further.env_steps, last.env_steps)
      const narrow = yield* troupe(cwd, ["--init-from", `runs/${run}`, "--hidden", "8"])
      assert.match(
        narrow.stderr,
        /policy\.safetensors does not fit the network of this run: actor\.0\.weight: expected the shape \[8, 4\].*\n$/
      )
      assert.strictEqual(narrow.code, 1)

      yield* fs.remove(`${cwd}/runs/${run}/curve.svg`)
      const plotted = yield* troupe(cwd, ["plot", `runs/${run}`])
      assert.strictEqual(plotted.code, 0, plotted.stderr)
      assert.isTrue(yield* fs.exists(`${cwd}/runs/${run}/curve.svg`))
    })
  )

  live(
    "gives an environment its options, in training, in the saved policy and in its evaluation",
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const cwd = yield* temporary
      const options = ["--env-option", "is_slippery=False", "--env-option", "map_name=8x8"]
      const steps = ["--total-timesteps", "200", "--workers", "2", "--n-envs", "4"]
      const trained = yield* troupe(cwd, ["--env-id", "FrozenLake-v1", ...options, ...steps])
      assert.strictEqual(trained.code, 0, trained.stderr)
      const [run] = yield* fs.readDirectory(`${cwd}/runs`)
      const { config } = JSON.parse(yield* fs.readFileString(`${cwd}/runs/${run}/config.json`))
      assert.strictEqual(config.envId, "FrozenLake-v1?is_slippery=false&map_name=8x8")
      const evaluated = yield* troupe(cwd, ["eval", `runs/${run}`, "--episodes", "2", "--json"])
      assert.strictEqual(evaluated.code, 0, evaluated.stderr)
      const shown = yield* troupe(cwd, ["eval", `runs/${run}`, "--episodes", "1", "--video", "a.png", "--render"])
      assert.strictEqual(shown.code, 0, shown.stderr)
      assert.match(shown.stdout, /\[[SFHG]\]/)
      assert.strictEqual((yield* fs.readFile(`${cwd}/a.png`))[1], "P".charCodeAt(0))
      const refused = yield* troupe(cwd, ["eval", `runs/${run}`, "--env-option", "map_name=4x4"])
      assert.match(refused.stderr, /64 inputs, 4 actions\) and does not fit FrozenLake-v1/)
    })
  )

  live(
    "checks environments: exit code 1 where a run would not be what it should be",
    Effect.gen(function*() {
      const cwd = yield* temporary
      const sound = yield* troupe(cwd, ["check", "FrozenLake-v1", "--env-option", "map_name=8x8", "--steps", "500"])
      assert.strictEqual(sound.code, 0, sound.stderr)
      assert.match(
        sound.stdout,
        /^FrozenLake-v1: observations Discrete\(64\), actions Discrete\(4\), at most 100 steps/
      )
      assert.match(sound.stdout, /\nwarning \(reset\): Every reset gives the same start/)
      assert.match(sound.stdout, /\n[\d.]+ µs a step, [\d,]+ steps\/s\n/)
      const broken = yield* troupe(cwd, ["check", fixture("throws-at-seven.ts")])
      assert.strictEqual(broken.code, 1)
      assert.match(broken.stdout, /\nerror \(throws\): .*the seventh step/)
      assert.match(broken.stderr, /^ThrowsAtSeven-v0 has 1 error.*; a run would not be what it should be\.\n$/)
      const json = yield* troupe(cwd, ["check", "Pendulum-v1", "--json"])
      const { findings, id, microseconds_a_step: time } = JSON.parse(json.stdout)
      assert.deepStrictEqual([findings, id, time > 0], [[], "Pendulum-v1", true])
      assert.match((yield* troupe(cwd, ["check", "CartPol-v1"])).stderr, /Did you mean "CartPole-v1"/)
      const endless = yield* troupe(cwd, ["check", fixture("never-returns.ts"), "--deadline", "4"])
      assert.strictEqual(endless.code, 1)
      assert.match(
        endless.stderr,
        /never-returns\.ts is not done within 4 s: its reset or step does not return/
      )
      const leaves = yield* troupe(cwd, ["check", fixture("leaves.ts")])
      assert.strictEqual(leaves.code, 1)
      assert.match(leaves.stderr, /leaves\.ts ends the process it is played in: exited with code 0/)
    })
  )

  const refusals: ReadonlyArray<readonly [args: ReadonlyArray<string>, code: number, said: RegExp]> = [
    [["--env-option", "sticky=1"], 2, /^The environment "CartPole-v1" has no option "sticky": known are .*\n$/],
    [["--n-envs", "0"], 2, /^--n-envs must be a whole number from 1 to 65536; 0 is not\.\n$/],
    [["--n-envs", "ten"], 2, /^--n-envs must be .* "ten" is not\.\n$/],
    [["--env-id", "CartPole-v9"], 2, /^There is no environment "CartPole-v9"\. Did you mean "CartPole-v1"\?\n$/],
    [
      ["--device", "gpu"],
      1,
      /^Device "gpu" is not available: tried cuda \(.*\) and webgpu \(.*\)\. Run npm install .*\n$/
    ],
    [
      ["--device", "tfjs-node"],
      1,
      /^Device "tfjs-node" is not available: .* Run npm install @tensorflow\/tfjs-node@.*\n$/
    ],
    [["--device", "tpu"], 2, /^--device must be one of cpu, reference, .*, gpu, auto; "tpu" is not\.\n$/],
    [["--lr", "nan"], 2, /^--lr must be a finite number above 0 .* "nan" is not\.\n$/],
    [["--log-dir", "/dev/null/runs"], 1, /^Cannot create a run folder in "\/dev\/null\/runs": .*--log-dir\.\n$/],
    [["--async", "--sync"], 2, /^Give one of --sync, --async, .* not several\.\n$/],
    [["--loss", "td"], 2, /^--loss td is computed along one episode, .*\n$/],
    [["--replay", "nowhere"], 1, /^nowhere\/arrivals\.bin cannot be read\. .*\n$/],
    [["--n-env", "3"], 2, /^There is no flag --n-env\. Did you mean --n-envs\?\n$/],
    [
      ["evl"],
      2,
      /^There is no verb "evl"; there are train, eval, export, plot, check, sweep, zoo, simulate, diff, ps, dashboard, push, runner\. Did you mean eval\?\n$/
    ],
    [["--n-envs=1024", "--workers=1024"], 2, /^--workers 1024 cannot be: a thread can own 511 others .*\n$/],
    [["--steps", "1000"], 2, /^There is no flag --steps\. Did you mean --total-timesteps\?\n$/],
    [["-n", "10"], 2, /^There is no flag -n\. Did you mean --n-envs\?\n$/],
    [["-n10"], 2, /^There is no flag -n\. Did you mean --n-envs\?\n$/],
    [["--env", "CartPole-v1"], 2, /^There is no flag --env\. Did you mean --env-id\?\n$/],
    [["--timesteps=5"], 2, /^There is no flag --timesteps\. Did you mean --total-timesteps\?\n$/],
    [["--episodes", "5"], 2, /^There is no flag --episodes\. Did you mean --total-episodes\?\n$/],
    [["--gpu"], 2, /^There is no flag --gpu\. Did you mean --device gpu\?\n$/],
    [["--n_envs", "5"], 2, /^There is no flag --n_envs\. Did you mean --n-envs\?\n$/],
    [["--nEnvs=5"], 2, /^There is no flag --nEnvs\. Did you mean --n-envs\?\n$/],
    [["-x"], 2, /^There is no flag -x\. See --help\.\n$/],
    [["eval", "runs/x", "-n", "5"], 2, /^There is no flag -n\. Did you mean --episodes\?\n$/],
    [["eval", "runs/x", "--workers", "5"], 2, /^There is no flag --workers\. --workers is a flag of train\.\n$/],
    [["10"], 2, /^"10" stands alone: .* --n-envs 10\n$/],
    [["--seed", "1", "2"], 2, /^"2" stands alone: .* --n-envs 2\n$/],
    [["train", "CartPole-v9"], 2, /^There is no environment "CartPole-v9"\. Did you mean "CartPole-v1"\?\n$/],
    [["CartPole-v9"], 2, /^There is no environment "CartPole-v9"\. Did you mean "CartPole-v1"\?\n$/],
    [
      ["train", "CartPole-v1", "--env-id", "CartPole-v0"],
      2,
      /^Give one environment: CartPole-v1 or --env-id CartPole-v0, .*\n$/
    ],
    [
      ["help", "evl"],
      2,
      /^There is no verb "evl"; there are train, eval, export, plot, check, sweep, zoo, simulate, diff, ps, dashboard, push, runner\. Did you mean eval\?\n$/
    ],
    [["--config", "none.json"], 2, /^The configuration file none\.json cannot be read\..*\n$/],
    [["--env-id", "none.ts"], 1, /^The environment "none\.ts" could not be loaded: .*\n$/],
    [["--init-from", "nowhere"], 1, /^There are no readable weights at nowhere\. Check --init-from\.\n$/],
    [["export", "nowhere"], 1, /^There is no readable policy at nowhere\. Check the path\.\n$/],
    [["eval", "nowhere"], 1, /^There is no readable policy at nowhere\. Check the path\.\n$/],
    [["plot", "nowhere"], 1, /^Cannot plot "nowhere": there is no such folder\.\n$/]
  ]
  for (const [i, [args, code, said]] of refusals.entries()) {
    live(
      `refuses ${args.join(" ")} in one sentence`,
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        const cwd = yield* temporary
        // What the words alone decide; the first of them in a process as people start it.
        const outcome = yield* code === 2 && i > 0 ? troupeHere(cwd, args) : troupe(cwd, args)
        assert.match(outcome.stderr, said)
        assert.strictEqual(outcome.stdout, "")
        assert.strictEqual(outcome.code, code)
        assert.deepStrictEqual(yield* fs.readDirectory(cwd), [], "nothing may be left behind")
      })
    )
  }

  live(
    "refuses a file with an unknown key",
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const cwd = yield* temporary
      yield* fs.writeFileString(`${cwd}/a.json`, `{"nEnvz": 3}`)
      const { code, stderr } = yield* troupe(cwd, ["--config", "a.json"])
      assert.strictEqual(stderr, `There is no setting "nEnvz" in a.json. Did you mean "nEnvs"?\n`)
      assert.strictEqual(code, 2)
    })
  )

  live(
    "stops at an environment that gives NaN, naming it and the step",
    Effect.gen(function*() {
      const cwd = yield* temporary
      const { code, stderr } = yield* troupe(cwd, ["--env-id", fixture("breaks-at-seven.ts"), "--quiet"])
      assert.match(stderr, /^Environment BreaksAtSeven-v0 .*at its step 7 observation\[0\] is NaN\.\n$/)
      assert.strictEqual(code, 1)
      const fs = yield* FileSystem.FileSystem
      assert.deepStrictEqual(
        yield* fs.readDirectory(`${cwd}/runs`),
        [],
        "a run that never came to anything leaves no folder"
      )
    })
  )

  live(
    "uses no more workers than environments, and says so",
    Effect.gen(function*() {
      const cwd = yield* temporary
      const args = ["--workers", "64", "--total-timesteps", "100", "--no-run-folder", "--json"]
      const { code, stdout } = yield* troupe(cwd, args)
      assert.strictEqual(code, 0)
      const said = yield* events(stdout)
      assert.isTrue(said.some((event) => event.event === "notice" && /10 workers are used/.test(event.message)))
      assert.isTrue(said.some((event) => event.event === "started" && event.workers === 10))
    })
  )

  live(
    "repeats an asynchronous run from its recording, and refuses one that was cut",
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const cwd = yield* temporary
      const hash = (stdout: string) =>
        Effect.map(events(stdout), (all) => {
          const last = all.at(-1)
          return last?.event === "finished" ? last.weights_sha256 : undefined
        })
      const first = yield* troupe(cwd, ["--async", "--workers", "2", "--total-timesteps", "5000", "--json"])
      assert.strictEqual(first.code, 0, first.stderr)
      const [run] = yield* fs.readDirectory(`${cwd}/runs`)
      for (const where of [["--workers", "1"], ["--workers", "4"], ["--serial", "--chaos", "2"]]) {
        const again = yield* troupe(cwd, ["--replay", `runs/${run}`, ...where, "--no-run-folder", "--json"])
        assert.strictEqual(again.code, 0, again.stderr)
        assert.strictEqual(yield* hash(again.stdout), yield* hash(first.stdout))
      }
      const changed = yield* troupe(cwd, ["--replay", `runs/${run}`, "--lr", "0.1"])
      assert.match(changed.stderr, /^--lr cannot be changed by a replay; .*\n$/)
      assert.strictEqual(changed.code, 2)
      yield* fs.writeFileString(`${cwd}/a.json`, `{"gamma": 0.5}`)
      const byFile = yield* troupe(cwd, ["--replay", `runs/${run}`, "--config", "a.json"])
      assert.match(byFile.stderr, /^--gamma cannot be changed by a replay; .*\n$/)
      yield* fs.truncate(`${cwd}/runs/${run}/arrivals.bin`, 700)
      const cut = yield* troupe(cwd, ["--replay", `runs/${run}`])
      assert.match(cut.stderr, /arrivals\.bin cannot be replayed: it is cut off or was changed .*\n$/)
      assert.strictEqual(cut.code, 1)
    })
  )

  for (const [signal, expected] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
    live(
      `ends with ${expected} after ${signal}, its files written`,
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        const cwd = yield* temporary
        let sent = false
        const args = ["--keep-going", "--total-timesteps", "1000000000", "--json"]
        const { code } = yield* troupe(cwd, args, {
          onOutput: (stdout, kill) => {
            if (sent || !stdout.includes(`"event":"episode"`)) return
            sent = true
            kill(signal)
          }
        })
        assert.strictEqual(code, expected)
        const [run] = yield* fs.readDirectory(`${cwd}/runs`)
        const monitor = yield* fs.readFileString(`${cwd}/runs/${run}/monitor.csv`)
        assert.match(monitor.trimEnd().split("\n").at(-1)!, /^[\d.]+,\d+,[\d.]+,\d+$/)
        assert.isTrue(yield* fs.exists(`${cwd}/runs/${run}/policy.safetensors`), "what it learned is kept")
      })
    )
  }

  live(
    "ends quietly when its reader has gone, its files written",
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const cwd = yield* temporary
      const args = ["--keep-going", "--total-timesteps", "1000000000", "--json"]
      const { code, stderr } = yield* troupe(cwd, args, { onOutput: (_, __, hangUp) => hangUp() })
      assert.strictEqual(stderr, "")
      assert.strictEqual(code, 141)
      const [run] = yield* fs.readDirectory(`${cwd}/runs`)
      assert.isTrue(yield* fs.exists(`${cwd}/runs/${run}/policy.safetensors`))
    })
  )

  live(
    "does not pass for success when an environment ends the program",
    Effect.gen(function*() {
      const cwd = yield* temporary
      const { code, stderr } = yield* troupe(cwd, ["--env-id", fixture("leaves.ts"), "--placement", "fiber", "--quiet"])
      assert.match(stderr, /^The program was ended from within, .*\n$/)
      assert.strictEqual(code, 1)
    })
  )

  live(
    "gives up an evaluation that does not end",
    Effect.gen(function*() {
      const cwd = yield* temporary
      const { code, stderr } = yield* troupe(cwd, [
        "--env-id",
        fixture("balances.ts"),
        "--placement",
        "fiber",
        "--quiet"
      ])
      assert.match(stderr, /^Environment Balances-v0 cannot be evaluated: .* has not ended after 100000 steps; .*\n$/)
      assert.strictEqual(code, 1)
    })
  )

  live(
    "tells its version and its flags with their defaults",
    Effect.gen(function*() {
      const cwd = yield* temporary
      assert.match((yield* troupe(cwd, ["--version"])).stdout, /0\.1\.0/)
      const { stdout } = yield* troupe(cwd, ["--help"])
      assert.match(stdout, /--n-envs.*\(default 10\)/)
      assert.match(stdout, /^Learning$/m)
      for (const line of stdout.split("\n")) assert.isAtMost(line.length, 80, line)
      assert.strictEqual((yield* troupe(cwd, ["help"])).stdout, stdout)
      assert.strictEqual(
        (yield* troupe(cwd, ["help", "eval"])).stdout,
        (yield* troupe(cwd, ["eval", "--help"])).stdout
      )
    })
  )

  live(
    "takes the environment without a flag",
    Effect.gen(function*() {
      const cwd = yield* temporary
      const { code, stderr, stdout } = yield* troupe(cwd, [
        "train",
        "CartPole-v0",
        "--total-timesteps=100",
        "--no-run-folder",
        "--json"
      ])
      assert.strictEqual(code, 0, stderr)
      assert.match(stdout, /"env_id":"CartPole-v0"/)
    })
  )

  live(
    "starts beside a service of that name, and says of an unknown variable that it is ignored",
    Effect.gen(function*() {
      const cwd = yield* temporary
      const args = ["--total-timesteps=100", "--no-run-folder"]
      const orchestrated = { TROUPE_PORT: "tcp://10.0.0.1:80", TROUPE_SERVICE_HOST: "10.0.0.1" }
      const { code, stderr } = yield* troupe(cwd, [...args, "--quiet"], { env: orchestrated })
      assert.strictEqual(stderr, "")
      assert.strictEqual(code, 0)
      const unknown = yield* troupe(cwd, [...args, "--json"], { env: { TROUPE_HOME: "x" } })
      assert.match(unknown.stdout, /"event":"notice","message":"TROUPE_HOME in the environment is no setting,/)
      assert.strictEqual(unknown.code, 0)
      const near = yield* troupe(cwd, args, { env: { TROUPE_NENVS: "3" } })
      assert.strictEqual(
        near.stderr,
        "There is no setting TROUPE_NENVS in the environment. Did you mean TROUPE_N_ENVS?\n"
      )
      assert.strictEqual(near.code, 2)
    })
  )

  live(
    "asks for the -- that was forgotten before flags",
    Effect.gen(function*() {
      const cwd = yield* temporary
      // As npm hands over `npm start --n-envs 10`.
      const npm = { npm_lifecycle_event: "start", npm_config_n_envs: "true" }
      const taken = yield* troupe(cwd, ["10"], { env: npm })
      assert.match(
        taken.stderr,
        /^npm has taken --n-envs for itself: put -- before the flags, as in npm start -- --n-envs 10\n$/
      )
      assert.strictEqual(taken.code, 2)
      const alone = yield* troupe(cwd, ["10"], { env: { npm_lifecycle_event: "start" } })
      assert.match(alone.stderr, /^"10" stands alone: .* put -- before the flags, as in npm start -- --n-envs 10\n$/)
      assert.strictEqual(alone.code, 2)
    })
  )
})
