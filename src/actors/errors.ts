/**
 * Every way in which speaking to an actor can fail, as typed errors.
 *
 * An ask fails with the error of its own method (declared in the protocol) or with one of `AskFailure`; spawning fails
 * with one of `SpawnFailure`. All are plain values that name the actor and say what to do, and all can be encoded, so
 * that a handler may pass on the failure of an actor that it asked itself.
 */
import * as Schema from "effect/Schema"
import { Death } from "./Death.ts"

/** The actor died while (or before) it handled a message of a method that may not run twice. */
export class ActorDied extends Schema.TaggedError<ActorDied>()("ActorDied", {
  actor: Schema.String,
  method: Schema.String,
  incarnation: Schema.Int,
  death: Death
}) {
  override get message(): string {
    return `${this.actor} died at ${this.method}, which is not run again: ${this.death.message}`
  }
}

/** The message that was in hand at each of an actor's last deaths (two or more): it seems to kill whoever handles it. */
export class PoisonMessage extends Schema.Class<PoisonMessage>("troupe/PoisonMessage")({
  method: Schema.String,
  /** The message's number: 1, 2, ... per actor. */
  seq: Schema.Int,
  deaths: Schema.Int
}) {}

/**
 * Supervision gave the actor up: it died more often than its policy allows, or too often without a reply between, or the
 * policy said `stop`. `death` is the last one's cause; its `method` the message in hand, where there was one. `poison` is
 * the message that did it, where it was always the same.
 */
export class RestartLimitReached extends Schema.TaggedError<RestartLimitReached>()("RestartLimitReached", {
  actor: Schema.String,
  restarts: Schema.Int,
  death: Death,
  poison: Schema.optionalKey(PoisonMessage)
}) {
  override get message(): string {
    const { poison } = this
    if (poison !== undefined) {
      return `${this.actor} failed for good after ${this.restarts} restart(s): its message ${poison.seq} (${poison.method}) ` +
        `killed it ${poison.deaths} times, the last time with: ${this.death.message}`
    }
    const at = this.death.method === undefined ? "" : ` (at ${this.death.method})`
    return `${this.actor} failed for good after ${this.restarts} restart(s)${at}: ${this.death.message}`
  }
}

/** No reply came within the deadline. A handler that has begun goes on: its reply is dropped, its state kept. */
export class AskTimeout extends Schema.TaggedError<AskTimeout>()("AskTimeout", {
  actor: Schema.String,
  method: Schema.String,
  millis: Schema.Finite
}) {
  override get message(): string {
    return `${this.actor} did not answer ${this.method} within ${this.millis} ms`
  }
}

/** The actor was stopped (or is stopping) and takes no more messages. */
export class ActorStopped extends Schema.TaggedError<ActorStopped>()("ActorStopped", { actor: Schema.String }) {
  override get message(): string {
    return `${this.actor} is stopped`
  }
}

/** A value does not fit its schema at the border, or cannot cross it. `part` says which value. */
export class MessageRefused extends Schema.TaggedError<MessageRefused>()("MessageRefused", {
  actor: Schema.String,
  method: Schema.String,
  part: Schema.Literals(["payload", "reply", "options"]),
  reason: Schema.String
}) {
  override get message(): string {
    const were = this.part === "options" ? "were" : "was"
    return `the ${this.part} of ${this.actor}.${this.method} ${were} refused: ${this.reason}`
  }
}

/**
 * The ask would wait for itself: who is asked waits, directly or through others, for the very message whose handler asks.
 * `chain` names them by their messages in hand, from the one that is asked back to it.
 */
export class AskCycle extends Schema.TaggedError<AskCycle>()("AskCycle", {
  actor: Schema.String,
  chain: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return `${this.actor} would wait for itself: ${this.chain.join(" -> ")}`
  }
}

/** A handler has asked, told and waited so often that what it did is not kept any longer. Its incarnation dies of it. */
export class JournalTooLong extends Schema.TaggedError<JournalTooLong>()("JournalTooLong", {
  actor: Schema.String,
  method: Schema.String,
  calls: Schema.Int
}) {
  override get message(): string {
    return `${this.actor}.${this.method} has made more than ${this.calls} calls for one message: let it be several messages`
  }
}

