/**
 * Schedules of faults, drawn from a seed, on actors that count: what was asked of each actor must be answered and kept
 * exactly once, whatever befalls it. The same seed gives the same schedule, so a failure is repeated by its seed.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { ActorSystem } from "../../../src/actors/ActorSystem.ts"
import * as Fault from "../../../src/actors/Fault.ts"
import type { Placement } from "../../../src/actors/Placement.ts"
import * as Supervision from "../../../src/actors/Supervision.ts"
import { Pcg64 } from "../../../src/random/Pcg64.ts"
import { type Mishap, Tally, TallyBehavior } from "../fixtures/tally.ts"
import { runner } from "../placements.ts"
import * as BrokenLink from "./brokenLink.ts"

const entry = new URL("../fixtures/tally.host.ts", import.meta.url)

/** One thing that is done to an actor. */
export type Step =
  | { readonly kind: "add"; readonly actor: number; readonly n: number }
  | {
    readonly kind: "suffer"
    readonly actor: number
    readonly n: number
    readonly mishap: Mishap
    readonly more: number
  }
  | { readonly kind: "kill"; readonly actor: number; readonly how: Fault.Fault }
  | { readonly kind: "link"; readonly fault: BrokenLink.LinkFault }
  | { readonly kind: "pause"; readonly millis: number }

export interface Plan {
  readonly seed: number
  readonly placement: Placement
  readonly actors: number
  readonly hosts: number
  readonly spares: 0 | 1
  readonly mailbox: number
  readonly steps: ReadonlyArray<Step>
}

/** Ways of a message to end its own host or incarnation, by placement. The last ones of each cost a heartbeat. */
const ofProcesses: ReadonlyArray<Mishap> = [
  "die",
  "die",
  "exit",
  "uncaught",
  "rejection",
  "SIGKILL",
  "heap",
  "native",
  "loop",
  "SIGSTOP"
]
const mishaps: Readonly<Record<Placement, ReadonlyArray<Mishap>>> = {
  fiber: ["die"],
  thread: ["die", "die", "exit", "uncaught", "rejection", "loop"],
  process: ofProcesses,
  runner: ofProcesses
}

const linkFaults = BrokenLink.LinkFault.literals

/** The schedule of a seed. Few faults that cost a heartbeat, so that many schedules can be run. */
export const plan = (seed: number, placement: Placement): Plan => {
  const random = Pcg64.fromSeed([seed, 5])
  const one = <A>(values: ReadonlyArray<A>): A => values[random.integers(0, values.length)]!
  const actors = random.integers(1, 5)
  let dear = placement === "fiber" ? 0 : 2
  /** Among the cheap ones, once the dear ones are spent. */
  const affordable = <A extends string>(values: ReadonlyArray<A>): A => {
    const drawn = one(values)
    const costs = ["loop", "stop", "memory", "heap", "native", "SIGSTOP", "drop", "late"].includes(drawn)
    if (costs && dear === 0) return values[0]!
    if (costs) dear--
    return drawn
  }
  const step = (): Step => {
    const actor = random.integers(0, actors)
    const n = random.integers(1, 1000)
    const drawn = random.random()
    if (drawn < 0.55) return { kind: "add", actor, n }
    if (drawn < 0.7) {
      return { kind: "suffer", actor, n, mishap: affordable(mishaps[placement]), more: random.integers(1, 3) }
    }
    if (drawn < 0.8) return { kind: "kill", actor, how: affordable(Fault.possible[placement]) }
    if (drawn < 0.9 && placement !== "fiber") {
      const fault = affordable(linkFaults)
      return { kind: "link", fault: fault === "drop" && dear === 0 ? "twice" : fault }
    }
    return { kind: "pause", millis: random.integers(0, 20) }
  }
  return {
    seed,
    placement,
    actors,
    hosts: random.integers(1, 3),
    spares: placement === "fiber" ? 0 : random.integers(0, 2) === 0 ? 0 : 1,
    mailbox: one([1, 3, 1024]),
    steps: Array.from({ length: random.integers(8, 25) }, step)
  }
}

/** Gives up after so many restarts without a reply between; so often no schedule kills on purpose. */
const supervision = Supervision.oneForOne({ maxRestarts: Number.POSITIVE_INFINITY, maxConsecutive: 50 })

