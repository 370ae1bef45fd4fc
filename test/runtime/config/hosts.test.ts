import { assert, describe, it } from "@effect/vitest"
import { problemOf, withinWork } from "../../../src/runtime/config/hosts.ts"
import { presets } from "../../../src/runtime/config/presets.ts"
import type { RunConfig } from "../../../src/runtime/config/RunConfig.ts"

const config = (given: Partial<RunConfig>): RunConfig =>
  withinWork({ ...presets.a2c, workers: 2, nEnvs: 4096, localWorker: false, ...given })

const plenty = 1_000_000

describe("hosts", () => {
  it("refuses more threads than a thread can own, spares among them", () => {
    assert.isUndefined(problemOf(config({ workers: 511 }), plenty))
    assert.match(problemOf(config({ workers: 512 }), plenty)!, /^--workers 512 cannot be: a thread can own 511 others/)
    assert.isUndefined(problemOf(config({ workers: 512, localWorker: true }), plenty))
    assert.match(problemOf(config({ workers: 511, chaos: 1 }), plenty)!, /^--workers 511 cannot be/)
    assert.isUndefined(problemOf(config({ workers: 1024, placement: "process" }), plenty))
  })

  it("refuses what the memory has no room for", () => {
    assert.match(
      problemOf(config({ workers: 1024, placement: "process" }), 16 * 1024)!,
      /^--workers 1024 cannot be: so many child processes take about 45 GiB .* and there are 16\. Take fewer\.$/
    )
    assert.match(problemOf(config({ workers: 500 }), 1024)!, /so many threads take about 4\.4 GiB/)
    assert.isUndefined(problemOf(config({ workers: 4 }), 1024))
  })

  it("counts no more than there is work for, and no fibers", () => {
    assert.isUndefined(problemOf(config({ workers: 1024, nEnvs: 10 }), 1024))
    assert.isUndefined(problemOf(config({ workers: 1024, placement: "fiber" }), 1))
  })
})
