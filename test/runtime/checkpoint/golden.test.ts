/**
 * Checkpoints written once, by the first version that had them: every later one goes on from them. Their files stay as
 * they are; where the numbers of a version are other ones, with intent, the hashes in `golden/hashes.json` follow.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import { decode } from "../../../src/runtime/checkpoint/RunState.ts"
import { folder, hashes } from "../golden/golden.ts"
import { train } from "./keeping.ts"

const goldens = fs.readdirSync(folder).filter((name) => name.endsWith(".ckpt"))

describe("the golden checkpoints", () => {
  it("are there", () => {
    assert.deepStrictEqual(
      goldens.map((name) => name.replace(".ckpt", "")).toSorted(),
      Object.keys(hashes()).toSorted()
    )
    assert.isAtLeast(goldens.length, 2)
  })

  for (const name of goldens) {
    it.live(`lead where they led: ${name}`, () =>
      Effect.gen(function*() {
        const from = fs.readFileSync(new URL(name, folder))
        const { state } = yield* decode(from)
        assert.strictEqual(state.monitor.progress.updates, 15)
        const { hash } = yield* train({}, { from })
        assert.strictEqual(hash, hashes()[name.replace(".ckpt", "")])
      }))
  }
})
