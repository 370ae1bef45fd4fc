/**
 * What `docs/actors.md` promises, held against all that is said between an owner and its hosts while a simulation runs.
 *
 * It is a second, simple model of the owner: from what travels it knows which incarnations there are, what each was given,
 * which replies counted, and so what must come next. Results alone would not tell: many guards hide behind others.
 *
 * - Epochs count up; an incarnation begins only after its forerunner is gone (the fence), and nobody else of its name is at
 *   work but whom the owner has given up waiting for.
 * - It begins with the state of the last reply that counted, and is given in order what was not answered, and nothing that was.
 * - Replies count in order, each once, on the present link, until its end is decided. Nobody says anything after its end.
 * - A message that must not run twice is not given again once it may have been begun.
 * - What a message calls is called once, and told once; one that is given again is given with all of it (`CallsSeen.ts`).
 * - A host is told nothing before it has named its build, and is ended only for a reason.
 * - Nobody is begun who has ended, not even where that was decided while the host came up.
 * - All of a group are gone before the first of them begins again.
 * - No more hosts are begun than deaths explain, and at the end nothing is left.
 */
import type { Command, JournalWord, Report, StartCommand } from "../actors/links/HostLink.ts"
import { CallsSeen } from "./CallsSeen.ts"
import type { Simulator } from "./Simulator.ts"

/** A host as the invariants see it. */
export interface HostSeen {
  readonly name: string
  /** Since which step it has named its build. */
  readonly readySince: number | undefined
  /** It runs nothing any more. */
  readonly dead: boolean
  /** The owner has asked for its end. */
  readonly terminated: boolean
  /** Something befell it or its link for which it may be ended. */
  readonly excused: boolean
}

interface Incarnation {
  readonly number: number
  readonly host: HostSeen
  /** When its start was said, in steps. */
  readonly since: number
  /** The host has it. */
  at: "under way" | "in its host" | "gone"
  /** The owner has been told of its end, or of its host's. */
  ended: boolean
  /** It was asked to finish and to end; or to end at once. */
  stopping: boolean
  halted: boolean
  /** What it has done counts for nothing, and its end leads to no other's. */
  annulled: boolean
}

interface Owed {
  readonly seq: number
  readonly method: string
}

interface Seen {
  readonly id: number
  readonly name: string
  readonly definition: string
  incarnation: Incarnation
  /** Given and not answered, in order. */
  owed: Array<Owed>
  /** How many of these the present incarnation has been given. */
  given: number
  /** The last message that was answered; and the last of those that its hosts have given it themselves. */
  settled: number
  settledThere: number
  /** How many these were. */
  taken: number
  state: unknown
  hasState: boolean
  /** Messages that must not run twice and may have been run, by their numbers. */
  readonly once: Set<number>
  /** Messages that the owner has told to be withdrawn. */
  readonly withdrawn: Set<number>
  /** How often it began. */
  begun: number
  readonly calls: CallsSeen
}

/** A group, and its last joint restart: when the first end was heard that led to it, in steps, and whether it has begun. */
interface Watched extends Group {
  since: number
  resumed: boolean
}

/** Actors that restart together, in the order they were spawned. */
export interface Group {
  readonly strategy: "one-for-all" | "rest-for-one"
  readonly names: ReadonlyArray<string>
}

export interface InvariantOptions {
  readonly simulator: Simulator
  /** How many hosts there are to be, and how many beside them. */
  readonly hosts: number
  readonly spares: number
  /** Whether a method of a definition may run again. */
  readonly replayable: (definition: string, method: string) => boolean
  /** The living actor of this name, as its owner has it. */
  readonly owned: (name: string) => Owned | undefined
}

/** What is asked of an owner itself, since nothing of it travels: who is there no more, and what nobody waits for. */
export interface Owned {
  readonly id: number
  readonly incarnation: number
  /** What its incarnation says is not heard any more; and it is not of account that it ends. */
  readonly deaf: boolean
  readonly annulled: boolean
  owes(seq: number): boolean
}

