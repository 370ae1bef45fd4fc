/**
 * A checker that users run on their own environment, as Gymnasium's `check_env`: it plays random episodes and reports
 * what would break a run, or make it impossible to repeat, resume or recover.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Pcg64 } from "../random/index.ts"
import { maskJudge, masksOf, maskToSample } from "./actionMask.ts"
import type { EnvironmentDefinition } from "./EnvironmentDefinition.ts"
import { definitionProblem } from "./EnvironmentDefinition.ts"
import type { ActionOf, ActionSpace, Sampler } from "./spaces/index.ts"
import { type Misstep, Stepper } from "./Stepper.ts"
import { shown } from "./thrown.ts"
import { TimeLimit } from "./wrappers/TimeLimit.ts"

/** One thing the checker found. An error breaks a promise of the system; a warning is probably not meant. */
export class Finding extends Schema.Class<Finding>("troupe/envs/Finding")({
  severity: Schema.Literals(["error", "warning"]),
  rule: Schema.Literals([
    "options",
    "definition",
    "throws",
    "finite",
    "observation-space",
    "float32",
    "transition",
    "determinism",
    "snapshot",
    "reset",
    "version",
    "episode-end"
  ]),
  message: Schema.String
}) {}

export interface CheckOptions {
  /** Steps to play with random actions; 2000 by default. */
  readonly steps?: number
  /** Seed of the world and, with the next, of the actions; 0 by default. */
  readonly seed?: number
}

/** What a world did that it must not do, with the rule that it broke. */
class Broken extends Error {
  readonly rule: Misstep["rule"]

  constructor({ reason, rule }: Misstep, when: string) {
    super(`${when} ${reason}${rule === "finite" ? "; every number must be written and finite" : ""}.`)
    this.rule = rule
  }
}

/** A world with its memory, random stream and action stream: all that a snapshot must hold. */
class Trial {
  readonly state: Float64Array
  readonly random = Pcg64.view(new Uint32Array(Pcg64.words))
  readonly actions: Sampler<ActionOf<ActionSpace>, unknown>
  readonly observation: Float32Array
  readonly stepper: Stepper
  private readonly mask: Uint8Array
  private readonly space: ActionSpace
  private readonly judge: (mask: Uint8Array) => string | undefined

  constructor(definition: EnvironmentDefinition) {
    this.state = new Float64Array(definition.stateSize)
    this.observation = new Float32Array(definition.observationSpace.size)
    this.space = definition.actionSpace
    this.actions = this.space.sampler(0)
    this.mask = new Uint8Array(masksOf(definition))
    this.judge = maskJudge(this.space)
    const made = Stepper.create(definition, this.state)
    if (!(made instanceof Stepper)) throw new Broken(made, "Made anew,")
    this.stepper = made
  }

  start(seed: number): void {
    this.random.reseed(seed)
    this.actions.reseed(seed + 1)
    this.reset("At the first reset")
  }

  reset(when: string): void {
    this.must(this.stepper.reset(this.random), when)
    this.observe(when)
  }

  step(action: ActionOf<ActionSpace>, when: string): void {
    this.must(this.stepper.step(action, this.random), when)
    this.observe(when)
  }

  /** A random action, a legal one where the environment says which are. */
  draw(when: string): ActionOf<ActionSpace> {
    if (this.mask.length === 0) return this.actions.sample()
    this.must(this.stepper.mask(this.mask, this.judge), when)
    return this.actions.sample(maskToSample(this.space, this.mask))
  }

  observe(when: string): void {
    // What the environment leaves unwritten shows as NaN.
    this.observation.fill(NaN)
    this.must(this.stepper.observe(this.observation), when)
  }

  copyFrom(other: Trial): void {
    this.state.set(other.state)
    this.random.state.set(other.random.state)
    this.actions.state.set(other.actions.state)
  }

  private must(misstep: Misstep | undefined, when: string): void {
    if (misstep !== undefined) throw new Broken(misstep, when)
  }
}

