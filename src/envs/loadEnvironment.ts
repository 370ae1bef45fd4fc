/**
 * Finds an environment by what a person types or a worker thread is told: an id, or a file that exports a definition.
 * Both the command line and the worker threads load through here, so that they run the same code.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { resolve } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import type { EnvironmentDefinition, JsonRecord } from "./EnvironmentDefinition.ts"
import { definitionProblem, InvalidDefinition } from "./EnvironmentDefinition.ts"
import { isGymnasium } from "./gymnasium/reference.ts"
import { importModule } from "./importModule.ts"
import { configure, InvalidOption, joinReference, modulePattern, splitReference, wrappersOf } from "./options.ts"
import type { UnknownEnvironment } from "./Registry.ts"
import { Registry } from "./Registry.ts"
import { thrownReason } from "./thrown.ts"
import { InvalidWrapper } from "./wrappers/derive.ts"
import { UnknownWrapper, wrapNamed } from "./wrappers/namedWrappers.ts"

/** A file that cannot be imported, or exports no such environment. */
export class EnvironmentNotLoaded extends Schema.TaggedError<EnvironmentNotLoaded>()("EnvironmentNotLoaded", {
  reference: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `The environment "${this.reference}" could not be loaded: ${this.problem}.`
  }
}

const isUrl = (path: string): boolean => /^[a-z][a-z+.-]+:/i.test(path)

/** Whether a reference names a module rather than a registered id. */
export const isModule = (reference: string): boolean => modulePattern.test(splitReference(reference).base)

/** The file of the module that a reference names; undefined where it names an id, or a URL that is no file's. */
export const moduleFile = (reference: string): string | undefined => {
  const path = modulePattern.exec(splitReference(reference).base)?.[1]
  if (path === undefined) return undefined
  if (!isUrl(path)) return resolve(path)
  try {
    return fileURLToPath(path)
  } catch {
    return undefined
  }
}

/** The module at `path`. */
const load = (reference: string, path: string): Effect.Effect<object, EnvironmentNotLoaded | InvalidDefinition> =>
  Effect.mapError(
    importModule(isUrl(path) ? path : pathToFileURL(resolve(path)).href),
    ({ cause, problem }) =>
      // A definition that `Environment.define` refuses is refused while its module loads.
      isInvalidDefinition(cause)
        ? new InvalidDefinition({ id: cause.id, problem: cause.problem, reference: path })
        : new EnvironmentNotLoaded({ reference, problem })
  )

/** By its tag: the module may have another copy of the class. */
const isInvalidDefinition = (cause: unknown): cause is InvalidDefinition => {
  try {
    return cause instanceof Error && "_tag" in cause && cause._tag === "InvalidDefinition" && "id" in cause &&
      "problem" in cause
  } catch {
    return false
  }
}

const within = (path: string, { id, problem }: InvalidDefinition) =>
  new InvalidDefinition({ id, problem, reference: path })

const idOf = (value: unknown): unknown => {
  try {
    return typeof value === "object" && value !== null && "id" in value ? value.id : undefined
  } catch {
    return undefined
  }
}

/** Every way in which no environment comes of a reference. */
export type LoadError =
  | UnknownEnvironment
  | EnvironmentNotLoaded
  | InvalidDefinition
  | InvalidOption
  | InvalidWrapper
  | UnknownWrapper

const isInvalidOption = (cause: unknown): cause is InvalidOption =>
  cause instanceof Error && "_tag" in cause && cause._tag === "InvalidOption" && "option" in cause && "problem" in cause

/**
 * The definition `reference` names: a registered id ("CartPole-v1"); the default export of a module
 * ("./maze.ts", "file:///home/me/maze.ts"), or the one definition it exports; or the export of that id ("./maze.ts:Maze-v0").
 * Relative paths start at the working directory. Options may follow, and wrappers:
 * "FrozenLake-v1?is_slippery=false&map_name=8x8&wrap=TimeLimit:50". Its episodes are cut after `limit` steps, where that is
 * not 0, within the wrappers.
 */