export class Invariants {
  private readonly options: InvariantOptions
  private readonly simulator: Simulator
  private readonly actors = new Map<number, Seen>()
  private readonly groups: Array<Watched> = []
  /** Hosts that have said their last word: they begin nothing any more. */
  private readonly lastWords = new Set<HostSeen>()
  private opened = 0
  private deaths = 0
  /** Hosts that the program itself has killed. */
  private kills = 0
  /** The system is being closed: whoever is there may be ended. */
  closing = false

  constructor(options: InvariantOptions) {
    this.options = options
    this.simulator = options.simulator
  }

  /** These actors are a group, and all of them have been spawned. */
  group(group: Group): void {
    const members = [...this.actors.values()].filter(({ name }) => group.names.includes(name))
    // A joint restart that is under way was begun before, perhaps without the last of them.
    this.groups.push({ ...group, since: 0, resumed: members.every(({ incarnation }) => !incarnation.ended) })
  }

  /** The program asks for the death of what is under an actor. */
  killing(): void {
    this.kills++
  }

  // --- hosts

  begun(): void {
    const { hosts, spares } = this.options
    if (++this.opened <= hosts + spares + this.deaths) return
    this.violated(
      `${this.opened} hosts were begun: ${hosts}, ${spares} spare, and ${this.deaths} that died do not explain it`
    )
  }

  /** A host runs nothing any more. */
  died(host: HostSeen): void {
    this.deaths++
    for (const { incarnation } of this.actors.values()) if (incarnation.host === host) incarnation.at = "gone"
  }

  terminating(host: HostSeen): void {
    if (host.dead || host.terminated || this.closing || host.excused) return
    if (this.kills > 0) this.kills--
    else this.violated(`the owner ends ${host.name}, and nothing explains it`)
  }

  /** The owner is told that a host is gone. */
  exited(host: HostSeen): void {
    if (!host.dead) this.violated(`${host.name} is said to be gone, and is not`)
    for (const actor of this.actors.values()) {
      if (actor.incarnation.host === host) this.ended(actor)
    }
  }

  // --- what the owner says

  said(host: HostSeen, command: Command): void {
    if (host.readySince === undefined) this.violated(`${host.name} is told ${command[0]} before it has named its build`)
    switch (command[0]) {
      case "start":
        return this.saidStart(host, command[1])
      case "message":
        return this.saidMessage(command[1], command[2], command[3], command[4], command[6])
      case "answered": {
        const actor = this.actors.get(command[1])
        // To one whose end has been heard it is not said.
        if (actor?.incarnation.number !== command[2]) {
          return this.violated(`an answer for ${command[1]}/${command[2]}, who is gone`)
        }
        return actor.calls.answered(command[3], command[4])
      }
      case "withdraw":
        return void this.actors.get(command[1])?.withdrawn.add(command[3])
      case "stop":
      case "halt": {
        const incarnation = this.present(command[1], command[2])
        if (incarnation === undefined) return
        if (command[0] === "stop") incarnation.stopping = true
        else {
          incarnation.halted = true
          this.noteAnnulled(this.actors.get(command[1])!)
        }
        return
      }
      case "close":
        for (const { incarnation } of this.actors.values()) if (incarnation.host === host) incarnation.stopping = true
        return
      case "forsaken":
      case "ping":
      case "fault":
        return
    }
  }

  /** Whether the present incarnation of an actor is not heard any more. */
  private isDeafTo({ id, incarnation, name }: Seen): boolean {
    if (incarnation.ended) return true
    const owned = this.options.owned(name)
    return owned?.id === id && owned.deaf
  }

