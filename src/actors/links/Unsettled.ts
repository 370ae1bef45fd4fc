/** What a host has been told to do and has not answered, as one sees it who only reads what is said over a link. */
import type { Command, Report } from "./HostLink.ts"

export class Unsettled {
  /** By actor: its start, and messages. */
  private readonly counts = new Map<number, number>()
  /** It has said that it is ready: before that it is told nothing, and somebody waits for it. */
  private begun = false

  get empty(): boolean {
    return this.begun && this.counts.size === 0
  }

  posted(batch: ReadonlyArray<Command>): void {
    for (const command of batch) {
      if (command[0] === "start") this.counts.set(command[1].actor, 1)
      else if (command[0] === "message") this.counts.set(command[1], (this.counts.get(command[1]) ?? 0) + 1)
    }
  }

  heard(batch: ReadonlyArray<Report>): void {
    for (const report of batch) {
      switch (report[0]) {
        case "started":
        case "replied":
        case "refused":
        case "withdrawn": {
          const left = (this.counts.get(report[1]) ?? 0) - 1
          if (left > 0) this.counts.set(report[1], left)
          else this.counts.delete(report[1])
          break
        }
        case "died":
        case "stopped":
          // What it had not answered is told to its next incarnation anew.
          this.counts.delete(report[1])
          break
        case "ready":
          this.begun = true
          break
        case "asking":
          // What it has given an actor itself.
          if (report[16] !== undefined) this.counts.set(report[6], (this.counts.get(report[6]) ?? 0) + 1)
          break
        case "answers":
        case "timed":
        case "abandoned":
        case "slept":
        case "alive":
        case "exiting":
          break
        default:
          report satisfies never
      }
    }
  }
}
