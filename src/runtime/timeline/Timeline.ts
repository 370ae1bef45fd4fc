/**
 * What happened when, for people who look: a window of a run in Chrome's trace format, which Perfetto
 * (https://ui.perfetto.dev) and `chrome://tracing` open. A row an actor, and one a thread; messages are arrows, deaths are marks.
 * Format: https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
 */
import * as Context from "effect/Context"
import type { Answered, Observer } from "../../actors/Observer.ts"
import { type Placement, placements } from "../../actors/Placement.ts"
import { runningTime } from "../../time/runningTime.ts"

/** Which part of a run is kept, in seconds since its start. */
export interface Window {
  readonly from: number
  readonly seconds: number
}

/** So many events are kept at most: some 60 MB of a file. */
export const mostEvents = 400_000

/** The two groups of rows, as processes of the trace. */
const groups = { actors: 1, threads: 2 } as const
type Group = keyof typeof groups

/** One event of the trace; times are in microseconds. */
interface TraceEvent {
  readonly name: string
  readonly ph: "X" | "i" | "s" | "f" | "M"
  readonly pid: number
  readonly tid: number
  readonly ts: number
  readonly dur?: number
  readonly id?: number
  readonly bp?: "e"
  readonly s?: "t"
  readonly cat?: string
  readonly args?: Readonly<Record<string, string | number>>
}

/** The row of whoever asks: the run itself. */
const trainer = "trainer"

const threadOf = (placement: Placement, host: number): string =>
  placement === "fiber" ? "this thread" : `${placement} ${host}`

export class Timeline {
  private readonly events: Array<TraceEvent> = []
  private readonly rows = new Map<string, number>()
  private readonly begin: number
  private readonly end: number
  /** Where each actor lives. */
  private readonly homes = new Map<string, string>()
  private arrows = 0
  /** Events of the window that found no room. */
  dropped = 0

  /** `start` is second 0, in milliseconds of the running time. */
  constructor({ from, seconds }: Window, start = runningTime.now()) {
    this.begin = start + from * 1000
    this.end = this.begin + seconds * 1000
    this.row("actors", trainer)
    this.row("threads", threadOf("fiber", 0))
  }

  /** Milliseconds until its window is over. */
  get remaining(): number {
    return this.end - runningTime.now()
  }

  /** What the trainer itself does, from `began` until now. */
  did(name: string, began: number): void {
    const ended = runningTime.now()
    if (!this.covers(began, ended, 2)) return
    this.slice("actors", trainer, name, began, ended)
    this.slice("threads", threadOf("fiber", 0), name, began, ended)
  }

  /** What a system tells of its actors. */
  readonly observer: Observer = {
    answered: (message) => this.answered(message),
    happened: (event, at) => {
      switch (event._tag) {
        case "Spawned":
          this.homes.set(event.actor, threadOf(placementOf(event.placement), event.host))
          return
        case "Died":
          return this.mark(event.actor, `died: ${event.death.kind}`, at, { why: event.death.message })
        case "Restarted":
          return this.mark(event.actor, "restarted", at, {
            recovery_ms: event.recoveryMillis,
            replayed: event.replayed
          })
        case "Failed":
          return this.mark(event.actor, "failed", at, { why: event.death.message })
        case "Stopped":
          return this.mark(event.actor, "stopped", at, {})
        case "Started":
        case "Unheard":
        case "HostStarted":
        case "HostExited":
          return
      }
    }
  }

  private answered({ actor, began, ended, host, method, placement, sent, seq }: Answered): void {
    if (!this.covers(sent, ended, 6)) return
    const args = { message: seq, waited_ms: began - sent }
    const thread = threadOf(placement, host)
    this.slice("actors", actor, method, began, ended, args)
    this.slice("threads", thread, `${actor} ${method}`, began, ended, args)
    this.arrow(trainer, sent, actor, began)
    this.arrow(actor, ended, trainer, ended)
  }

  /** Whether something of that time is kept, which takes so many events. */
  private covers(began: number, ended: number, events: number): boolean {
    if (ended < this.begin || began > this.end) return false
    if (this.events.length + events <= mostEvents) return true
    this.dropped += events
    return false
  }

  private micros(millis: number): number {
    return Math.round((millis - this.begin) * 1000 * 1000) / 1000
  }

  /** The number of a row, which gets its name when it is new. */
  private row(group: Group, name: string): number {
    const key = `${group} ${name}`
    const known = this.rows.get(key)
    if (known !== undefined) return known
    const tid = this.rows.size + 1
    this.rows.set(key, tid)
    const at = { pid: groups[group], tid, ts: 0, ph: "M" } as const
    this.events.push(
      { ...at, name: "thread_name", args: { name } },
      { ...at, name: "thread_sort_index", args: { sort_index: tid } }
    )
    return tid
  }

  private slice(
    group: Group,
    row: string,
    name: string,
    began: number,
    ended: number,
    args: TraceEvent["args"] = {}
  ): void {
    const ts = this.micros(began)
    const dur = Math.max(0, this.micros(ended) - ts)
    this.events.push({ name, ph: "X", pid: groups[group], tid: this.row(group, row), ts, dur, args })
  }

  private arrow(from: string, left: number, to: string, came: number): void {
    const id = ++this.arrows
    const common = { name: "message", cat: "message", pid: groups.actors, id } as const
    this.events.push(
      { ...common, ph: "s", tid: this.row("actors", from), ts: this.micros(left) },
      { ...common, ph: "f", bp: "e", tid: this.row("actors", to), ts: this.micros(came) }
    )
  }

  private mark(actor: string, name: string, at: number, args: NonNullable<TraceEvent["args"]>): void {
    if (!this.covers(at, at, 2)) return
    const common = { name, ph: "i", s: "t", ts: this.micros(at) } as const
    this.events.push({ ...common, pid: groups.actors, tid: this.row("actors", actor), args })
    const home = this.homes.get(actor)
    if (home === undefined) return
    this.events.push({ ...common, pid: groups.threads, tid: this.row("threads", home), args: { actor, ...args } })
  }

  /** The trace as JSON. */
  toJson(): string {
    const names = Object.entries(groups).map(([name, pid]) => ({
      name: "process_name",
      ph: "M",
      pid,
      tid: 0,
      ts: 0,
      args: { name }
    }))
    // Line by line: people look into such files too.
    const lines = [...names, ...this.events].map((event) => JSON.stringify(event))
    return `{"displayTimeUnit":"ms","traceEvents":[\n${lines.join(",\n")}\n]}\n`
  }
}

const placementOf = (name: string): Placement => placements.find((known) => known === name) ?? "thread"

/** The timeline of a run, where one is kept. */
export class Traced extends Context.Reference<Timeline | undefined>("troupe/runtime/Traced", {
  defaultValue: () => undefined
}) {}