  private saidStart(
    host: HostSeen,
    { actor: id, definition, incarnation: number, hasState, name, state }: StartCommand
  ): void {
    const incarnation: Incarnation = {
      number,
      host,
      since: this.simulator.steps,
      at: "under way",
      ended: false,
      stopping: false,
      halted: false,
      annulled: false
    }
    const owned = this.options.owned(name)
    if (owned?.id !== id || owned.incarnation !== number) {
      this.violated(`${name}/${number} is to begin in ${host.name}, and is not there any more`)
    }
    const known = this.actors.get(id)
    if (known === undefined) {
      // Killed before it could begin, it may begin with a later number.
      if (hasState) this.violated(`${name} begins with a state, and has never answered`)
      this.actors.set(id, {
        id,
        name,
        definition,
        incarnation,
        owed: [],
        given: 0,
        settled: 0,
        settledThere: 0,
        taken: 0,
        state: undefined,
        hasState: false,
        once: new Set(),
        withdrawn: new Set(),
        begun: 1,
        calls: new CallsSeen(name, (what) => this.violated(what))
      })
      return
    }
    if (number <= known.incarnation.number) this.violated(`${name} begins ${number} after ${known.incarnation.number}`)
    const { incarnation: before } = known
    if (!before.ended || (before.at === "in its host" && !before.host.dead)) {
      this.violated(`${name}/${number} begins, and ${name}/${before.number} is not gone`)
    }
    if (hasState !== known.hasState || JSON.stringify(state) !== JSON.stringify(known.state)) {
      this.violated(
        `${name}/${number} begins with ${JSON.stringify(state)}; the last reply that counted came with ${
          JSON.stringify(known.state)
        }`
      )
    }
    known.incarnation = incarnation
    for (const group of this.groups) this.joint(group, known)
    known.given = 0
    known.begun++
  }

  /** Those who restart with an actor are gone, or have begun since the first of them was. */
  private joint(group: Watched, actor: Seen): void {
    const from = group.strategy === "rest-for-one" ? group.names.indexOf(actor.name) : 0
    const names = group.names.slice(from)
    if (!names.includes(actor.name)) return
    // They begin in order: while one before it is gone, this one begins alone, and the joint restart is still to come.
    const at = group.names.indexOf(actor.name)
    const before = [...this.actors.values()].filter(({ name }) =>
      group.names.indexOf(name) < at && group.names.includes(name)
    )
    if (before.some(({ incarnation }) => incarnation.ended)) return
    group.resumed = true
    // What was kept for a host until it was up may be of an earlier joint restart.
    if ((actor.incarnation.host.readySince ?? 0) >= group.since) return
    for (const { incarnation: { ended, since, stopping }, name } of this.actors.values()) {
      if (names.includes(name) && !ended && !stopping && since < group.since) {
        this.violated(`${actor.name} begins again, and ${name} of its group is not gone`)
      }
    }
  }

  private saidMessage(
    id: number,
    number: number,
    seq: number,
    method: string,
    journal: JournalWord | undefined
  ): void {
    const actor = this.actors.get(id)
    if (actor === undefined || actor.incarnation.number !== number) {
      return this.violated(`a message ${seq} is given to an incarnation ${id}/${number} that was never begun`)
    }
    const { name, once, owed } = actor
    const replayable = this.options.replayable(actor.definition, method)
    if (seq > 0 ? seq <= actor.settled : seq >= actor.settledThere) {
      return this.violated(`${name} is given ${seq} again, which it has answered`)
    }
    const at = owed.findIndex((message) => message.seq === seq)
    if (at >= 0 && at < actor.given) return this.violated(`${name}/${number} is given ${seq} twice`)
    const passed = owed.splice(actor.given, at >= 0 ? at - actor.given : owed.length)
    const owned = this.options.owned(name)
    for (const { method, seq } of passed) {
      // What is not there any more was given up, was in hand at a death that leaves it out, or may not run twice.
      if (this.options.replayable(actor.definition, method) && owned?.id === id && owned.owes(seq)) {
        this.violated(`${name}/${number} is not given ${seq} again, which it owes`)
      }
    }
    if (at < 0) {
      const last = owed.at(-1)
      if (last !== undefined && seq <= last.seq) this.violated(`${name} is given ${seq} after ${last.seq}`)
      owed.push({ seq, method })
    }
    if (!replayable && once.has(seq)) {
      this.violated(`${name} is given ${seq} again, a ${method}, which must not run twice`)
    }
    // To one whose end has been heard, or whose host has said its last word, it is said in vain.
    const { ended, host } = actor.incarnation
    if (!replayable && !ended && !this.lastWords.has(host)) once.add(seq)
    actor.given++
    actor.calls.given(seq, journal)
  }

  // --- what a host hears and says

