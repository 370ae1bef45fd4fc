/**
 * A host that lives in the simulation: the real server and its cells on a side of their own, and a link that carries what
 * is said, in order, for as long as it takes, and to which things happen.
 *
 * What befalls it may do so before it is up, between any two of its tasks, before or after any command of a batch, and
 * after any report of one.
 */
import type * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import type { Behavior } from "../actors/Actor.ts"
import { fromUnknown } from "../actors/Death.ts"
import { type Fault, Injected } from "../actors/Fault.ts"
import { HostServer } from "../actors/hosts/HostServer.ts"
import type { Command, HostLink, HostPort, LinkEvents, Report } from "../actors/links/HostLink.ts"
import type { Faults } from "./Faults.ts"
import type { HostSeen, Invariants } from "./Invariants.ts"
import { Side, type Simulator } from "./Simulator.ts"

/** What all the hosts of a system have in common. */
export interface HostPlan<R> {
  readonly simulator: Simulator
  readonly faults: Faults
  readonly invariants: Invariants
  readonly behaviors: ReadonlyMap<string, Behavior<R>>
  readonly layer: Layer.Layer<R, unknown>
  readonly buildId: string
  /** A host that takes longer to come up is ended. */
  readonly startMillis: number
  /** All of them so far. */
  readonly hosts: Array<HostSeen>
}

/** Milliseconds on the way, the usual one first. */
const lags = [0, 0, 0, 0.05, 0.3, 2, 20]
/** How many of them there are without delays. */
const quick = 5

export class SimulatedHost<R> implements HostLink, HostSeen {
  readonly name: string
  readySince: number | undefined
  dead = false
  terminated = false
  excused = false
  private readonly plan: HostPlan<R>
  private readonly events: LinkEvents
  private readonly side: Side
  private server: HostServer<R> | undefined
  /** One of its reports was not heard as it spoke. */
  private garbled = false
  private obey: (batch: ReadonlyArray<Command>) => void = () => {}
  /** When the last command will have come, and the last report. */
  private there = 0
  private back = 0

  constructor(plan: HostPlan<R>, events: LinkEvents) {
    const { faults, hosts, invariants, simulator } = plan
    this.plan = plan
    this.events = events
    hosts.push(this)
    this.name = `h${hosts.length}`
    this.side = new Side(simulator, this.name, (error) => this.thrown(error))
    invariants.begun()
    if (faults.strikes("slow", 4, this.name)) {
      this.excused = true
      this.later(this.side, 1.5 * plan.startMillis, () => this.up())
    } else if (faults.strikes("stillborn", 4, this.name)) {
      this.later(this.side, this.lag(), () => this.die("exited with code 1"))
    } else this.later(this.side, this.lag(), () => this.up())
  }

  // --- the owner's end

  post(batch: ReadonlyArray<Command>): void {
    const { faults, invariants, simulator } = this.plan
    for (const command of batch) invariants.said(this, command)
    let copy: ReadonlyArray<Command> = structuredClone(batch)
    if (faults.of("drop") > 0 && faults.strikes("drop", 30, "to the host")) {
      const at = simulator.decisions.choose(copy.length, "which is dropped")
      this.note(`does not get ${brief(copy[at]!)}`)
      this.excused = true
      copy = copy.filter((_, index) => index !== at)
    }
    this.there = Math.max(this.there + 0.001, simulator.time + this.lag())
    this.later(this.side, this.there - simulator.time, () => this.received(copy))
  }

  terminate(): void {
    this.plan.invariants.terminating(this)
    this.terminated = true
    this.later(this.plan.simulator.owner, this.lag(), () => this.die("terminated"))
  }

  // --- the host's end

  /** Where its server listens and speaks. */
  private readonly port: HostPort = {
    post: (batch) => this.say(batch),
    listen: (received) => {
      this.obey = received
    },
    exit: () => this.die("exited with code 0"),
    harm: (fault) => this.harm(fault),
    // We ask the server for its last word ourselves.
    onExit: () => {}
  }

