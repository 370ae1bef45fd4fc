/** The machine that figures are of, and how busy others keep it. */
import * as os from "node:os"
import { setTimeout } from "node:timers/promises"

export interface Machine {
  readonly cores: number
  readonly model: string
  readonly memory_gib: number
  readonly platform: string
  readonly node: string
}

export const machine = (): Machine => ({
  cores: os.availableParallelism(),
  model: os.cpus()[0]?.model.trim() ?? "unknown",
  memory_gib: Math.round(os.totalmem() / 2 ** 30),
  platform: `${os.platform()} ${os.arch()}`,
  node: process.version
})

/** How many cores are busy while this program waits: what others do. */
export const busyCores = async (): Promise<number> => {
  const read = () =>
    os.cpus().reduce((sum, { times: { idle, irq, nice, sys, user } }) => ({
      busy: sum.busy + user + nice + sys + irq,
      all: sum.all + user + nice + sys + irq + idle
    }), { busy: 0, all: 0 })
  const before = read()
  await setTimeout(500)
  const after = read()
  return (after.busy - before.busy) / Math.max(1, after.all - before.all) * os.cpus().length
}

/** Cores above which figures are not to be trusted. */
export const disturbing = 0.2