  began(host: HostSeen, { actor: id, incarnation: number, name }: StartCommand): void {
    const actor = this.actors.get(id)
    if (actor?.incarnation.number === number) actor.incarnation.at = "in its host"
    // The owner has given it up meanwhile; that it be halted is under way.
    if (actor?.incarnation.halted === true) return
    for (const other of this.actors.values()) {
      if (other.name !== name) continue
      const { at, halted, host: where } = other.incarnation
      if (at !== "in its host" || other === actor || where.dead || halted || where.terminated) continue
      this.violated(`two of ${name} are at work, in ${where.name} and ${host.name}`)
    }
  }

  reported(host: HostSeen, report: Report): void {
    switch (report[0]) {
      case "died":
      case "stopped": {
        const incarnation = this.of(host, report[1], report[2])
        if (incarnation !== undefined) incarnation.at = "gone"
        return
      }
      case "started":
      case "timed":
      case "answers":
      case "replied": {
        const incarnation = this.of(host, report[1], report[2])
        if (incarnation?.at === "gone") this.violated(`${report[1]}/${report[2]} says ${report[0]} after its end`)
        const told = report[0] === "replied" ? report[9] : undefined
        if (told !== undefined) this.actors.get(told[0])?.calls.saysThere(told[2], told[3])
        return
      }
      case "withdrawn":
        if (this.actors.get(report[1])?.withdrawn.has(report[3]) === true) return
        return this.violated(`${report[1]}/${report[2]} takes ${report[3]} back, which nobody has given up`)
      case "ready":
      case "refused":
      case "alive":
      case "exiting":
        return
    }
  }

  // --- what the owner hears

  /** The owner is about to hear it: of an end, how it stood with who has ended. */
  hearing(report: Report): void {
    if (report[0] !== "died" && report[0] !== "stopped") return
    const actor = this.actors.get(report[1])
    if (actor?.incarnation.number === report[2]) this.noteAnnulled(actor)
  }

  /** The owner has taken a report in, on the present link and before its end was decided. */
  heard(host: HostSeen, report: Report): void {
    switch (report[0]) {
      case "replied": {
        const [, id, number, seq, , , state, , , told] = report
        const actor = this.actors.get(id)
        if (actor === undefined || actor.incarnation.number !== number || this.isDeafTo(actor)) return
        if (actor.given === 0 || actor.owed[0]?.seq !== seq) {
          const { incarnation } = actor
          return this.afterwards(
            host,
            `a reply to ${seq} of ${actor.name}, out of its turn, is let pass`,
            () => incarnation.stopping || incarnation.halted
          )
        }
        const unheard = actor.calls.unheard(seq)
        if (unheard !== undefined) {
          return this.afterwards(
            host,
            `${actor.name} was told how its call ${unheard} ended, of which nobody has heard`
          )
        }
        actor.owed.shift()
        actor.given--
        if (seq > 0) actor.settled = seq
        else actor.settledThere = seq
        actor.state = state
        actor.hasState = state !== undefined
        if (told !== undefined) {
          const asker = this.actors.get(told[0])
          if (asker?.incarnation.number === told[1] && !this.isDeafTo(asker)) asker.calls.toldThere(told[2], told[3])
        }
        return
      }
      case "asking":
      case "abandoned":
      case "slept": {
        const [kind, id, number, seq, call] = report
        const actor = this.actors.get(id)
        if (actor === undefined || actor.incarnation.number !== number || this.isDeafTo(actor)) return
        if (kind === "asking") {
          actor.calls.asking(seq, call, actor.given > 0 ? actor.owed[0]?.seq : undefined, host.terminated)
          if (!host.terminated) this.takenIn(report)
        }
        if (kind === "abandoned") actor.calls.abandoned(seq, call)
        return
      }
      case "withdrawn":
      case "refused": {
        const [, id, number, seq] = report
        const actor = this.actors.get(id)
        if (actor === undefined || actor.incarnation.number !== number || this.isDeafTo(actor)) return
        const at = actor.owed.findIndex((message) => message.seq === seq)
        if (at < 0 || at >= actor.given) return
        actor.owed.splice(at, 1)
        actor.given--
        actor.once.delete(seq)
        return
      }
      case "died":
      case "stopped": {
        const [, id, number] = report
        const actor = this.actors.get(id)
        if (actor?.incarnation.number !== number || actor.incarnation.host !== host) return
        if (report[0] === "died") started(actor, report[4])
        return this.ended(actor)
      }
      case "exiting": {
        this.lastWords.add(host)
        const working = new Map(report[1].map((its) => [its[0], its]))
        for (const actor of this.actors.values()) {
          if (actor.incarnation.host !== host || actor.incarnation.ended) continue
          const [, number, seq] = working.get(actor.id) ?? []
          started(actor, number === actor.incarnation.number ? seq ?? 0 : 0)
        }
        return
      }
      case "ready":
      case "started":
      case "timed":
      case "answers":
      case "alive":
        return
      default:
        if (host.readySince !== undefined && !host.terminated) {
          this.violated(`"${String(report[0])}", which is no report, is let pass`)
        }
    }
  }

