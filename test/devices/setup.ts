/**
 * Brings the parts of those devices that `npm ci` does not install, out of package registries alone, into `.devices/`
 * (which git ignores): the golden test and the benches use what they find there.
 *
 *     node test/devices/setup.ts            all of it: about 900 MB, a few minutes
 *     node test/devices/setup.ts native     tfjs-node: the npm package, TensorFlow's libraries out of the PyPI wheel
 *     node test/devices/setup.ts webgpu     WebGPU: Dawn from npm, and SwiftShader, a Vulkan driver in software, from Debian
 *     node test/devices/setup.ts python     the Python packages that judge exported weights
 *
 * Needs Linux on x64, and g++, Python 3, pip and apt-get of Debian or Ubuntu.
 */
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"

const folder = fileURLToPath(new URL("../../.devices", import.meta.url))
const at = (...parts: ReadonlyArray<string>) => path.join(folder, ...parts)

const tensorflow = "2.21.0"
const tfjs = "4.22.0"
const packages = {
  native: [`@tensorflow/tfjs-node@${tfjs}`, "node-api-headers@1.9.0"],
  webgpu: [`@tensorflow/tfjs-core@${tfjs}`, `@tensorflow/tfjs-backend-webgpu@${tfjs}`, "webgpu@0.6.2"]
}
const pythonPackages = ["numpy==2.4.6", "onnx==1.23.2", "onnxruntime==1.32.0", "safetensors==0.8.0"]

const run = (command: string, args: ReadonlyArray<string>, cwd = folder): void => {
  process.stdout.write(`${command} ${args.join(" ")}\n`)
  const { error, status } = spawnSync(command, args, { cwd, stdio: ["ignore", "inherit", "inherit"] })
  if (error !== undefined || status !== 0) {
    throw new Error(`${command} ${error === undefined ? `ended with ${status}` : `cannot be run: ${error.message}`}`)
  }
}

const npm = (names: ReadonlyArray<string>): void =>
  run("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-progress", "--save-exact", ...names])

/** tfjs-node's own installer downloads TensorFlow from elsewhere; the wheel has the same library and its headers. */
const native = (): void => {
  npm(packages.native)
  const library = "tensorflow/libtensorflow_cc.so.2"
  if (!fs.existsSync(at(library))) {
    const pip = ["-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", "--python-version", "3.12"]
    run("python3", [...pip, "--dest", "wheels", `tensorflow-cpu==${tensorflow}`])
    const wheel = fs.readdirSync(at("wheels")).find((name) => name.startsWith("tensorflow_cpu-"))!
    const wanted = [library, "tensorflow/libtensorflow_framework.so.2", "tensorflow/include/*"]
    run("unzip", ["-q", "-o", at("wheels", wheel), ...wanted])
    fs.rmSync(at("wheels"), { recursive: true })
  }
  const addon = at("node_modules", "@tensorflow", "tfjs-node")
  fs.mkdirSync(path.join(addon, "lib", "napi-v8"), { recursive: true })
  const flags = ["-std=c++17", "-O2", "-fPIC", "-shared", "-DNAPI_VERSION=8", "-DBUILDING_NODE_EXTENSION", "-w"]
  const headers = [at("node_modules", "node-api-headers", "include"), addon, at("tensorflow", "include")]
  const sources = ["tfjs_backend.cc", "tfjs_binding.cc"].map((file) => path.join(addon, "binding", file))
  const libraries = [at(library), at("tensorflow", "libtensorflow_framework.so.2"), `-Wl,-rpath,${at("tensorflow")}`]
  const out = path.join(addon, "lib", "napi-v8", "tfjs_binding.node")
  run("g++", [...flags, ...headers.map((folder) => `-I${folder}`), ...sources, ...libraries, "-o", out])
}

/** Chromium's package brings SwiftShader, a Vulkan driver in software; `libvulkan1` finds it. */
const webgpu = (): void => {
  npm(packages.webgpu)
  if (fs.existsSync(at("vulkan", "vk_swiftshader_icd.json"))) return
  fs.mkdirSync(at("deb"), { recursive: true })
  run("apt-get", ["download", "-q", "chromium-common", "libvulkan1"], at("deb"))
  for (const name of fs.readdirSync(at("deb"))) run("dpkg", ["-x", at("deb", name), at("deb", "root")])
  fs.mkdirSync(at("vulkan"), { recursive: true })
  const wanted = /^(libvk_swiftshader\.so|vk_swiftshader_icd\.json|libvulkan\.so\.1)/
  for (const entry of fs.readdirSync(at("deb", "root"), { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory() || !wanted.test(entry.name) || entry.parentPath.includes("/doc/")) continue
    fs.copyFileSync(path.join(entry.parentPath, entry.name), at("vulkan", entry.name))
  }
  fs.rmSync(at("deb"), { recursive: true })
}

const python = (): void => {
  run("python3", ["-m", "venv", at("python")])
  run(at("python", "bin", "python"), ["-m", "pip", "install", "-q", ...pythonPackages])
}

const parts = { native, webgpu, python }
const isPart = (name: string): name is keyof typeof parts => Object.hasOwn(parts, name)
const asked = process.argv.slice(2)
const wrong = asked.find((name) => !isPart(name))
if (wrong !== undefined) throw new Error(`There is no part "${wrong}"; there are ${Object.keys(parts).join(", ")}.`)
fs.mkdirSync(folder, { recursive: true })
if (!fs.existsSync(at("package.json"))) {
  fs.writeFileSync(at("package.json"), `{ "name": "troupe-device-parts", "private": true }\n`)
}
for (const [name, set] of Object.entries(parts)) if (asked.length === 0 || asked.includes(name)) set()