/** The mailbox is full and the sender asked not to wait. */
export class MailboxFull extends Schema.TaggedError<MailboxFull>()("MailboxFull", {
  actor: Schema.String,
  capacity: Schema.Int
}) {
  override get message(): string {
    return `${this.actor} has ${this.capacity} unanswered messages, as many as it takes`
  }
}

/** An option of one of our functions is not what it may be, or there is none of that name: `known` are those that there are. */
export class InvalidOption extends Schema.TaggedError<InvalidOption>()("InvalidOption", {
  function: Schema.String,
  option: Schema.String,
  expected: Schema.String,
  given: Schema.String,
  known: Schema.optionalKey(Schema.Array(Schema.String))
}) {
  override get message(): string {
    if (this.known !== undefined) {
      return `${this.function} has no option "${this.option}"; there are ${this.known.join(", ")}`
    }
    return `option "${this.option}" of ${this.function} must be ${this.expected}, not ${this.given}`
  }
}

/** The scope that had put an array has closed. */
export class ObjectReleased extends Schema.TaggedError<ObjectReleased>()("ObjectReleased", { kind: Schema.String }) {
  override get message(): string {
    return `a ${this.kind} was released by the scope that had put it: get it while that is open`
  }
}

/** There is no shared memory of that size to be had. */
export class ObjectTooLarge extends Schema.TaggedError<ObjectTooLarge>()("ObjectTooLarge", {
  bytes: Schema.Int,
  reason: Schema.String
}) {
  override get message(): string {
    return `an array of ${this.bytes} bytes could not be put: ${this.reason}; put it in pieces`
  }
}

/** A living actor of this system has the name already. */
export class NameTaken extends Schema.TaggedError<NameTaken>()("NameTaken", { actor: Schema.String }) {
  override get message(): string {
    return `an actor named ${this.actor} is alive already`
  }
}

/** No living actor has this name (and this definition). */
export class ActorNotFound extends Schema.TaggedError<ActorNotFound>()("ActorNotFound", { actor: Schema.String }) {
  override get message(): string {
    return `no living actor is named ${this.actor}`
  }
}

/** The first incarnation could not start: its behavior failed, its configuration does not fit, or nobody knows it. */
export class StartFailed extends Schema.TaggedError<StartFailed>()("StartFailed", {
  actor: Schema.String,
  death: Death
}) {
  override get message(): string {
    return `${this.actor} could not start: ${this.death.message}`
  }
}

/**
 * A child process took more memory (MiB) than it may. Nobody fails with it: it is why the process was ended, and so the
 * `tag` and `message` of the deaths of the actors in it.
 */
export class MemoryLimitReached extends Schema.TaggedError<MemoryLimitReached>()("MemoryLimitReached", {
  /** What it may take, where that was set. */
  limit: Schema.optionalKey(Schema.Finite),
  /** What it took; not told when its heap was full. */
  resident: Schema.optionalKey(Schema.Finite)
}) {
  override get message(): string {
    const { limit, resident } = this
    if (resident !== undefined) return `its process held ${resident} MiB of memory, more than the ${limit} MiB it may`
    return `its JavaScript heap was full${limit === undefined ? "" : ` at ${limit} MiB`}`
  }
}

/** A host (a worker thread or a child process) did not come up: wrong entry, a fault in its layer, another build, or no word in time. */
export class HostStartFailed extends Schema.TaggedError<HostStartFailed>()("HostStartFailed", {
  host: Schema.Int,
  entry: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `host ${this.host} (${this.entry}) did not start: ${this.reason}`
  }
}

/** What any ask may fail with, beside the method's own error. */
export type AskFailure = ActorDied | RestartLimitReached | AskTimeout | ActorStopped | MessageRefused | AskCycle

/** What any tell may fail with: it waits for room in the mailbox, not for the handler. */
export type TellFailure = RestartLimitReached | AskTimeout | ActorStopped | MessageRefused | AskCycle

/** What spawning may fail with. */
export type SpawnFailure = NameTaken | StartFailed | InvalidOption

/** What a layer of an actor system may fail with. */
export type SystemFailure = HostStartFailed | InvalidOption
