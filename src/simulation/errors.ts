/**
 * What can go wrong in a simulation, as typed errors: each names the model or the agent, the virtual time, and the mend.
 * What a handler itself throws is `HandlerFailed`.
 */
import * as Schema from "effect/Schema"

const where = { agent: Schema.String, at: Schema.Number }

const told = ({ agent, at }: { readonly agent: string; readonly at: number }): string => `${agent}, at time ${at},`

/** A time or a delay is no number, is infinite, or lies in the past. */
export class InvalidTime extends Schema.TaggedError<InvalidTime>()("InvalidTime", {
  ...where,
  what: Schema.Literals(["delay", "period", "time", "priority"]),
  given: Schema.String
}) {
  override get message(): string {
    const expected = {
      delay: "a finite number of at least 0",
      period: "a finite number above 0",
      time: "a finite number, not before now",
      priority: "a finite number"
    }[this.what]
    return `${told(this)} gave a ${this.what} of ${this.given}: a ${this.what} is ${expected}`
  }
}

/** A message to an agent of another share would arrive earlier than the model promised. */
export class LookaheadViolated extends Schema.TaggedError<LookaheadViolated>()("LookaheadViolated", {
  ...where,
  receiver: Schema.String,
  arrival: Schema.Number,
  lookahead: Schema.Number
}) {
  override get message(): string {
    return `${told(this)} sent a message that reaches ${this.receiver} at ${this.arrival}, before ` +
      `${
        this.at + this.lookahead
      }: give it more delay, lower the model's lookahead (${this.lookahead}), or let both live in one share`
  }
}

/** A handler was asynchronous, or a process waited for something that is not of this simulation. */
export class AsyncInSimulation extends Schema.TaggedError<AsyncInSimulation>()("AsyncInSimulation", {
  ...where,
  what: Schema.String
}) {
  override get message(): string {
    return `${
      told(this)
    } ${this.what}: nothing outside is waited for in virtual time; use sim.after, or a process and sim.timeout`
  }
}

/** A model asked the machine for time or chance, which are another in each run. */
export class NotReproducible extends Schema.TaggedError<NotReproducible>()("NotReproducible", {
  ...where,
  call: Schema.String,
  instead: Schema.String
}) {
  override get message(): string {
    return `${told(this)} called ${this.call}, which differs from run to run: use ${this.instead}`
  }
}

/** A handler or a process threw. */
export class HandlerFailed extends Schema.TaggedError<HandlerFailed>()("HandlerFailed", {
  ...where,
  handler: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `${told(this)} failed in ${this.handler}: ${this.reason}`
  }
}

/** A promise was rejected while the simulation ran, and nobody handled it. */
export class RejectionUnhandled extends Schema.TaggedError<RejectionUnhandled>()("RejectionUnhandled", {
  model: Schema.String,
  at: Schema.Number,
  reason: Schema.String
}) {
  override get message(): string {
    return `${this.model}, shortly before time ${this.at}, left a rejected promise unhandled (${this.reason}): ` +
      "nothing outside is waited for in virtual time, so a handler makes no promises"
  }
}

/** A model asked for something that it cannot have; `problem` says what, and what to do. */
export class InvalidUse extends Schema.TaggedError<InvalidUse>()("InvalidUse", {
  ...where,
  problem: Schema.String
}) {
  override get message(): string {
    return `${told(this)} ${this.problem}`
  }
}

/** A model's definition, its options or its configuration do not fit. */
export class InvalidModel extends Schema.TaggedError<InvalidModel>()("InvalidModel", {
  model: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `${this.model}: ${this.problem}`
  }
}

/** A checkpoint cannot be taken or gone on from. */
export class CheckpointRefused extends Schema.TaggedError<CheckpointRefused>()("CheckpointRefused", {
  model: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `${this.model}: ${this.problem}`
  }
}

/** Time stands still in a host that computes: a handler or a process never ends. */
export class SimulationStuck extends Schema.TaggedError<SimulationStuck>()("SimulationStuck", {
  ...where,
  seconds: Schema.Number
}) {
  override get message(): string {
    return `${
      told(this)
    } has computed for ${this.seconds} s without an end: mend its loop, or give the run a longer heartbeat`
  }
}

/** Hosts could not be had, or one dies again and again. */
export class HostsFailed extends Schema.TaggedError<HostsFailed>()("HostsFailed", {
  model: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `${this.model}: its hosts failed: ${this.reason}`
  }
}

/** All of them. */
export const SimulationFault = Schema.Union([
  InvalidTime,
  LookaheadViolated,
  AsyncInSimulation,
  NotReproducible,
  HandlerFailed,
  RejectionUnhandled,
  InvalidUse,
  InvalidModel,
  CheckpointRefused,
  SimulationStuck,
  HostsFailed
])
export type SimulationFault = typeof SimulationFault.Type

export const isSimulationFault = Schema.is(SimulationFault)
