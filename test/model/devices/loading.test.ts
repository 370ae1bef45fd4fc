/**
 * What is said where a device cannot be had: one sentence, with what was tried and the command that mends it. The
 * packages here are small counterfeits in a folder of their own; nothing of TensorFlow is installed for these tests.
 */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { loadTfjs, restoreUtil } from "../../../src/model/devices/loadTfjs.ts"
import { type DeviceWish, openDevice } from "../../../src/model/devices/openDevice.ts"
import { PackageFolders, VulkanLibrary } from "../../../src/model/devices/packages.ts"
import { Arena } from "../../../src/model/kernels/Arena.ts"
import { Kernels } from "../../../src/model/kernels/Kernels.ts"

/** As much of TensorFlow.js as is looked at before a model is made. `gpu` is what its native backend sees. */
const library = (gpu: boolean) => `
  const registry = {}
  module.exports = {
    tidy() {}, tensor1d() {}, enableProdMode() {}, env: () => ({ set() {} }),
    findBackendFactory() {}, removeBackend() {}, registerBackend() {}, engine: () => ({ registry }),
    setBackend: async () => true,
    backend: () => ({ isUsingGpuDevice: ${gpu} })
  }`

/** As much of a \`GPUDevice\`. */
const card = `{ lost: new Promise(() => {}), queue: { writeBuffer() {} }, destroy() {} }`

/** As much of Dawn: \`adapter\` is an expression. */
const dawn = (adapter: string) =>
  `module.exports = {
  globals: {}, create: () => ({ requestAdapter: async () => ${adapter} })
}`

/** An adapter that gives a device. */
const adapter = (info: string, device = card) => dawn(`({ info: ${info}, requestDevice: async () => (${device}) })`)

/** As much of its backend. */
const backendOfDawn = `module.exports = {
  WebGPUBackend: class { tensorMap = {}; bufferManager = {}; uploadToGPU() {} }
}`

/** Opens a device that finds these packages only, and this library for Vulkan. */
const opening = (wish: DeviceWish, packages: Readonly<Record<string, string>>, vulkan?: string) =>
  Effect.scoped(Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const folder = yield* fs.makeTempDirectoryScoped()
    for (const [name, source] of Object.entries(packages)) {
      yield* fs.makeDirectory(`${folder}/node_modules/${name}`, { recursive: true })
      yield* fs.writeFileString(`${folder}/node_modules/${name}/index.js`, source)
      const version = name === "webgpu" ? "0.6.2" : "4.22.0"
      yield* fs.writeFileString(`${folder}/node_modules/${name}/package.json`, JSON.stringify({ name, version }))
    }
    const arena = yield* Arena.make({ bytes: 65_536 })
    const kernels = yield* Kernels.instantiate(arena.memory)
    const device = yield* openDevice(wish, { arena, kernels }).pipe(
      Effect.provideService(PackageFolders, [`${folder}/package.json`]),
      Effect.provideService(VulkanLibrary, vulkan)
    )
    return device.name
  })).pipe(Effect.provide(NodeServices.layer))

const refusal = (wish: DeviceWish, packages: Readonly<Record<string, string>>, vulkan?: string) =>
  Effect.map(Effect.flip(opening(wish, packages, vulkan)), ({ message }) => message)

const ofGpu = "@tensorflow/tfjs-node-gpu"

