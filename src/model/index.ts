/**
 * The numbers of a learner: networks and their flat parameters, returns, losses, optimizers, first weights, the
 * devices they are computed on, and the readable float64 reference of it all.
 */
export * from "./categorical.ts"
export * from "./CpuDevice.ts"
export * from "./Device.ts"
export { type DeviceHost, type DeviceWish, openDevice } from "./devices/openDevice.ts"
export { PackageFolders } from "./devices/packages.ts"
export * from "./initialize.ts"
export * from "./kernels/Arena.ts"
export { type KernelFunctions, Kernels, KernelsUnavailable, Statistic } from "./kernels/Kernels.ts"
export * as layersModel from "./layersModel.ts"
export * from "./losses.ts"
export * from "./namedTensors.ts"
export * from "./Network.ts"
export * as onnx from "./onnx.ts"
export * from "./optimizers.ts"
export * from "./reference/index.ts"
export * from "./ReferenceDevice.ts"
export * from "./returns.ts"
export * as safetensors from "./safetensors.ts"