/** Plays; adds to `findings` what it finds. Throws where the environment cannot go on. */
const play = (
  definition: EnvironmentDefinition,
  { seed, steps }: Required<CheckOptions>,
  findings: Array<Finding>
): void => {
  const seen = new Set<string>()
  /** Each rule is reported once: the first case is the one to look at. */
  const report = (severity: Finding["severity"], rule: Finding["rule"], message: string) => {
    if (seen.has(rule)) return
    seen.add(rule)
    findings.push(new Finding({ severity, rule, message }))
  }
  const { observationSpace } = definition
  if (!/-v\d+$/.test(definition.id)) {
    report(
      "warning",
      "version",
      `The id "${definition.id}" has no version: end it with -v0, and count up when results change.`
    )
  }

  const loss = observationSpace.float32Loss()
  if (loss !== undefined) {
    report("warning", "float32", `Observations are float32, and the observation space ${loss}.`)
  }

  const inspect = (trial: Trial, when: string) => {
    const problem = observationSpace.decodeProblem(trial.observation)
    if (problem !== undefined || !observationSpace.contains(observationSpace.decode(trial.observation))) {
      const shown = `[${Array.from(trial.observation).join(", ")}]`
      const why = problem === undefined ? "" : `: it ${problem}`
      report("error", "observation-space", `${when} the observation ${shown} is not in ${observationSpace}${why}.`)
    }
  }
  const agree = (a: Trial, b: Trial) => a.observation.every((value, i) => Object.is(value, b.observation[i]))

  // Two worlds of the same seed side by side, and a third that is given a snapshot in the middle of each episode.
  const first = new Trial(definition)
  const second = new Trial(definition)
  const restored = new Trial(definition)
  first.start(seed)
  second.start(seed)
  restored.start(seed + 2)
  const start = first.observation.slice()
  inspect(first, "After reset")
  if (!agree(first, second)) {
    report("error", "determinism", "Two resets with the same seed gave different observations.")
  }

  let episodes = 0
  let startsDiffer = !agree(first, restored)
  let following = false
  let inEpisode = 0
  for (let i = 1; i <= steps; i++) {
    inEpisode += 1
    if (inEpisode === 3) {
      restored.copyFrom(first)
      following = true
    }
    const when = `At step ${inEpisode} of episode ${episodes}`
    const action = first.draw(when)
    first.step(action, when)
    const { reward, terminated, truncated } = first.stepper
    inspect(first, when)
    const compare = (other: Trial, rule: "determinism" | "snapshot", what: string) => {
      other.step(other.draw(when), when)
      const again = other.stepper
      const same = Object.is(again.reward, reward) && again.terminated === terminated &&
        again.truncated === truncated && agree(first, other)
      if (!same) report("error", rule, `${when} ${what}`)
    }
    compare(
      second,
      "determinism",
      "the same seed and actions gave another result: draw only from the stream that is given, never from Math.random, " +
        "and look at no clock."
    )
    if (following) {
      const hint = "a world restored from a snapshot gave another result: keep everything in the state that is given."
      compare(restored, "snapshot", hint)
    }
    if (!terminated && !truncated) continue
    episodes += 1
    inEpisode = 0
    const anew = `At the reset after episode ${episodes - 1}`
    for (const trial of [first, second]) trial.reset(anew)
    if (following) {
      restored.reset(anew)
      if (!agree(first, restored)) {
        report("error", "snapshot", "The reset after a restored snapshot gave another start.")
      }
    }
    following = false
    inspect(first, "After reset")
    if (!first.observation.every((value, j) => value === start[j])) startsDiffer = true
  }

  // A reset must leave nothing of the episode before it, unless the definition says that it does.
  if (definition.outlivesEpisodes === true) first.state.fill(0)
  first.start(seed)
  const fresh = new Trial(definition)
  fresh.start(seed)
  if (!agree(first, fresh)) {
    report(
      "error",
      "reset",
      "A reset with the same seed after some episodes gave another start: reset the whole state."
    )
  }
  if (!startsDiffer) {
    report("warning", "reset", "Every reset gives the same start: draw it from the stream, unless that is meant.")
  }
  if (episodes === 0 && definition.maxEpisodeSteps === undefined) {
    report(
      "warning",
      "episode-end",
      `No episode ended within ${steps} steps: give maxEpisodeSteps, unless that is meant.`
    )
  }
}

/** Runs something, and answers how often it called `Math.random`. Nothing else runs meanwhile. */
const countingDraws = (run: () => void): number => {
  const own = Math.random
  let calls = 0
  Math.random = () => {
    calls += 1
    return own()
  }
  try {
    run()
  } finally {
    Math.random = own
  }
  return calls
}

/** What is wrong with the options of a check. */
const optionProblem = ({ seed, steps }: Required<CheckOptions>): string | undefined => {
  if (!Number.isSafeInteger(steps) || steps < 1) return `steps is ${shown(steps)}: give a whole number from 1`
  if (!Number.isSafeInteger(seed) || seed < 0) return `seed is ${shown(seed)}: give a whole number from 0`
  return undefined
}

/** Plays an environment with random actions and gives what it found: nothing, when all is well. */
export const check = (
  definition: EnvironmentDefinition,
  options: CheckOptions = {}
): Effect.Effect<ReadonlyArray<Finding>> => {
  const problem = definitionProblem(definition)
  if (problem !== undefined) {
    return Effect.succeed([new Finding({ severity: "error", rule: "definition", message: problem.message })])
  }
  const played = { steps: options.steps ?? 2000, seed: options.seed ?? 0 }
  const wrong = optionProblem(played)
  if (wrong !== undefined) {
    const message = `Nothing was checked: ${wrong}.`
    return Effect.succeed([new Finding({ severity: "error", rule: "options", message })])
  }
  return Effect.sync(() => {
    const findings: Array<Finding> = []
    const drawn = countingDraws(() => {
      try {
        play(TimeLimit.wrap(definition), played, findings)
      } catch (cause) {
        if (!(cause instanceof Broken)) throw cause
        findings.push(new Finding({ severity: "error", rule: cause.rule, message: cause.message }))
      }
    })
    if (drawn > 0 && !findings.some(({ rule }) => rule === "determinism")) {
      const message = "It calls Math.random, which no seed reaches: draw from the stream that is given."
      findings.push(new Finding({ severity: "error", rule: "determinism", message }))
    }
    return findings
  })
}
