/**
 * The simulation that a program runs in, as a service: what the program itself leaves to chance is drawn from it, and the
 * actor system is had from it.
 *
 * ```ts
 * const program = Effect.gen(function*() {
 *   const account = yield* ActorSystem.spawn(Account, { config: { start: 100 } })
 *   ...
 * }).pipe(Effect.scoped, Effect.provide(Simulation.layer([AccountBehavior], { hosts: 2 })))
 * ```
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Behavior, Services } from "../actors/Actor.ts"
import { ActorSystem, type Shape, systemOf, type SystemOptions } from "../actors/ActorSystem.ts"
import type { InvalidOption, SystemFailure } from "../actors/errors.ts"
import { ambiguous, behaviorsByName } from "../actors/hosts/behaviors.ts"
import type { Placement } from "../actors/Placement.ts"
import { type FaultKind, type FaultOptions, Faults } from "./Faults.ts"
import { type Group, Invariants } from "./Invariants.ts"
import { type HostPlan, SimulatedHost } from "./SimulatedHost.ts"
import type { Simulator } from "./Simulator.ts"

/** What a simulated system is made of, beside its behaviors. */
export interface SimulatedSystemOptions<R> extends SystemOptions {
  /** How many hosts there are. Default 1; where actors are fibers, none. */
  readonly hosts?: number
  /** Hosts kept ready for the next that dies. Default 0. */
  readonly spares?: number
  /** Default 30 s, of virtual time as all here. */
  readonly startDeadline?: Duration.Input
  readonly heartbeat?: Duration.Input
  /** Where actors are that do not say: in a simulated `thread` (the default), or as a `fiber` beside the owner. */
  readonly placement?: Exclude<Placement, "process" | "runner">
  /**
   * Whether hosts come to harm before the system is up, which then often cannot come up (`HostStartFailed`). Default: no,
   * only those that begin later.
   */
  readonly faultsAtStart?: boolean
  /** Whether actors may be placed as fibers too, beside the owner. Default: where that is the placement. */
  readonly fibers?: boolean
  /** What the behaviors need. Each host builds its own, and the owner one for the fibers beside it. */
  readonly layer?: Layer.Layer<R, unknown>
}

/** The build that simulated hosts name. */
const buildId = "simulated"

/** No file: nothing is loaded from it. */
const entry = new URL("simulated:host")

/** What a layer is to give to behaviors: the system they have already, where they are fibers. */
type Needs<B extends ReadonlyArray<Behavior<unknown>>> = Exclude<Services<B>, ActorSystem>

