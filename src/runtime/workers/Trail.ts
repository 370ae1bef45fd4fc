/**
 * Where a worker was when it ended without a word: a native crash, `process.exit`, an endless loop.
 *
 * Whoever does a piece of work again, because the one before died of it, leaves a trail: which environment takes which step
 * is written to a file before it is taken, and the owner reads it when the work is given up. That takes a microsecond a
 * step, so nobody else leaves one.
 */
import { randomUUID } from "node:crypto"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"

/** An environment of the run, and the step of its life that it was about to take or was in; 0: before the first. */
export interface Whereabouts {
  readonly environment: number
  readonly step: number
}

/** A worker's end. */
export interface Trail {
  readonly mark: (environment: number, step: number) => void
  readonly end: () => void
}

/** A folder for the trails of a run. Nothing is there until a worker leaves one. */
export const folder = (): string => path.join(tmpdir(), `troupe-${randomUUID()}`)

export const fileOf = (folder: string, worker: number): string => path.join(folder, String(worker))

const bytes = 16

/** Begins a trail; undefined where no file can be written: work is not given up for that. */
export const begin = (file: string): Trail | undefined => {
  try {
    fs.mkdirSync(path.dirname(file), { recursive: true })
    const open = fs.openSync(file, "w")
    const record = new Float64Array(2)
    let ended = false
    return {
      mark: (environment, step) => {
        if (ended) return
        record[0] = environment
        record[1] = step
        fs.writeSync(open, record, 0, bytes, 0)
      },
      end: () => {
        ended = true
        fs.closeSync(open)
      }
    }
  } catch {
    return undefined
  }
}

/** Where a trail ends; undefined where there is none. */
export const follow = (file: string): Whereabouts | undefined => {
  try {
    const record = fs.readFileSync(file)
    if (record.length !== bytes) return undefined
    return { environment: record.readDoubleLE(0), step: record.readDoubleLE(8) }
  } catch {
    return undefined
  }
}

/** Removes the trails of a run. */
export const sweep = (folder: string): void => fs.rmSync(folder, { recursive: true, force: true })