  private harm(fault: Fault): void {
    switch (fault) {
      case "terminate":
      case "exit":
        this.server?.lastWord(undefined)
        return this.die("exited with code 86")
      case "throw":
      case "reject":
        return this.thrown(new Injected({ fault }))
      case "loop":
      case "stop":
        return this.wedge()
      case "memory":
        return this.die("ended by SIGABRT")
    }
  }

  private say(batch: ReadonlyArray<Report>): void {
    if (this.dead) return
    const { faults, invariants, simulator: { decisions } } = this.plan
    let copy: ReadonlyArray<Report> = structuredClone(batch)
    if (faults.of("kill") > 0 && faults.strikes("kill", 24, "while it reports")) {
      copy = copy.slice(0, decisions.choose(copy.length, "reported so far"))
      this.carry(copy)
      return this.die("killed while it reported")
    }
    for (const report of copy) invariants.reported(this, report)
    const at = decisions.choose(copy.length, "which report")
    const struck = copy[at]
    // Once: of two that undo each other in number, such as one twice and one never, a link cannot know.
    if (struck !== undefined && !this.garbled) copy = this.spoil(copy, at, struck)
    this.carry(copy)
  }

  /** What becomes of a batch of which one report is struck. */
  private spoil(batch: ReadonlyArray<Report>, at: number, report: Report): ReadonlyArray<Report> {
    const { faults, simulator: { decisions } } = this.plan
    const instead = (kind: string, ...reports: ReadonlyArray<Report>): ReadonlyArray<Report> => {
      this.note(`is not heard as it spoke (${kind}): ${brief(report)}`)
      this.excused = true
      this.garbled = true
      return [...batch.slice(0, at), ...reports, ...batch.slice(at + 1)]
    }
    if (faults.of("drop") > 0 && faults.strikes("drop", 20, "to the owner")) return instead("drop")
    if (faults.of("late") > 0 && faults.strikes("late", 20, this.name)) {
      this.later(this.plan.simulator.owner, 1 + decisions.choose(60, "how late"), () => this.deliver([report]))
      return instead("late")
    }
    if (faults.of("double") > 0 && faults.strikes("double", 20, this.name)) return instead("double", report, report)
    if (faults.of("corrupt") > 0 && faults.strikes("corrupt", 20, this.name)) {
      const misnumbered = report[0] === "replied" && decisions.choose(2, "how corrupt") === 1
      // Not a report, whatever its type says: that is the point.
      const spoilt = ["spoilt", 1, 1] as unknown as Report
      return instead(
        "corrupt",
        misnumbered ? misnumber(report) : spoilt
      )
    }
    return batch
  }

  private carry(batch: ReadonlyArray<Report>): void {
    if (batch.length === 0) return
    const { owner, time } = this.plan.simulator
    this.note(`says ${batch.map(brief).join(", ")}`)
    this.back = Math.max(this.back + 0.001, time + this.lag())
    this.later(owner, this.back - time, () => this.deliver(batch))
  }

  private deliver(batch: ReadonlyArray<Report>): void {
    const { invariants, simulator } = this.plan
    simulator.note("owner", `hears ${this.name}: ${batch.map(brief).join(", ")}`)
    if (batch.some(([kind]) => kind === "ready")) this.readySince ??= simulator.steps
    this.events.received(overheard(
      batch,
      (report) => invariants.hearing(report),
      (report, accepted) => {
        if (accepted) invariants.heard(this, report)
      },
      () => !this.terminated && !this.over
    ))
  }

  /** Its `exited` was told: what it says now is of the past. */
  private over = false

  // --- what befalls it

  private up(): void {
    const { behaviors, buildId, layer } = this.plan
    this.note("is up")
    this.server = new HostServer({ port: this.port, behaviors, layer, buildId, context: this.side.context })
    this.server.serve()
  }