  /** Once what follows is said: whom the owner has ended meanwhile, it does not hear any more. */
  private afterwards(host: HostSeen, what: string, excused = () => false): void {
    this.simulator.micro.push({
      side: this.simulator.owner,
      run: () => {
        if (!host.terminated && !excused()) this.violated(what)
      }
    })
  }

  /** A host has given a message to one who lives there, too, and the owner has agreed. */
  private takenIn(report: Extract<Report, readonly ["asking", ...ReadonlyArray<unknown>]>): void {
    const [target, method] = [report[6], report[8]]
    const taken = report[16]
    const actor = this.actors.get(target)
    if (taken === undefined || actor === undefined) return
    const [number, seq] = taken
    if (actor.incarnation.number !== number || this.isDeafTo(actor)) {
      return this.violated(`${actor.name}/${number} is held to have ${seq}, and is not heard any more`)
    }
    if (seq !== -1 - actor.taken) this.violated(`${actor.name} was given ${seq}, and ${-1 - actor.taken} would be next`)
    if (actor.owed[0] !== undefined && actor.owed[0].seq < 0) {
      this.violated(`${actor.name} was given ${seq} while it had ${actor.owed[0].seq} in hand`)
    }
    actor.taken++
    actor.owed.unshift({ seq, method })
    actor.given++
    if (!this.options.replayable(actor.definition, method)) actor.once.add(seq)
  }

  // --- at the end

  /** All is over: nothing may be left. */
  over(hosts: ReadonlyArray<HostSeen>): void {
    for (const host of hosts) if (!host.dead) this.violated(`${host.name} is left behind`)
    if (!this.simulator.idle) this.violated("something is still to happen after the end")
  }

  /** What each actor was given and has not answered, of those who are there: what a run waits for that comes to no end. */
  get waiting(): ReadonlyArray<string> {
    return [...this.actors.values()].filter(({ given, incarnation }) => given > 0 && !incarnation.ended).map(
      (actor) => {
        const { method, seq } = actor.owed[0]!
        return `${actor.name} has ${method} (message ${seq}) in hand`
      }
    )
  }

  /** Asks the owner whether the incarnation is annulled: it may be before the host is told, and its end come first. */
  private noteAnnulled({ id, incarnation, name }: Seen): void {
    const owned = this.options.owned(name)
    if (owned?.id === id && owned.incarnation === incarnation.number && owned.annulled) incarnation.annulled = true
  }

  private ended(actor: Seen): void {
    this.noteAnnulled(actor)
    actor.incarnation.ended = true
    if (actor.incarnation.annulled) return
    for (const group of this.groups) {
      if (!group.resumed || !group.names.includes(actor.name)) continue
      group.since = this.simulator.steps
      group.resumed = false
    }
  }

  private present(id: number, number: number): Incarnation | undefined {
    const incarnation = this.actors.get(id)?.incarnation
    return incarnation?.number === number ? incarnation : undefined
  }

  private of(host: HostSeen, id: number, number: number): Incarnation | undefined {
    const incarnation = this.present(id, number)
    return incarnation?.host === host ? incarnation : undefined
  }

  private violated(what: string): void {
    this.simulator.violated(what)
  }
}

/** By its host's own word an incarnation came as far as this message, and has begun no later one. */
const started = ({ once }: Seen, seq: number): void => {
  for (const given of once) if (given > seq) once.delete(given)
}