export const loadEnvironment = Effect.fnUntraced(function*(
  reference: string,
  limit = 0
): Effect.fn.Return<EnvironmentDefinition, LoadError> {
  const { base, given } = splitReference(reference)
  const wrap = wrappersOf(reference)
  const inPython = isGymnasium(base)
  const found = inPython ? yield* gymnasium(reference, base, given, limit) : yield* find(base)
  const definition = limit === 0 || inPython ? found : cutAfter(found, limit)
  if (Object.keys(given).length === 0 && wrap.length === 0) return definition
  return yield* Effect.try({
    try: () => {
      const configured = configure(found, given)
      return wrapNamed(limit === 0 || inPython ? configured : cutAfter(configured, limit), wrap)
    },
    // By its tag: the module may have another copy of this class.
    catch: (cause) =>
      cause instanceof UnknownWrapper || cause instanceof InvalidWrapper
        ? cause
        : isInvalidOption(cause)
        ? new InvalidOption(cause)
        : new EnvironmentNotLoaded({ reference, problem: thrownReason("configuring it", cause) })
  })
})

/** Loads what speaks to Python where it is wanted. */
const gymnasium = (reference: string, base: string, kwargs: JsonRecord, limit: number) =>
  Effect.promise(() => import("./gymnasium/gymnasiumEnvironment.ts")).pipe(
    Effect.flatMap(({ loadGymnasium }) => loadGymnasium(base, kwargs, limit)),
    Effect.mapError(({ problem }) => new EnvironmentNotLoaded({ reference, problem }))
  )

const cutAfter = (definition: EnvironmentDefinition, limit: number): EnvironmentDefinition => ({
  ...definition,
  maxEpisodeSteps: limit
})

const find = Effect.fnUntraced(function*(
  reference: string
): Effect.fn.Return<EnvironmentDefinition, UnknownEnvironment | EnvironmentNotLoaded | InvalidDefinition> {
  const named = modulePattern.exec(reference)
  if (named === null) return yield* Registry.lookup(reference)
  const [, path = "", id] = named
  const exported = yield* load(reference, path)
  const byDefault: unknown = "default" in exported ? exported.default : undefined
  const values: ReadonlyArray<unknown> = [...new Set<unknown>(Object.values(exported))]
  // A default export comes first: it is what a definition's `module` promises.
  const candidates = byDefault === undefined ? values : [byDefault, ...values.filter((value) => value !== byDefault)]
  const definitions = candidates.filter((value): value is EnvironmentDefinition =>
    definitionProblem(value) === undefined
  )
  const exports = definitions.map((definition) => definition.id).join(", ")
  if (id !== undefined) {
    const found = definitions.find((definition) => definition.id === id)
    if (found !== undefined) return found
    const broken = candidates.find((value) => idOf(value) === id)
    const problem = broken === undefined ? undefined : definitionProblem(broken)
    if (problem !== undefined) return yield* within(path, problem)
    return yield* new EnvironmentNotLoaded({
      reference,
      problem: exports === "" ? "its module exports no environment" : `its module exports ${exports}`
    })
  }
  if (byDefault !== undefined) {
    const problem = definitionProblem(byDefault)
    if (problem !== undefined) return yield* within(path, problem)
  }
  const [first, second] = definitions
  if (first !== undefined && (byDefault !== undefined || second === undefined)) return first
  return yield* new EnvironmentNotLoaded({
    reference,
    problem: first === undefined
      ? "its module has no default export that Environment.define returned"
      : `its module exports ${exports}: put the id after a colon, such as "${path}:${first.id}"`
  })
})

/** What `loadEnvironment` is told in another thread to get this definition. */
export const environmentReference = ({ configured, id, module, wrapped }: EnvironmentDefinition): string =>
  joinReference(module === undefined ? id : `${module}:${id}`, configured ?? {}, wrapped ?? [])

/** The same for another machine, where files lie elsewhere: by its id alone. */
export const environmentName = ({ configured, id, wrapped }: EnvironmentDefinition): string =>
  joinReference(id, configured ?? {}, wrapped ?? [])