  private received(batch: ReadonlyArray<Command>): void {
    const { faults, invariants, simulator: { decisions } } = this.plan
    this.note(`hears ${batch.map(brief).join(", ")}`)
    const work = batch.some(([kind]) => kind !== "ping")
    const fate = !work
      ? undefined
      : faults.of("kill") > 0 && faults.strikes("kill", 12, this.name)
      ? () => this.die("killed")
      : faults.of("exit") > 0 && faults.strikes("exit", 12, this.name)
      ? () => this.thrown(new Injected({ fault: "throw" }))
      : faults.of("wedge") > 0 && faults.strikes("wedge", 12, this.name)
      ? () => this.wedge()
      : undefined
    if (fate === undefined) return this.hand(batch)
    const upTo = decisions.choose(batch.length + 1, "obeyed so far")
    for (const command of batch.slice(0, upTo)) if (command[0] === "start") invariants.began(this, command[1])
    this.obey(batch.slice(0, upTo))
    if (this.side.gone) return
    const tasks = decisions.choose(12, "tasks left")
    if (tasks === 0) fate()
    else this.side.strikeAfter(tasks, fate)
    if (!this.side.gone) this.hand(batch.slice(upTo))
  }

  private hand(batch: ReadonlyArray<Command>): void {
    const { invariants } = this.plan
    for (const command of batch) if (command[0] === "start") invariants.began(this, command[1])
    this.obey(batch)
  }

  /** Something was thrown where nobody caught it: its last word, and the end. */
  private thrown(error: unknown): void {
    if (this.side.gone) return
    this.server?.lastWord(fromUnknown("HostExited", error))
    this.die(error instanceof Error ? error.message : String(error), error)
  }

  private wedge(): void {
    this.note("is stuck")
    this.excused = true
    this.side.gone = true
  }

  private die(reason: string, error?: unknown): void {
    if (this.dead) return
    const { invariants, simulator: { owner, time } } = this.plan
    this.dead = true
    this.side.gone = true
    this.note(`dies: ${reason}`)
    invariants.died(this)
    this.back = Math.max(this.back + 0.001, time + this.lag())
    this.later(owner, this.back - time, () => {
      this.plan.simulator.note("owner", `hears that ${this.name} is gone`)
      this.over = true
      invariants.exited(this)
      this.events.exited(reason, error)
    })
  }

  private lag(): number {
    const { faults, simulator: { decisions } } = this.plan
    return 0.01 + lags[decisions.choose(faults.of("delay") > 0 ? lags.length : quick, `lag of ${this.name}`)]!
  }

  private later(side: Side, millis: number, task: () => void): void {
    this.plan.simulator.after(side, millis, task)
  }

  private note(what: string): void {
    this.plan.simulator.note(this.name, what)
  }
}

/** A batch that tells of each report before it is taken in, where the link is good, and afterwards, and whether it was. */
const overheard = (
  batch: ReadonlyArray<Report>,
  before: (report: Report) => void,
  tell: (report: Report, accepted: boolean) => void,
  good: () => boolean
): ReadonlyArray<Report> =>
  Object.assign([...batch], {
    *[Symbol.iterator](): Generator<Report, undefined> {
      for (let index = 0; index < batch.length; index++) {
        const report = batch[index]!
        const accepted = good()
        if (accepted) before(report)
        try {
          yield report
        } finally {
          tell(report, accepted)
        }
      }
    }
  })

const misnumber = (
  [kind, actor, incarnation, seq, ...rest]: Extract<Report, readonly ["replied", ...Array<unknown>]>
) => [kind, actor, incarnation, seq + 1, ...rest] as const

/** What is said, in a few words. */
const brief = (said: Command | Report): string => {
  switch (said[0]) {
    case "start":
      return `start ${said[1].name}/${said[1].incarnation}`
    case "message":
      return `message ${said[1]}/${said[2]} ${said[3]} ${said[4]}`
    case "replied":
      return `replied ${said[1]}/${said[2]} ${said[3]} ${said[4]}`
    case "died": {
      const death: unknown = said[3]
      const kind = Predicate.hasProperty(death, "kind") ? String(death.kind) : "of something"
      return `died ${said[1]}/${said[2]} at ${said[4]}: ${kind}`
    }
    case "exiting":
      return `exiting, ${said[1].length} at work`
    default:
      return said.filter((part) => typeof part !== "object").join(" ")
  }
}
