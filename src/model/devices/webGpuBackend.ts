/**
 * The backend of TensorFlow.js on a device of WebGPU that is open already. Uploads go through the queue: the backend's own
 * way, a buffer that is mapped as it is made, throws where there is no memory for it and has Dawn print why on standard
 * output, and costs more.
 */
import type * as tfjs from "@tensorflow/tfjs-core"
import * as Predicate from "effect/Predicate"
import type { WebGpu } from "./webGpu.ts"

/** What the backend keeps of a tensor's data. */
interface TensorData {
  readonly dtype: string
  readonly shape: ReadonlyArray<number>
  /** On the host, as long as it has not been uploaded, and after it was read. */
  values: ArrayLike<number> | null | undefined
  /** Its `GPUBuffer`. */
  resource: object | null | undefined
}

/** What is used of the class `WebGPUBackend` beyond what every backend has. */
interface Backend extends tfjs.KernelBackend {
  readonly tensorMap: { readonly get: (id: object) => TensorData }
  readonly bufferManager: { readonly acquireBuffer: (bytes: number, usage: number) => object }
  uploadToGPU: (id: object) => void
}

/** What the package `@tensorflow/tfjs-backend-webgpu` exports. */
const isPackage = (
  module: object
): module is { readonly WebGPUBackend: new(device: object, info: object) => Backend } =>
  "WebGPUBackend" in module && typeof module.WebGPUBackend === "function"

const knows = (backend: object): boolean =>
  ["tensorMap", "bufferManager", "uploadToGPU"].every((name) => Predicate.hasProperty(backend, name))

/** `GPUBufferUsage`: COPY_SRC, COPY_DST and STORAGE, as the backend's own buffers of tensors have it. */
const usage = 0x04 | 0x08 | 0x80

/** The backend on a device; `module` is the package that has registered its kernels. */
export const backendOn = ({ device, info }: WebGpu, module: object): tfjs.KernelBackend => {
  const another = "@tensorflow/tfjs-backend-webgpu is of another version than this program knows"
  if (!isPackage(module)) throw new Error(another)
  const backend = new module.WebGPUBackend(device, info)
  if (!knows(backend)) throw new Error(another)
  backend.uploadToGPU = (id) => {
    const data = backend.tensorMap.get(id)
    if (data.resource !== null && data.resource !== undefined) return
    // A buffer that is free is in no command that was not submitted, so the queue may write to it before those.
    const buffer = backend.bufferManager.acquireBuffer(4 * data.shape.reduce((size, n) => size * n, 1), usage)
    const { values } = data
    if (values !== null && values !== undefined) {
      const bits = data.dtype === "float32" ? Float32Array : Int32Array
      device.queue.writeBuffer(buffer, 0, values instanceof bits ? values : new bits(values))
      data.values = null
    }
    data.resource = buffer
  }
  return backend
}