const layer = (plan: Plan, link: BrokenLink.BrokenLink) => {
  const hosts = { entry, hosts: plan.hosts, spares: plan.spares, heartbeat: "900 millis", wrapLink: link.wrap } as const
  switch (plan.placement) {
    case "fiber":
      return ActorSystem.layerFiber([TallyBehavior])
    case "thread":
      return ActorSystem.layerThread(hosts)
    case "process":
      return ActorSystem.layerProcess({ ...hosts, memoryLimit: { heap: 48, resident: 300 } })
    case "runner": {
      const { heartbeat, spares, wrapLink } = hosts
      const machine = { entry, spares, memoryLimit: { heap: 48, resident: 300 } }
      return runner(machine, { hosts: plan.hosts, heartbeat, wrapLink })
    }
  }
}

/** What came of a schedule. */
export interface Outcome {
  readonly restarts: number
  readonly struck: number
}

/** A schedule whose end is not as if nothing had happened; its message repeats it. */
export class Lost extends Error {
  constructor(plan: Plan, why: string) {
    super(
      `seed ${plan.seed}, ${plan.placement}: ${why}\n` +
        `repeat it: node test/soak/faults.ts --placement ${plan.placement} --seeds ${plan.seed}\n${
          JSON.stringify(plan)
        }`
    )
  }
}

/** Runs a schedule and judges its end; fails with `Lost` when an answer or a sum is wrong, or when it takes too long. */
export const run = (plan: Plan): Effect.Effect<Outcome, Lost> => {
  const link = BrokenLink.make()
  return Effect.gen(function*() {
    const system = yield* ActorSystem
    const tallies = yield* Effect.forEach(
      Array.from({ length: plan.actors }),
      (_, index) =>
        system.spawn(Tally, {
          name: `tally/${index}`,
          config: { start: 0 },
          supervision,
          mailbox: plan.mailbox,
          ...(plan.placement === "fiber" ? {} : { host: index % plan.hosts })
        })
    )
    const sums = tallies.map(() => 0)
    const counts = tallies.map(() => 0)
    const asked: Array<{ readonly fiber: Fiber.Fiber<number, unknown>; readonly expected: number }> = []
    const killing: Array<Fiber.Fiber<unknown, unknown>> = []
    for (const step of plan.steps) {
      switch (step.kind) {
        case "add":
        case "suffer": {
          const tally = tallies[step.actor]!
          const incarnation = (yield* system.actors)[step.actor]!.incarnation
          sums[step.actor]! += step.n
          counts[step.actor]!++
          const ask = step.kind === "add"
            ? tally.Add({ n: step.n })
            : tally.Suffer({ n: step.n, mishap: step.mishap, until: incarnation + step.more - 1 })
          asked.push({
            fiber: yield* Effect.forkChild(ask, { startImmediately: true }),
            expected: sums[step.actor]!
          })
          break
        }
        case "kill":
          killing.push(
            yield* Effect.forkChild(system.kill(`tally/${step.actor}`, step.how), { startImmediately: true })
          )
          break
        case "link":
          link.next = step.fault
          break
        case "pause":
          yield* Effect.sleep(step.millis)
      }
    }
    const answers = yield* Effect.forEach(asked, ({ fiber }) => Fiber.join(fiber))
    yield* Effect.forEach(killing, (fiber) => Fiber.join(fiber))
    const expected = asked.map(({ expected }) => expected)
    if (JSON.stringify(answers) !== JSON.stringify(expected)) {
      return yield* Effect.fail(new Lost(plan, `answers ${answers} instead of ${expected}`))
    }
    for (const [index, tally] of tallies.entries()) {
      const { seen, total } = yield* tally.Read()
      if (total !== sums[index] || seen !== counts[index]) {
        const why = `tally/${index} holds ${total} of ${seen} messages instead of ${sums[index]} of ${counts[index]}`
        return yield* Effect.fail(new Lost(plan, why))
      }
    }
    const restarts = (yield* system.actors).reduce((sum, { restarts }) => sum + restarts, 0)
    return { restarts, struck: link.struck }
  }).pipe(
    Effect.scoped,
    Effect.provide(layer(plan, link)),
    Effect.timeout("45 seconds"),
    Effect.exit,
    Effect.flatMap((exit) => {
      if (Exit.isSuccess(exit)) return Effect.succeed(exit.value)
      const lost = exit.cause.reasons.find(Cause.isFailReason)?.error
      return Effect.fail(lost instanceof Lost ? lost : new Lost(plan, Cause.pretty(exit.cause)))
    })
  )
}
