/** Where a run's data lies: nothing overlaps, everything is aligned as the kernels want it, and every column is everywhere. */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { columns, namesOf } from "../../../src/runtime/workers/columns.ts"
import {
  dataPlaneBytes,
  envSlot,
  layOut,
  learnerNumbers,
  meetingWords,
  shareOf,
  unitCount,
  unitSlot,
  weightBanks,
  workerAddresses
} from "../../../src/runtime/workers/dataPlaneLayout.ts"
import type { DataPlaneSpec } from "../../../src/runtime/workers/DataPlaneSpec.ts"
import { kept } from "../../../src/runtime/workers/EnvironmentStates.ts"

const Natural = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

const Sizes = Schema.Struct({
  slots: Natural(1, 9),
  steps: Natural(1, 7),
  inputs: Natural(1, 9),
  actions: Natural(1, 5),
  actionWidth: Natural(1, 4),
  continuous: Schema.Boolean,
  masks: Natural(0, 6),
  memory: Natural(0, 9),
  stateSize: Natural(0, 9),
  parameters: Natural(1, 50),
  normalization: Schema.Struct({ observations: Schema.Boolean, rewards: Schema.Boolean }),
  descriptorBytes: Natural(1, 50),
  workspaceBytes: Natural(1, 500),
  activationBytes: Natural(0, 100),
  stretch: Natural(0, 3),
  replicaBytes: Natural(0, 200),
  unit: Natural(1, 3),
  pulled: Natural(0, 50),
  gradient: Natural(0, 50)
})

interface Region {
  readonly name: string
  readonly start: number
  readonly end: number
}

/** All that lies in a plane, by whom it belongs to. */
const regionsOf = (buffer: SharedArrayBuffer, spec: DataPlaneSpec, base: number): ReadonlyArray<Region> => {
  const layout = layOut(spec, base)
  const regions: Array<Region> = []
  const add = (name: string, view: ArrayBufferView) => {
    if (view.byteLength > 0) regions.push({ name, start: view.byteOffset, end: view.byteOffset + view.byteLength })
  }
  weightBanks(buffer, layout).forEach((bank, k) => add(`weights ${k}`, bank))
  regions.push({ name: "descriptor", start: layout.descriptor, end: layout.descriptor + spec.descriptorBytes })
  for (let e = 0; e < spec.slots; e++) {
    const slot = envSlot(buffer, layout, e)
    for (const name of namesOf("state")) add(`slot ${e} live ${name}`, slot.live[name])
    slot.banks.forEach((bank, k) => add(`slot ${e} bank ${k}`, bank))
    for (const name of namesOf("pulled")) add(`slot ${e} ${name}`, slot[name])
    for (const name of namesOf("experience")) add(`slot ${e} ${name}`, slot[name])
    for (const name of namesOf("stretch")) add(`slot ${e} ${name}`, slot[name])
  }
  for (let u = 0; u < unitCount(spec); u++) {
    const { gradient, statistics } = unitSlot(buffer, layout, u)
    add(`unit ${u} gradient`, gradient)
    add(`unit ${u} statistics`, statistics)
  }
  for (let w = 0; w < spec.workers; w++) {
    const { replica, workspace } = workerAddresses(layout, w)
    regions.push({ name: `worker ${w}`, start: workspace, end: workspace + spec.workspaceBytes })
    if (spec.replicaBytes > 0) {
      regions.push({ name: `replica ${w}`, start: replica, end: replica + spec.replicaBytes })
    }
  }
  if (spec.stretch > 0) add("meeting", meetingWords(buffer, layout))
  learnerNumbers(buffer, layout).forEach((array, k) => add(`learner ${k}`, array))
  return regions
}

describe("the data plane's layout", () => {
  it.prop("has no two things in one place, all of them inside, and aligned to 16 bytes", [Sizes], ([sizes]) => {
    const spec: DataPlaneSpec = { ...sizes, workers: Math.min(3, unitCount(sizes)) }
    const base = 64
    const end = base + dataPlaneBytes(spec)
    const regions = regionsOf(new SharedArrayBuffer(end), spec, base).toSorted((a, b) => a.start - b.start)
    for (const [k, { end: over, name, start }] of regions.entries()) {
      assert.strictEqual(start % 16, 0, name)
      assert.isAtLeast(start, base, name)
      assert.isAtMost(over, end, name)
      const next = regions[k + 1]
      if (next !== undefined) assert.isAtMost(over, next.start, `${name} and ${next.name}`)
    }
  })

  it.prop("gives every environment to one worker, in whole units", [Sizes], ([sizes]) => {
    const spec = { ...sizes, workers: Math.min(3, unitCount(sizes)) }
    const owned = Array.from({ length: spec.workers }, (_, worker) => shareOf(spec, worker))
    assert.deepStrictEqual(
      owned.flatMap(({ count, first }) => Array.from({ length: count }, (_, k) => first + k)),
      Array.from({ length: spec.slots }, (_, e) => e)
    )
    for (const { first } of owned) assert.strictEqual(first % spec.unit, 0)
  })

  it("has every column of the table: in the slot, with an address, and in checkpoints where it is state", () => {
    const spec: DataPlaneSpec = {
      slots: 1,
      steps: 2,
      inputs: 3,
      actions: 2,
      actionWidth: 1,
      continuous: false,
      masks: 2,
      memory: 4,
      stateSize: 4,
      parameters: 5,
      normalization: { observations: true, rewards: true },
      descriptorBytes: 16,
      workers: 1,
      workspaceBytes: 16,
      activationBytes: 16,
      stretch: 2,
      replicaBytes: 16,
      unit: 1,
      pulled: 5,
      gradient: 5
    }
    const slot = envSlot(new SharedArrayBuffer(64 + dataPlaneBytes(spec)), layOut(spec, 64), 0)
    for (const [name, { role }] of Object.entries(columns)) {
      const holder: object = role === "state" ? slot.live : slot
      assert.isTrue(ArrayBuffer.isView(Reflect.get(holder, name)), name)
      // What is counted of a stretch is no kernel's business.
      if (role !== "stretch") assert.isAbove(Reflect.get(slot.address, name), 0, name)
      assert.strictEqual(kept.some((column) => column === name), role === "state" || role === "pulled", name)
    }
  })
})
