/**
 * What the message in hand has called and was told, kept by the owner until its reply is committed.
 *
 * Its actor dies: the message runs again, finds each call here by what it is, and is told the same outcomes in the same order,
 * so nothing is sent twice. The lines stand in the order in which the incarnation saw them. That is known from what it
 * says: each call names how many outcomes it had been told, and an outcome that was still on its way comes after it.
 */
import type { Call, CallEnd, CallEndThere } from "../hosts/Host.ts"
import type { JournalWord, Line } from "../links/HostLink.ts"

export class Journal implements JournalWord {
  /** The message. */
  readonly seq: number
  began: number | undefined
  calls = 0
  /** Waits for the clock that are over. */
  waits = 0
  readonly lines: Array<Line> = []
  /** When its first call came, in milliseconds of the system's time. */
  private readonly since: number
  /** Outcomes told, and those of them that its present incarnation was told by its host. */
  told = 0
  toldByHost = 0

  constructor(seq: number, now: number) {
    this.seq = seq
    this.since = now
  }

  called({ call, heard, method, mode, payload, to }: Call): void {
    this.calls = call
    this.insert(heard, ["call", call, mode, to.id, to.name, method.name, payload])
  }

  /** A call was taken back before it had any effect. */
  recall(call: number): void {
    const at = this.lines.findIndex((line) => line[0] === "call" && line[1] === call)
    const line = this.lines[at]
    if (line?.[0] !== "call") return
    const [, ...what] = line
    this.lines[at] = ["recalled", ...what]
  }

  slept(nth: number, heard: number): void {
    this.waits++
    this.insert(heard, ["slept", nth])
  }

  /** `within`: before the call had returned. */
  tell(call: number, { at, kind, value }: CallEnd, within: boolean): void {
    this.told++
    this.lines.push(["told", call, kind, value, at, within])
  }

  /** Its host has told it how a call ended. */
  toldThere(call: number, end: CallEndThere): void {
    this.toldByHost++
    this.tell(call, end, end.within)
  }

  /** Its host had told it otherwise, before it heard of us. */
  correct(call: number, { at, kind, value, within }: CallEndThere): void {
    this.toldByHost++
    const index = this.lines.findIndex((line) => line[0] === "told" && line[1] === call)
    if (index >= 0) this.lines[index] = ["told", call, kind, value, at, within]
  }

  /** How long the message has been making calls, in milliseconds. */
  at(now: number): number {
    return now - this.since
  }

  /** Before the outcomes that its incarnation had not been told yet. */
  private insert(heard: number, line: Line): void {
    let at = this.lines.length
    for (let unheard = this.told - heard; unheard > 0 && at > 0;) if (this.lines[--at]![0] === "told") unheard--
    if (at === this.lines.length) this.lines.push(line)
    else this.lines.splice(at, 0, line)
  }
}
