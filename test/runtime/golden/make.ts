/**
 * Writes checkpoints that later versions must be able to go on from, and the hashes they must come to. An old one is
 * never made again: a new format gets files of its own beside them.
 *
 *     node test/runtime/golden/make.ts <name>
 */
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { train } from "../checkpoint/keeping.ts"
import { folder, hashes, runs } from "./golden.ts"

const name = process.argv[2]
const given = name === undefined ? undefined : runs[name]
if (name === undefined || given === undefined) throw new Error(`give one of ${Object.keys(runs).join(", ")}`)
const { hash, kept } = await Effect.runPromise(train(given))
const [first] = kept
if (hash === undefined || first === undefined) throw new Error("the run kept no checkpoint")
fs.writeFileSync(new URL(`${name}.ckpt`, folder), first.bytes)
fs.writeFileSync(new URL("hashes.json", folder), `${JSON.stringify({ ...hashes(), [name]: hash }, undefined, 2)}\n`)
