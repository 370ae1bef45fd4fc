/**
 * Mistakes to plant in a copy of `src/actors`, one at a time: what the box must see, and how soon.
 *
 * `from` must stand in the file once. `seeds` is in how many seeds the mistake must be found; `null` where it cannot be told
 * from right, or has not been found, and `why` says why.
 */
import type { Workload } from "./workloads/index.ts"

export interface Mutant {
  readonly name: string
  readonly file: string
  readonly from: string
  readonly to: string
  /** What is run to find it. */
  readonly workload: Workload
  readonly seeds: number | null
  readonly why?: string
}

export const mutants: ReadonlyArray<Mutant> = [
  {
    name: "after a death nothing is delivered again",
    file: "owner/Ledger.ts",
    from: "    const { delivered } = this\n    this.delivered = 0\n    return delivered",
    to: "    return this.delivered",
    workload: "tallies",
    seeds: 50
  },
  {
    name: "a state counts though its reply does not",
    file: "owner/Guardian.ts",
    from:
      "    const envelope = this.ledger.settle(seq)\n    if (envelope === undefined) return false\n    told?.()\n    if (this.definition.stateCodec !== undefined) {\n      this.state = state\n      this.hasState = true\n    }\n",
    to:
      "    if (this.definition.stateCodec !== undefined) {\n      this.state = state\n      this.hasState = true\n    }\n    const envelope = this.ledger.settle(seq)\n    if (envelope === undefined) return false\n    told?.()\n",
    workload: "tallies",
    seeds: null,
    why: "a reply out of its turn ends the link before the guardian hears of it, and fibers have none"
  },
  {
    name: "a reply out of its turn is passed over, its link is not ended",
    file: "hosts/RemoteHost.ts",
    from: "      return this.broken(`a reply to message ${seq} of ${tenant.name}, which is not its turn`)",
    to: "      return",
    workload: "tallies",
    seeds: 200
  },
  {
    name: "a reply out of its turn counts, with its state",
    file: "hosts/RemoteHost.ts",
    from: "      return this.broken(`a reply to message ${seq} of ${tenant.name}, which is not its turn`)",
    to: "      Object.assign(tenant, { state })\n      return",
    workload: "tallies",
    seeds: 200
  },
  {
    name: "a name is free as soon as its actor is told to stop",
    file: "owner/Guardian.ts",
    from: "    const { placed } = this\n    this.status = \"stopping\"",
    to:
      "    const { placed } = this\n    this.status = \"stopping\"\n    this.around.ended(this, { _tag: \"Stopped\" })",
    workload: "tallies",
    seeds: 50
  },
  {
    name: "no fence: the successor comes before its forerunner is gone",
    file: "hosts/RemoteHost.ts",
    from: "    this.ending ??= death\n    this.link?.terminate()",
    to:
      "    this.ending ??= death\n    const { link } = this\n    link?.terminate()\n    if (link !== undefined) this.exited(death.message, undefined)",
    workload: "tallies",
    seeds: 100
  },
  {
    name: "the state is that of when replies leave, not of each reply",
    file: "hosts/HostServer.ts",
    from: "(batch) => this.port.post(batch, this.moved",
    to:
      "(batch) => this.port.post(batch.map((report, _, all): Report => {\n      const last = all.findLast((other) => other[0] === \"replied\" && other[1] === report[1])\n      return report[0] === \"replied\" && last?.[0] === \"replied\" ? [report[0], report[1], report[2], report[3], report[4], report[5], last[6]] : report\n    }), this.moved",
    workload: "tallies",
    seeds: 100
  },
  {
    name: "a lost reply is not noticed at a sign of life",
    file: "hosts/RemoteHost.ts",
    from: "        if (reports !== this.heard) return",
    to: "        if (reports !== this.heard && reports < 0) return",
    workload: "tallies",
    seeds: 300
  },
  {
    name: "a lost command is not noticed at a sign of life",
    file: "hosts/RemoteHost.ts",
    from: "        if (heard !== posted) return",
    to: "        if (heard !== posted && heard < 0) return",
    workload: "tallies",
    seeds: 300
  },
  {
    name: "a cell that is halted goes on",
    file: "hosts/Cell.ts",
    from: "    this.halted ??= death\n    this.fiber?.interruptUnsafe()",
    to: "    this.halted ??= death",
    workload: "tallies",
    seeds: 100
  },
  {
    name: "a guardian hears replies of dead incarnations",
    file: "owner/Guardian.ts",
    from: "    if (!this.hears(incarnation)) return false\n    if (answers !== undefined && this.isLate",
    to: "    if (this.status === \"ended\") return false\n    if (answers !== undefined && this.isLate",
    workload: "tallies",
    seeds: null,
    why: "a host's own look at the incarnation comes first, and a fiber has told of its death by then"
  },
  {
    name: "a host's report of an earlier incarnation is heard",
    file: "hosts/RemoteHost.ts",
    from:
      "    if (tenant === undefined || incarnation !== tenant.incarnation || tenant.deaf) return this.mistold(told)",
    to: "    if (tenant === undefined || tenant.deaf) return this.mistold(told)",
    workload: "tallies",
    seeds: null,
    why: "the guardian's own look at the incarnation stands behind it"
  },
  {
    name: "the death of an earlier incarnation is heard",
    file: "owner/Guardian.ts",
    from:
      "bystander = false): void {\n    if (incarnation !== this.incarnation || this.status === \"ended\" || this.going) return",
    to: "bystander = false): void {\n    if (this.status === \"ended\" || this.going) return",
    workload: "tallies",
    seeds: null,
    why: "who was told of its death waits between two incarnations, where no other death is heard"
  },
  {
    name: "a host is heard after its end was decided",
    file: "hosts/RemoteHost.ts",
    from: "      if (this.ending !== undefined) return\n      this.heard++",
    to: "      this.heard++",
    workload: "tallies",
    seeds: 1000
  },
  {
    name: "a joint restart begins before all are gone",
    file: "owner/Siblings.ts",
    from: "    const going = new Set(all.filter((other) => other !== member && other.placed))",
    to: "    const going = new Set(all.filter((other) => other !== member && other.placed).slice(1))",
    workload: "tallies",
    seeds: 500
  },
  {
    name: "one-for-all restarts the one alone",
    file: "owner/Siblings.ts",
    from: "    if (all.length === 1) return",
    to: "    if (all.length >= 1) return",
    workload: "limits",
    seeds: 200
  },
  {
    name: "what an earlier link says is heard",
    file: "hosts/RemoteHost.ts",
    from: "    const present = () => generation === this.generation && this.link !== undefined",
    to: "    const present = () => generation <= this.generation && this.link !== undefined",
    workload: "tallies",
    seeds: 2000
  },
  {
    name: "silence is never held against a host",
    file: "hosts/RemoteHost.ts",
    from: "    if (left > 0) return this.ping()",
    to: "    if (left > -1e9) return this.ping()",
    workload: "tallies",
    seeds: 100
  },
  {
    name: "a host may take for ever to come up",
    file: "hosts/RemoteHost.ts",
    from: "      this.end(new Death({ kind: \"StartFailed\", message: `not ready within ${startMillis} ms` }))",
    to: "      // Nothing.",
    workload: "tallies",
    seeds: 1500
  },
  {
    name: "what may not run twice runs twice",
    file: "owner/Guardian.ts",
    from: "!method.replayable && (seq === undefined || its <= seq && seq !== 0)",
    to: "!method.replayable && seq === -1e9",
    workload: "limits",
    seeds: 50
  },
  {
    name: "what may not run twice runs twice where its host ended without a word",
    file: "owner/Guardian.ts",
    from: "!method.replayable && (seq === undefined || its <= seq && seq !== 0)",
    to: "!method.replayable && seq !== undefined && its <= seq",
    workload: "limits",
    seeds: 500
  },
  {
    name: "who comes late overtakes those who wait for room",
    file: "owner/Ledger.ts",
    from: "    return this.owed.size >= this.capacity || this.waiting > 0",
    to: "    return this.owed.size >= this.capacity",
    workload: "tallies",
    seeds: null,
    why: "whenever there is room, those who wait are let in at once: there is nobody to overtake"
  },
  {
    name: "a successor begins without a state",
    file: "hosts/RemoteHost.ts",
    from: "      hasState: tenant.hasState,",
    to: "      hasState: false,",
    workload: "tallies",
    seeds: 50
  },
  {
    name: "one restart more than allowed",
    file: "Supervision.ts",
    from: "    if (this.times.length >= maxRestarts) return 0",
    to: "    if (this.times.length > maxRestarts) return 0",
    workload: "limits",
    seeds: 500
  },
  {
    name: "what is put off while something put off is done is forgotten",
    file: "Turn.ts",
    from: "    for (let i = 0; i < this.put.length; i++) this.put[i]!()",
    to: "    for (let i = 0, { length } = this.put; i < length; i++) this.put[i]?.()",
    workload: "mixed",
    seeds: null,
    why: "what is put off puts off something only where a value could not be sent, and all values of the workloads can"
  },
  {
    name: "a spare does not say again that it is ready",
    file: "links/Spares.ts",
    from: "        for (const batch of spare.said) events.received(batch)",
    to: "        // Nothing.",
    workload: "starts",
    seeds: 100
  },
  {
    name: "a spare that died waits on",
    file: "links/Spares.ts",
    from: "        if (index >= 0) this.waiting.splice(index, 1)",
    to: "        // Nothing.",
    workload: "starts",
    seeds: 500
  },
  {
    name: "who is stopped between two incarnations never ends",
    file: "owner/Guardian.ts",
    from: "    else this.finish(stopped)\n  }\n\n  /**\n   * Ends the actor at the owner's side",
    to: "  }\n\n  /**\n   * Ends the actor at the owner's side",
    workload: "endings",
    seeds: null,
    why: "whoever stops it ends it after the grace all the same"
  },
  {
    name: "after one deadline no other is kept",
    file: "owner/Sweeper.ts",
    from: "    if (next < this.at) {",
    to: "    if (next < 0) {",
    workload: "endings",
    seeds: 500
  },
  {
    name: "an ask pays for the time in which the program did not run",
    file: "owner/Guardian.ts",
    from: "      if (paused && envelope.expires <= now) envelope.expires = now + envelope.millis",
    to: "      // Nothing.",
    workload: "tallies",
    seeds: null,
    why:
      "the loop has taken the pause out of the time already; what is left is shown by real programs (test/actors/pause.test.ts)"
  },
  {
    name: "a start pays for the time in which the program did not run",
    file: "../time/deadline.ts",
    from: "(paused) => paused ? wait() : late())",
    to: "() => late())",
    workload: "tallies",
    seeds: 2000
  },
  {
    name: "a fiber that yields before it falls asleep is not woken",
    file: "hosts/Cell.ts",
    from: "    if (this.stopping || (this.mailbox?.size ?? 0) > 0) resume(this.next)\n    else this.wake = resume",
    to: "    this.wake = resume",
    workload: "mixed",
    seeds: 5000
  },
  {
    name: "who has ended is begun in a host that comes up",
    file: "hosts/RemoteHost.ts",
    from: "    if (incarnation !== undefined) this.forgotten.set(tenant.id, incarnation)",
    to: "    if (incarnation !== undefined && incarnation < 0) this.forgotten.set(tenant.id, incarnation)",
    workload: "endings",
    seeds: 500
  },
  {
    name: "who waits for its next incarnation dies again with its host",
    file: "owner/Guardian.ts",
    from: "    if (!this.placed) return\n    const { sentence }",
    to: "    const { sentence }",
    workload: "limits",
    seeds: 3000
  },
  {
    name: "a mailbox that grows loses its place",
    file: "Mailbox.ts",
    from: "    this.ring = Array.from({ length: Math.max(4, this.ring.length * 2) })\n    this.head = 0",
    to: "    this.ring = Array.from({ length: Math.max(4, this.ring.length * 2) })",
    workload: "tallies",
    seeds: 200
  },
  {
    name: "who has failed for good leaves its messages unanswered",
    file: "owner/Guardian.ts",
    from: "    for (const envelope of [...this.takeLater(), ...this.ledger.drain()]) this.answer(envelope, failure)",
    to: "    // Nothing.",
    workload: "limits",
    seeds: 100
  },
  {
    name: "who leaves a group is waited for",
    file: "owner/Siblings.ts",
    from: "    if (index >= 0) this.members?.splice(index, 1)\n    this.gone(member)",
    to: "    if (index >= 0) this.members?.splice(index, 1)",
    workload: "limits",
    seeds: null,
    why: "a member would have to be stopped during a joint restart that waits for it, which no workload does"
  },
  {
    name: "a host begins though it is of no use: two are opened for one",
    file: "hosts/RemoteHost.ts",
    from: "    if (this.link !== undefined || this.closing) return\n    this.ready = false",
    to: "    if (this.link !== undefined && this.ready || this.closing) return\n    this.ready = false",
    workload: "tallies",
    seeds: 200
  },
  {
    name: "one who is given up stays in the line for room",
    file: "owner/Guardian.ts",
    from: "    else if (this.ledger.take(envelope.seq) !== undefined) this.admit()",
    to: "    // Nothing.",
    workload: "endings",
    seeds: 500
  },
  {
    name: "one who is given up leaves no room to the next",
    file: "owner/Guardian.ts",
    from: "    else if (this.ledger.take(envelope.seq) !== undefined) this.admit()",
    to: "    else this.ledger.take(envelope.seq)",
    workload: "endings",
    seeds: 500
  },
  {
    name: "what was taken back is still waited for",
    file: "owner/Guardian.ts",
    from: "    if (this.ledger.take(seq) !== undefined) this.admit()\n  }\n",
    to: "  }\n",
    workload: "endings",
    seeds: 500
  },
  {
    name: "what is begun is said to have been taken back",
    file: "hosts/Cell.ts",
    from: "    if (mailbox?.at(index)?.seq !== seq) return false\n    mailbox.remove(index)\n",
    to: "    if (mailbox?.at(index)?.seq === seq) mailbox.remove(index)\n",
    workload: "endings",
    seeds: 500
  },
  {
    name: "who is given up is left out, whatever was behind it",
    file: "Mailbox.ts",
    from: "    this.ring[(this.head + --this.count) & mask] = undefined",
    to: "    this.ring[(this.head + index) & mask] = undefined",
    workload: "endings",
    seeds: 500
  },
  {
    name: "what was given up in hand is done to its end, and counts",
    file: "hosts/Cell.ts",
    from: "      this.halt(cancelled(message.method.name))\n      return false",
    to: "      return false",
    workload: "endings",
    seeds: null,
    why: "an ask that is given up may come to its end before its host hears of it"
  },
  {
    name: "what was given up in hand is done again",
    file: "owner/Guardian.ts",
    from: "(envelope !== inHand || envelope.method.cancellable))",
    to: "envelope !== inHand)",
    workload: "endings",
    seeds: 500
  },
  {
    name: "who resumes does the same message again",
    file: "owner/Siblings.ts",
    from: "        if (!member.dropInHand(death)) return",
    to: "        if (death === undefined) return",
    workload: "limits",
    seeds: 2000
  },
  {
    name: "to resume is counted as a restart",
    file: "owner/Siblings.ts",
    from: "        return this.begin([member], death, \"at once\")\n      default:",
    to: "        return this.restart(member, death, 0, false)\n      default:",
    workload: "limits",
    seeds: 2000
  },
  {
    name: "what a handler sets begins though its message is not answered",
    file: "hosts/Cell.ts",
    from: "    if (this.served && this.message === undefined) return",
    to: "    if (this.served) return",
    workload: "timers",
    seeds: 500
  },
  {
    name: "timers end with the incarnation",
    file: "owner/Guardian.ts",
    from: "    this.status = \"restarting\"",
    to: "    this.timers?.clear()\n    this.status = \"restarting\"",
    workload: "timers",
    seeds: 100
  },
  {
    name: "who takes a timer's place does not end it",
    file: "owner/Timers.ts",
    from: "      this.cancel(key)\n      const [",
    to: "      const [",
    workload: "timers",
    seeds: 500
  },
  {
    name: "a timer that was ended goes on",
    file: "owner/Timers.ts",
    from: "    this.byKey.get(key)?.callOff()\n",
    to: "",
    workload: "timers",
    seeds: 100
  },
  {
    name: "a timer waits from the reply on, not from when it was set",
    file: "owner/Timers.ts",
    from: "this.now() + millis - elapsed)",
    to: "this.now() + millis)",
    workload: "timers",
    seeds: null,
    why: "it comes too late, and nobody may rely on when a message is handled"
  },
  {
    name: "what a start sets takes the place of what is there",
    file: "owner/Guardian.ts",
    from: "this.setTimers(timers, true)",
    to: "this.setTimers(timers, false)",
    workload: "timers",
    seeds: null,
    why: "it comes later, and nobody dies so often that it never comes"
  },
  {
    name: "journal: what was called is called again",
    file: "hosts/Hand.ts",
    from: "      if (kept !== undefined) return this.again(run, kept, made)",
    to: "      if (kept !== undefined) run.kept.delete(kept[1])",
    workload: "tellers",
    seeds: 50
  },
  {
    name: "journal: a call is found by whom and how, not by what",
    file: "hosts/Hand.ts",
    from: "      if (payload === undefined ? kind === \"call\" : sameValue(sent, payload.is)) return line",
    to: "      if (payload === undefined ? kind === \"call\" : sameValue(sent, sent)) return line",
    workload: "tellers",
    seeds: 1000
  },
  {
    name: "journal: answers come before the calls that stood before them",
    file: "hosts/Hand.ts",
    from: "      if (!isCall(line) || run.kept.has(line[1])) return",
    to: "      if (!isCall(line)) return",
    workload: "tellers",
    seeds: 300
  },
  {
    name: "journal: what a message was told is not kept",
    file: "owner/Calls.ts",
    from: "    if (kept !== undefined && told !== undefined) kept.tell(",
    to: "    if (kept !== undefined && told !== undefined && seq < 0) kept.tell(",
    workload: "tellers",
    seeds: 50
  },
  {
    name: "journal: the date that a handler has seen is not kept",
    file: "owner/Calls.ts",
    from: "    this.journal.began ??= began\n",
    to: "",
    workload: "tellers",
    seeds: 100
  },
  {
    name: "journal: what is asked of the system is not kept: a child is spawned twice",
    file: "owner/Calls.ts",
    from: "    journal?.called(call)",
    to: "    if (to.id !== systemId) journal?.called(call)",
    workload: "tellers",
    seeds: 50
  },
  {
    name: "journal: a message is given again without it",
    file: "owner/Guardian.ts",
    from: "this.made?.journalFor(envelope.seq))",
    to: "undefined)",
    workload: "tellers",
    seeds: 50
  },
  {
    name: "journal: what is done while being killed counts",
    file: "hosts/Cell.ts",
    from: "    return this.over || this.halted !== undefined\n  }\n\n  asking",
    to: "    return this.over\n  }\n\n  asking",
    workload: "tellers",
    seeds: 50
  },
  {
    name: "journal: a call that comes twice is made twice",
    file: "hosts/RemoteHost.ts",
    from: "    if (!tenant.hasMade(seq, call - 1, slept, heard)) {",
    to: "    if (!tenant.hasMade(seq, call - 1, slept, heard) && seq === -1e9) {",
    workload: "tellers",
    seeds: 300
  },
  {
    name: "journal: what is told before a message is begun again is lost",
    file: "hosts/Cell.ts",
    from: "    if (next?.seq === seq && next instanceof Replayed) return next.told(call, told)\n",
    to: "",
    workload: "tellers",
    seeds: 1000
  },
  {
    name: "journal: a call is found by its number only",
    file: "hosts/Hand.ts",
    from:
      "      if (its !== mode || target !== to.id || name !== method.name) continue\n      if (payload === undefined ? kind === \"call\" : sameValue(sent, payload.is)) return line",
    to: "      return line",
    workload: "tellers",
    seeds: 200
  },
  {
    name: "journal: an outcome is recorded before its reply is committed",
    file: "owner/Guardian.ts",
    from: "      this.state = state\n      this.hasState = true\n    }\n    if (timers",
    to:
      "      this.around.alarms.set(this.around.now() + 2, () => {\n        this.state = state\n        this.hasState = true\n      })\n    }\n    if (timers",
    workload: "tellers",
    seeds: 50
  },
  {
    name: "children: a parent lives on when a child fails with whom it is to fail",
    file: "owner/Guardian.ts",
    from: "    if (pact && this.served) parent?.bereaved(this, death)",
    to: "",
    workload: "tellers",
    seeds: 50
  },
  {
    name: "later: an answer to one who has given up counts",
    file: "owner/Guardian.ts",
    from: "    if (late === undefined || this.ledger.oldest?.method.replayable !== true) return false",
    to: "    if (late === undefined || seq > 0) return false",
    workload: "queues",
    seeds: 200
  },
  {
    name: "later: an answer counts though its message is not answered",
    file: "hosts/Cell.ts",
    from: "    if (this.served && this.message === undefined) this.reportAnswers()",
    to: "    if (this.served) this.reportAnswers()",
    workload: "queues",
    seeds: 50
  },
  {
    name: "later: tokens end with the incarnation",
    file: "owner/Guardian.ts",
    from: "    return this.owedLater === undefined ? none : this.owedLater.words",
    to: "    return none",
    workload: "tellers",
    seeds: 300
  },
  {
    name: "later: what was answered is answered again",
    file: "owner/Later.ts",
    from: "    const envelope = this.waiting.get(seq)\n    this.waiting.delete(seq)\n    return envelope",
    to: "    return this.waiting.get(seq)",
    workload: "queues",
    seeds: 50
  },
  {
    name: "later: an answer does not stand though a call has followed it",
    file: "owner/Guardian.ts",
    from: "    if (call.answered !== undefined) this.owedLater?.stand(call.answered)\n",
    to: "",
    workload: "queues",
    seeds: 3000
  },
  {
    name: "later: who has given up is waited for on",
    file: "owner/Guardian.ts",
    from: "      if (this.owedLater.forsake(envelope)) this.tellForsaken(envelope.seq)\n",
    to: "",
    workload: "queues",
    seeds: 50
  },
  {
    name: "neighbors: who is asked by a neighbor is given the message again",
    file: "owner/Ledger.ts",
    from: "    this.owed.unshift(envelope)\n    this.delivered++",
    to: "    this.owed.unshift(envelope)",
    workload: "tellers",
    seeds: 50
  },
  {
    name: "neighbors: what its host has told an asker is not kept",
    file: "owner/Calls.ts",
    from: "    if (open.told !== undefined) return kept?.toldThere(call, open.told)",
    to: "    if (open.told !== undefined) return",
    workload: "tellers",
    seeds: 50
  },
  {
    name: "neighbors: what its host has told an asker is told it again",
    file: "owner/Calls.ts",
    from: "    if (open.told !== undefined) return kept?.toldThere(call, open.told)\n",
    to: "",
    workload: "tellers",
    seeds: 50
  },
  {
    name: "neighbors: a host tells how a call ended though others are under way",
    file: "hosts/Hand.ts",
    from: "    if (run === undefined || this.over || run.again || run.received !== run.calls - 1) return undefined",
    to: "    if (run === undefined || this.over || run.again) return undefined",
    workload: "tellers",
    seeds: 500
  },
  {
    name: "neighbors: an ask overtakes what was told before",
    file: "hosts/HostServer.ts",
    from: "asker.cell.replayable && !underWay.has(to.id)",
    to: "asker.cell.replayable",
    workload: "tellers",
    seeds: 200
  },
  {
    name: "neighbors: an ask overtakes what an earlier incarnation has told",
    file: "hosts/UnderWay.ts",
    from: "    this.floor = incarnation === 1 ? -1 : 0",
    to: "    this.floor = -1",
    workload: "tellers",
    seeds: 1500
  },
  {
    name: "neighbors: what one was told stands though it does not count",
    file: "hosts/RemoteHost.ts",
    from: "    if (told !== undefined) this.tenants.get(told[0])?.mistaken(told[1])",
    to: "    // Nothing.",
    workload: "tellers",
    seeds: null,
    why:
      "who was told so is found out by the number of outcomes when it answers, and its host is ended, as one may be that was struck before"
  },
  {
    name: "neighbors: a reply that does not count is told all the same",
    file: "hosts/RemoteHost.ts",
    from: "    if (!counts) asker.mistaken(its)",
    to: "    // Nothing.",
    workload: "tellers",
    seeds: 1000
  },
  {
    name: "neighbors: what is asked in the name of one who is not heard counts",
    file: "hosts/RemoteHost.ts",
    from: "      if (taken !== undefined) this.tenants.get(target)?.mistaken(taken[0])",
    to: "      // Nothing.",
    workload: "tellers",
    seeds: 1000
  },
  {
    name: "neighbors: an outcome that was lost on the way is not missed at a reply",
    file: "hosts/RemoteHost.ts",
    from: "    if (heard !== tenant.heardThere(seq)) {",
    to: "    if (heard !== tenant.heardThere(seq) && heard < 0) {",
    workload: "neighbors",
    seeds: 1000
  },
  {
    name: "neighbors: an outcome that was lost on the way is not missed at a call",
    file: "owner/Calls.ts",
    from: "    if (heard > (journal?.told ?? 0)) return false",
    to: "",
    workload: "tellers",
    seeds: 3000
  },
  {
    name: "children: a parent begins anew though an old child is still at work",
    file: "owner/Guardian.ts",
    from: "    if (this.children?.awaits(() => this.resurrect(counted)) === true) return\n",
    to: "",
    workload: "wards",
    seeds: 50
  },
  {
    name: "children: a parent begins anew though a child of an old child is still at work",
    file: "owner/Guardian.ts",
    from: "    this.children?.end(() => (left++, true), one)",
    to: "    this.children?.end(() => true)",
    workload: "wards",
    seeds: 500
  }
]
