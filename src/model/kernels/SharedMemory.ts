/**
 * The types of WebAssembly that the kernels and their arena need. TypeScript keeps them in the browser's library, which
 * a program for Node does not load, so the few that matter are spelt out here; the browser's own types fit them.
 */

/** A `WebAssembly.Memory`; of the kernels, one made with `shared: true`. */
export interface SharedMemory {
  readonly buffer: ArrayBufferLike
  grow(delta: number): number
}

/** A compiled module. It holds no state, and may be posted to another thread instead of being compiled again there. */
export type CompiledModule = object

/** What this engine offers. */
export interface WebAssemblyEngine {
  readonly Memory: new(
    descriptor: { readonly initial: number; readonly maximum: number; readonly shared: true }
  ) => SharedMemory
  readonly Module: new(bytes: Uint8Array) => CompiledModule
  readonly Instance: new(
    module: CompiledModule,
    imports: Record<string, Record<string, unknown>>
  ) => { readonly exports: Readonly<Record<string, unknown>> }
  readonly validate: (bytes: Uint8Array) => boolean
}

declare const WebAssembly: WebAssemblyEngine | undefined

/** The engine's WebAssembly, where it has one. */
export const engine = (): WebAssemblyEngine | undefined => typeof WebAssembly === "undefined" ? undefined : WebAssembly

/** Bytes of one page. */
export const pageBytes = 65536