describe("a device that cannot be had", () => {
  it.live("names the package that is missing, and the command that installs it", () =>
    Effect.gen(function*() {
      assert.strictEqual(
        yield* refusal("tfjs-wasm", {}),
        "Device \"tfjs-wasm\" is not available: the package @tensorflow/tfjs-backend-wasm is not installed. " +
          "Run npm install @tensorflow/tfjs-core@4.22.0 @tensorflow/tfjs-backend-wasm@4.22.0, or leave --device out."
      )
      assert.match(yield* refusal("tfjs-node", {}), /Run npm install @tensorflow\/tfjs-node@4\.22\.0, or/)
      // One of two is there.
      assert.match(
        yield* refusal("tfjs-cpu", { "@tensorflow/tfjs-backend-cpu": "" }),
        /package @tensorflow\/tfjs-core is/
      )
    }))

  it.live("says why what is installed does not work, without advice to install it", () =>
    Effect.gen(function*() {
      assert.strictEqual(
        yield* refusal("tfjs-node", { "@tensorflow/tfjs-node": `throw new Error("No library.\\nLong story.")` }),
        "Device \"tfjs-node\" is not available: @tensorflow/tfjs-node fails: No library. " +
          "Leave --device out, or say --device cpu."
      )
      assert.match(yield* refusal("tfjs-node", { "@tensorflow/tfjs-node": "module.exports = {}" }), /another version/)
      assert.match(
        yield* refusal("cuda", { [ofGpu]: library(false) }),
        /tfjs-node-gpu sees no GPU, which takes an NVIDIA/
      )
      assert.match(yield* refusal("cuda", { [ofGpu]: library(true).replace("=> true", "=> false") }), /does not start/)
      // A backend that was never registered is not given back either.
      const without = library(false).replace("=> true", "=> false").replace(
        "findBackendFactory() {}",
        "findBackendFactory: () => null"
      )
        .replace("removeBackend() {}", `removeBackend() { throw new Error("there is none") }`)
      const packages = { "@tensorflow/tfjs-core": without, "@tensorflow/tfjs-backend-wasm": "module.exports = {}" }
      assert.match(yield* refusal("tfjs-wasm", packages), /its backend "wasm" does not start\. Leave/)
    }))

  it.live("a GPU: names both that were tried, why each failed, and what installs each", () =>
    Effect.gen(function*() {
      assert.strictEqual(
        yield* refusal("gpu", {}),
        "Device \"gpu\" is not available: tried cuda (the package @tensorflow/tfjs-node-gpu is not installed) and " +
          "webgpu (the package webgpu is not installed). Run npm install @tensorflow/tfjs-node-gpu@4.22.0 for an NVIDIA " +
          "GPU with CUDA, or npm install @tensorflow/tfjs-core@4.22.0 @tensorflow/tfjs-backend-webgpu@4.22.0 " +
          "webgpu@0.6.2 for any GPU with a Vulkan, Metal or Direct3D 12 driver."
      )
      const web = { "@tensorflow/tfjs-core": library(false), "@tensorflow/tfjs-backend-webgpu": backendOfDawn }
      const blind = yield* refusal("gpu", { ...web, [ofGpu]: library(false), webgpu: dawn("null") })
      assert.match(blind, /tried cuda \(.* sees no GPU, .*\) and webgpu \(WebGPU finds no adapter, .*\)\. Leave/)
      assert.notMatch(blind, /npm install/)
      const software = adapter(`{ description: "Pretender", isFallbackAdapter: true }`)
      assert.match(
        yield* refusal("gpu", { ...web, webgpu: software }),
        /a processor that plays a GPU \(Pretender\).*Run npm install @tensorflow\/tfjs-node-gpu@4\.22\.0 for an NVIDIA GPU with CUDA\.$/
      )
    }))
})

describe("a package that was not meant", () => {
  const planted = (folder: string, version: string | undefined) =>
    FileSystem.FileSystem.use(Effect.fnUntraced(function*(fs) {
      const own = `${folder}/node_modules/@tensorflow/tfjs-node`
      yield* fs.makeDirectory(own, { recursive: true })
      yield* fs.writeFileString(
        `${own}/index.js`,
        `require("node:fs").writeFileSync(${JSON.stringify(`${folder}/ran`)}, "")`
      )
      if (version !== undefined) yield* fs.writeFileString(`${own}/package.json`, JSON.stringify({ version }))
      return fs.exists(`${folder}/ran`)
    }))
  const open = (place: string) =>
    Effect.flip(Effect.scoped(loadTfjs("tfjs-node"))).pipe(Effect.provideService(PackageFolders, [place]))

  it.live("is not run before its version is seen", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      for (const version of ["4.21.0", "999.0.0\u001b[2J", undefined]) {
        const folder = yield* fs.makeTempDirectoryScoped()
        const ran = yield* planted(folder, version)
        const { message } = yield* open(`${folder}/package.json`)
        assert.match(
          message,
          version === undefined ? /is not installed/ : /is installed in version \S+, and 4\.22\.0 is needed/
        )
        assert.isFalse(yield* ran)
      }
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)))

  it.live("is not looked for further up", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* fs.makeTempDirectoryScoped()
      const ran = yield* planted(folder, "4.22.0")
      yield* fs.makeDirectory(`${folder}/a/b/node_modules/@tensorflow/tfjs-node`, { recursive: true })
      for (const place of ["a/package.json", "a/b/package.json"]) {
        assert.match((yield* open(`${folder}/${place}`)).message, /is not installed/)
      }
      assert.isFalse(yield* ran)
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)))
})

