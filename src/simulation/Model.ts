/**
 * A model: a name, the schema of its configuration, how it may be split, and a set-up that gives birth to its first agents.
 *
 * ```ts
 * export default Simulation.make("Bank", { config: Schema.Struct({ clerks: Schema.Int }), defaults: { clerks: 1 } },
 *   (sim, { clerks }) => { ... })
 * ```
 *
 * The set-up runs on every host, and after every resume, and must do the same each time. What changes later lives in
 * agents' states, and in the parts that the set-up made: a variable of the set-up that handlers change is in no checkpoint,
 * and each host has one of its own.
 */
import * as Schema from "effect/Schema"
import { plainLine, thrownText } from "../text/plainLine.ts"
import type { AnyAgent } from "./Agent.ts"
import { InvalidModel } from "./errors.ts"
import type { Sim } from "./Sim.ts"

/** What decides an agent's share: its kind, its number among those that the set-up gave birth to, and its first state. */
export interface Newborn {
  readonly kind: string
  readonly index: number
  readonly state: unknown
}

export interface ModelOptions<C extends Schema.Codec<unknown, unknown>> {
  /** Default: no configuration. */
  readonly config?: C
  /** What is not configured otherwise. */
  readonly defaults?: Partial<C["Type"]>
  /** When a run ends that does not say. Default: when nothing is left to happen. */
  readonly until?: number
  /**
   * How long a message from one share to another takes at least, above 0. Without it the model is one share and runs on
   * one host.
   */
  readonly lookahead?: number
  /** Into how many shares agents are split, at most 65536: a property of the model, whatever hosts there are. Default 64, without a lookahead 1. */
  readonly shares?: number
  /** The share of an agent that the set-up gives birth to: an integer from 0, below `shares`. Default: by turns. */
  readonly shareOf?: (newborn: Newborn, config: C["Type"]) => number
  /** `import.meta.url` of the module whose default export the model is: where host threads load it. */
  readonly module?: string
  /** Kinds of agents that the set-up itself gives no birth to. */
  readonly agents?: ReadonlyArray<AnyAgent>
}

/** A model whose configuration is not looked at. */
export interface AnyModel {
  readonly modelName: string
  /**
   * Fills in the defaults, and checks. A function and not the schema, since a host may have Effect from another file than the
   * model has, and only like understands like.
   */
  readonly configure: (given: Readonly<Record<string, unknown>>) => { readonly config: unknown } | {
    readonly problem: string
  }
  readonly until: number | undefined
  readonly lookahead: number | undefined
  readonly shares: number
  readonly shareOf: (newborn: Newborn, config: unknown) => number
  readonly module: string | undefined
  readonly agents: ReadonlyArray<AnyAgent>
  readonly setup: (sim: Sim, config: unknown) => void
}

export interface Model<Config> extends AnyModel {
  /** For the types alone. */
  readonly "~config"?: Config
}

/** As many as a share's number has room for. */
export const mostShares = 65536

const defaultShares = 64

const problemOf = (options: ModelOptions<Schema.Codec<unknown, unknown>>): string | undefined => {
  const { lookahead, shareOf, shares, until } = options
  if (lookahead !== undefined && !(lookahead > 0 && lookahead < Infinity)) {
    return `a lookahead of ${lookahead}: give a finite number above 0`
  }
  if (shares !== undefined && !(Number.isInteger(shares) && shares >= 1 && shares <= mostShares)) {
    return `${shares} shares: give an integer from 1 to ${mostShares}`
  }
  if (lookahead === undefined && shareOf !== undefined) return "shareOf without a lookahead: give both, or neither"
  if (lookahead === undefined && shares !== undefined && shares > 1) {
    return `${shares} shares without a lookahead: give the model one, since shares tell each other nothing sooner`
  }
  if (until !== undefined && !(until > 0)) return `until ${until}: give a number above 0`
  return undefined
}

/** Defines a model; see the head of this file. Throws an `InvalidModel`. */
export const make = <C extends Schema.Codec<unknown, unknown> = Schema.Struct<Record<never, never>>>(
  name: string,
  options: ModelOptions<C>,
  setup: (sim: Sim, config: C["Type"]) => void
): Model<C["Type"]> => {
  const problem = problemOf(options)
  if (problem !== undefined) throw new InvalidModel({ model: name, problem })
  const { lookahead } = options
  const decode = Schema.decodeUnknownSync(options.config ?? Schema.Struct({}), { onExcessProperty: "error" })
  const shares = options.shares ?? (lookahead === undefined ? 1 : defaultShares)
  const shareOf = options.shareOf ?? (({ index }: Newborn) => index % shares)
  return {
    modelName: name,
    configure: (given) => {
      try {
        return { config: decode({ ...options.defaults, ...given }) }
      } catch (cause) {
        return { problem: oneLine(cause) }
      }
    },
    until: options.until,
    lookahead,
    shares,
    // Called with what `configured` made of the model's own schema.
    shareOf: shareOf as AnyModel["shareOf"],
    module: options.module,
    agents: options.agents ?? [],
    setup: setup as AnyModel["setup"]
  }
}

/** A configuration, its defaults filled in and checked. Throws an `InvalidModel`. */
export const configured = (model: AnyModel, given: Readonly<Record<string, unknown>> = {}): unknown => {
  const outcome = model.configure(given)
  if ("config" in outcome) return outcome.config
  throw new InvalidModel({ model: model.modelName, problem: `its configuration: ${outcome.problem}` })
}

/** What a schema says, on one line. */
const oneLine = (cause: unknown): string => plainLine(thrownText(cause).replaceAll(/\s*\n\s*/g, " "))
