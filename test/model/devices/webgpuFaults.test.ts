/**
 * What goes wrong on a GPU ends the run: with one sentence that names the device and what to do, with exit code 1, and with
 * nothing but events on standard output. On SwiftShader, where `test/devices/setup.ts` has brought it.
 */
import { assert, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { isSetUp, partsFolder, swiftShader } from "./opening.ts"

const program = fileURLToPath(new URL("../../../dist/cli.js", import.meta.url))
const module = fileURLToPath(new URL("./fixtures/webgpuFault.ts", import.meta.url))

/** A run of the program, with WebGPU spoiled as the variables say. */
const spoiled = (fault: Readonly<Record<string, string>>, ...args: ReadonlyArray<string>) =>
  new Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>((resolve) => {
    const child = spawn(
      process.execPath,
      ["--import", module, program, "--json", ...args],
      {
        cwd: partsFolder,
        env: { ...process.env, ...swiftShader, ...fault },
        stdio: ["ignore", "pipe", "pipe"],
        timeout: 80_000
      }
    )
    let stdout = ""
    let stderr = ""
    child.stdout.on("data", (chunk) => stdout += chunk)
    child.stderr.on("data", (chunk) => stderr += chunk)
    child.on("close", (code) => resolve({ code, stdout, stderr }))
  })

const onWebGpu = ["--device", "webgpu", "--seed", "1", "--keep-going", "--run-folder", "false"]

/** Events by name; it fails on what is no JSON. */
const eventsOf = (stdout: string) =>
  stdout.split("\n").filter((line) => line !== "").map((line): string => JSON.parse(line).event)

/** Mesa's layer, where it is installed, says this of a process without a desktop. */
const sentenceOf = (stderr: string) => stderr.replaceAll(/^error: XDG_RUNTIME_DIR .*\n/gm, "")

const elsewhere =
  "Go on from the run's last checkpoint with --resume and --device cpu, or train anew on another device."

describe.skipIf(!isSetUp("webgpu"))("a run on a GPU that fails", () => {
  const whileItRuns: ReadonlyArray<readonly [fault: string, after: number, says: RegExp]> = [
    [
      "dispatch",
      2500,
      /^The device webgpu refused a command \(Dispatch workgroup count X \(70000\) exceeds [^\n]*\)\. /
    ],
    ["dispatch", 0, /^The device webgpu refused a command \(Dispatch /],
    ["buffer", 0, /^The device webgpu refused a command \(Buffer size \(1099511627776\) exceeds /],
    ["buffer", 2500, /^The device webgpu refused a command \(Buffer size /],
    ["shader", 0, /^The device webgpu refused a command \(Error while parsing WGSL: /],
    ["pipeline", 0, /^The device webgpu failed \(No pipelines today\)\. /],
    ["submit", 2500, /^The device webgpu failed\. /],
    ["map", 2500, /^The device webgpu failed \(AbortError\)\. /],
    ["range", 2500, /^The device webgpu failed \(Cannot read properties of null /],
    ["copy", 2500, /^The device webgpu refused a command \(Copy range /],
    ["destroy", 2500, /^The device webgpu was lost \(device was destroyed\)\. /],
    ["destroy", 0, /^The device webgpu was lost \(device was destroyed\)\. /]
  ]
  for (const [fault, after, says] of whileItRuns) {
    it(`ends with one sentence: ${fault} after ${after} ms`, async () => {
      const { code, stderr, stdout } = await spoiled({ FAULT: fault, AFTER: String(after) }, ...onWebGpu)
      const sentence = sentenceOf(stderr)
      assert.match(sentence, says)
      assert.match(sentence, /^[^\n]*\n$/)
      assert.isTrue(sentence.endsWith(`. ${elsewhere}\n`), sentence)
      assert.strictEqual(code, 1)
      assert.notInclude(eventsOf(stdout), "finished")
    }, 90_000)
  }

  for (
    const [fault, says] of [
      ["adapter", /WebGPU finds no adapter/],
      ["device", /available: The driver is gone\. /]
    ] as const
  ) {
    it(`cannot begin: no ${fault}`, async () => {
      const { code, stderr, stdout } = await spoiled({ FAULT: fault }, ...onWebGpu)
      assert.match(sentenceOf(stderr), /^Device "webgpu" is not available: [^\n]* Leave --device out[^\n]*\n$/)
      assert.match(stderr, says)
      assert.strictEqual(stdout, "")
      assert.strictEqual(code, 1)
    }, 90_000)
  }

  it("keeps the checkpoints from before, and a resume on another device goes on from there", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "troupe-gpu-"))
    try {
      // An update is about a hundred dispatches.
      const { code, stdout } = await spoiled(
        { FAULT: "dispatch", CALL: "1000" },
        "--device",
        "webgpu",
        "--log-dir",
        folder,
        "--checkpoint-interval",
        "1"
      )
      assert.strictEqual(code, 1)
      assert.include(eventsOf(stdout), "checkpoint")
      const resume = ["--resume", path.join(folder, readdirSync(folder)[0]!), "--total-timesteps", "2000"]
      const again = await spoiled({ FAULT: "dispatch" }, ...resume)
      assert.match(sentenceOf(again.stderr), /^The device webgpu refused a command/)
      assert.strictEqual(again.code, 1)
      const elsewhere = await spoiled({ FAULT: "dispatch" }, ...resume, "--device", "cpu")
      assert.strictEqual(elsewhere.code, 0, elsewhere.stderr)
      assert.include(eventsOf(elsewhere.stdout), "finished")
    } finally {
      rmSync(folder, { recursive: true })
    }
  }, 240_000)
})