export class Simulation extends Context.Service<Simulation, {
  readonly seed: number
  /** One of 0 to n - 1, drawn: 0 is what happens when nothing surprising does. */
  readonly choose: (n: number, label: string) => number
  /** A line in the log. */
  readonly note: (text: string) => void
  /** Says that something is wrong: the run has failed, and goes on. */
  readonly violated: (what: string) => void
  /**
   * Says that these actors restart together, so that it is seen whether they do. Not where their supervision may say
   * `resume`, or asks of a `Cancellable` method are given up: then one begins alone.
   */
  readonly group: (group: Group) => void
  /** How many faults have struck so far; of a kind. */
  readonly struck: (kind?: FaultKind) => number
  /** @internal */
  readonly world: World
}>()("troupe/testing/Simulation") {
  /**
   * An actor system in the simulation: its hosts, what they say, its clock and its chances are simulated, all else is what it
   * always is.
   */
  static readonly layer = <const B extends ReadonlyArray<Behavior<unknown>>>(
    behaviors: B,
    ...[options]: [Needs<B>] extends [never] ? [options?: SimulatedSystemOptions<never>]
      : [options: SimulatedSystemOptions<Needs<B>> & { readonly layer: Layer.Layer<Needs<B>, unknown> }]
  ): Layer.Layer<ActorSystem, SystemFailure | InvalidOption, Simulation> =>
    Layer.effect(
      ActorSystem,
      Effect.gen(function*() {
        const { world } = yield* Simulation
        // Without a layer the behaviors need nothing: the signature sees to it.
        const given = (options ?? {}) as SimulatedSystemOptions<Services<B>>
        const layer = (given.layer ?? Layer.empty) as Layer.Layer<Services<B>, unknown>
        const { hosts = 1, spares = 0, startDeadline = "30 seconds" } = given
        const twice = ambiguous("Simulation.layer", "behaviors", behaviors)
        if (twice !== undefined) return yield* twice
        const named = behaviorsByName(behaviors)
        let shape: Shape | undefined
        const owner = () => shape && systemOf(shape)
        const invariants = world.begin({
          simulator: world.simulator,
          hosts,
          spares,
          replayable: (definition, method) =>
            named.get(definition)?.definition.methods.get(method)?.replayable !== false,
          owned: (name) => owner()?.get(name)
        })
        const plan: HostPlan<Services<B>> = {
          simulator: world.simulator,
          faults: world.faults,
          invariants,
          behaviors: named,
          layer,
          buildId,
          startMillis: Duration.toMillis(startDeadline),
          hosts: world.hosts
        }
        const remote = {
          entry,
          hosts,
          spares,
          startDeadline,
          buildId,
          ...(given.heartbeat === undefined ? {} : { heartbeat: given.heartbeat }),
          wrapLink: () => (events: ConstructorParameters<typeof SimulatedHost<Services<B>>>[1]) =>
            new SimulatedHost(plan, events)
        }
        const {
          askDeadline,
          checks,
          fibers = given.placement === "fiber",
          grace,
          mailbox,
          placement = "thread",
          supervision
        } = given
        const common = {
          ...(checks === undefined ? {} : { checks }),
          ...(askDeadline === undefined ? {} : { askDeadline }),
          ...(grace === undefined ? {} : { grace }),
          ...(mailbox === undefined ? {} : { mailbox }),
          ...(supervision === undefined ? {} : { supervision }),
          // Fibers alone need no hosts.
          ...(placement === "fiber" && given.hosts === undefined ? {} : { thread: remote }),
          placement
        }
        const system = fibers
          ? Layer.provide(ActorSystem.layer({ ...common, fiber: behaviors }), layer)
          : ActorSystem.layer(common)
        world.faults.armed = given.faultsAtStart === true
        const closing = Effect.sync(() => {
          invariants.closing = true
        })
        const built = yield* Layer.build(system).pipe(Effect.onError(() => closing))
        yield* Effect.addFinalizer(() => closing)
        world.faults.armed = true
        world.pauses()
        const serving = shape = Context.get(built, ActorSystem)
        world.waiting.push(() =>
          Effect.runSync(serving.actors).flatMap(({ name, placement, unanswered }) =>
            placement === "fiber" && unanswered > 0 ? [`${name}, a fiber, has ${unanswered} unanswered`] : []
          )
        )
        return {
          ...serving,
          kill: (actor, how) =>
            Effect.suspend(() => {
              if (how === undefined || how === "terminate") invariants.killing()
              return serving.kill(actor, how)
            })
        } satisfies Shape
      })
    ) as Layer.Layer<ActorSystem, SystemFailure | InvalidOption, Simulation>
}

/** What a run and the systems in it share. */
export class World {
  readonly simulator: Simulator
  readonly faults: Faults
  readonly hosts: HostPlan<unknown>["hosts"] = []
  readonly systems: Array<Invariants> = []
  /** Who among the fibers beside the owner owes an answer, by system. */
  readonly waiting: Array<() => ReadonlyArray<string>> = []

  constructor(simulator: Simulator, faults: FaultOptions) {
    this.simulator = simulator
    this.faults = new Faults(faults, simulator.decisions)
  }

  begin(options: ConstructorParameters<typeof Invariants>[0]): Invariants {
    const invariants = new Invariants(options)
    this.systems.push(invariants)
    return invariants
  }

  /** Sets when the program will be stopped, and for how long. */
  pauses(): void {
    const { decisions, owner } = this.simulator
    const moments = [0, 1, 5, 20, 100, 400, 2000, 20_000]
    const lengths = [50, 500, 5000, 100_000]
    for (let left = this.faults.of("pause"); left > 0; left--) {
      const millis = lengths[decisions.choose(lengths.length, "how long a pause")]!
      this.simulator.after(owner, moments[decisions.choose(moments.length, "when a pause")]!, () => {
        this.faults.count("pause")
        this.simulator.pause(millis)
      })
    }
  }
}

/** The service, for a run. */
export const make = (world: World, seed: number): Simulation["Service"] => ({
  seed,
  world,
  choose: (n, label) => world.simulator.decisions.choose(n, label),
  note: (text) => world.simulator.note("program", text),
  violated: (what) => world.simulator.violated(what),
  group: (group) => world.systems.forEach((invariants) => invariants.group(group)),
  struck: (kind) => world.faults.countOf(kind)
})