describe("a GPU", () => {
  const web = {
    "@tensorflow/tfjs-core": library(false),
    "@tensorflow/tfjs-backend-webgpu": backendOfDawn,
    webgpu: adapter(`{ description: "Card", isFallbackAdapter: false }`)
  }

  it.live("is CUDA where it sees one", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* opening("gpu", { ...web, [ofGpu]: library(true) }), "cuda")
    }))

  it.live("is WebGPU where CUDA cannot be had, or sees none", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* opening("gpu", web), "webgpu")
      assert.strictEqual(yield* opening("gpu", { ...web, [ofGpu]: library(false) }), "webgpu")
    }))

  it.live("is refused in one sentence, whatever of it is not as it should be", () =>
    Effect.gen(function*() {
      const info = `{ description: "Card" }`
      const wrong: ReadonlyArray<readonly [packages: Readonly<Record<string, string>>, says: RegExp]> = [
        [{ webgpu: "module.exports = {}" }, /package webgpu is of another version/],
        [{ webgpu: "module.exports = { globals: {}, create: () => { throw new Error('No.') } }" }, /available: No\. /],
        [{ webgpu: dawn("null") }, /WebGPU finds no adapter/],
        [{ webgpu: dawn("Promise.reject(new Error('Driver too old.\\nIndeed.'))") }, /available: Driver too old\. /],
        [{ webgpu: dawn(`({ info: ${info} })`) }, /another version/],
        [{ webgpu: adapter(info, "null") }, /WebGPU gives no device/],
        [{ webgpu: adapter(info, "{}") }, /another version/],
        [
          { webgpu: dawn(`({ info: ${info}, requestDevice: async () => { throw new Error("It is lost.") } })`) },
          /It is lost/
        ],
        [{ "@tensorflow/tfjs-backend-webgpu": "module.exports = {}" }, /"webgpu" does not start: .* another version/],
        [{ "@tensorflow/tfjs-backend-webgpu": "module.exports = { WebGPUBackend: class {} }" }, /another version/]
      ]
      for (const [packages, says] of wrong) {
        const message = yield* refusal("webgpu", { ...web, ...packages })
        assert.match(message, /^Device "webgpu" is not available: [^\n]*\. Leave --device out, or say --device cpu\.$/)
        assert.match(message, says)
      }
    }))

  it.live("without the library that finds Vulkan drivers: names that library alone, before Dawn warns of it", () =>
    Effect.gen(function*() {
      const warning = "module.exports = { globals: {}, create: () => { throw new Error('Dawn was asked') } }"
      const packages = { ...web, webgpu: warning }
      assert.strictEqual(
        yield* refusal("webgpu", packages, "libnothing.so.1"),
        "Device \"webgpu\" is not available: the library libnothing.so.1 cannot be loaded. " +
          "Run apt-get install libvulkan1 (vulkan-loader on other systems), or leave --device out."
      )
      const gpu = yield* refusal("gpu", packages, "libnothing.so.1")
      assert.match(gpu, /Run apt-get install libvulkan1 [^\n]*for any GPU with a Vulkan/)
      assert.notMatch(gpu, /npm install/)
    }))

  it.live("CUDA: has full products and takes no more memory than it needs, where the user has not said otherwise", () =>
    Effect.gen(function*() {
      const names = ["NVIDIA_TF32_OVERRIDE", "TF_FORCE_GPU_ALLOW_GROWTH"]
      const before = names.map((name) => process.env[name])
      const seen = Symbol.for("seen")
      const loaded = library(true) +
        `\n;globalThis[Symbol.for("seen")] = ${JSON.stringify(names)}.map((name) => process.env[name])`
      const set = (values: ReadonlyArray<string | undefined>) =>
        names.forEach((name, i) => {
          if (values[i] === undefined) delete process.env[name]
          else process.env[name] = values[i]
        })
      yield* Effect.ensuring(
        Effect.gen(function*() {
          set([undefined, undefined])
          yield* opening("cuda", { [ofGpu]: loaded })
          assert.deepStrictEqual(Object(globalThis)[seen], ["0", "true"])
          set(["1", "false"])
          yield* opening("cuda", { [ofGpu]: loaded })
          assert.deepStrictEqual(Object(globalThis)[seen], ["1", "false"])
        }),
        Effect.sync(() => set(before))
      )
    }))
})

describe("restoreUtil", () => {
  it("gives back what tfjs-node calls of node:util", () => {
    const util: {
      readonly isNullOrUndefined?: (value: unknown) => boolean
      readonly isArray?: (value: unknown) => boolean
    } = {}
    restoreUtil(util)
    for (const nothing of [null, undefined]) assert.isTrue(util.isNullOrUndefined?.(nothing))
    for (const something of [0, "", false, {}]) assert.isFalse(util.isNullOrUndefined?.(something))
    assert.isTrue(util.isArray?.([]))
    assert.isFalse(util.isArray?.({ length: 0 }))
  })
})
