/** What a runner and an owner say to each other once they know each other, beside batches and signs of life. */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { fromJson } from "../../text/json.ts"
import { thrownText } from "../../text/plainLine.ts"

/** From the runner: the owner is to take its work elsewhere, as soon as nothing is in hand. */
const Leave = Schema.Struct({ leave: Schema.Literal(true) })
export const leave: typeof Leave.Type = { leave: true }

/** From the runner: the host is gone, and all that it had said has been sent. */
const End = Schema.Struct({
  reason: Schema.String,
  /** What it threw, by its tag and message. */
  error: Schema.NullOr(Schema.Struct({ tag: Schema.String, message: Schema.String })),
  /** Another would end just so. */
  final: Schema.Boolean
})

/** From the owner: end the host. */
const Order = Schema.Struct({ end: Schema.Literal(true) })

const decodeWith = <A>(schema: Schema.Codec<A>) => {
  const decode = Schema.decodeUnknownOption(fromJson(schema))
  return (body: Uint8Array): A | undefined => Option.getOrUndefined(decode(new TextDecoder().decode(body)))
}

/** What was thrown on the other machine, as far as it could be told. */
class Thrown extends Error {
  readonly _tag: string

  constructor(tag: string, message: string) {
    super(message)
    this._tag = tag
    // It was thrown elsewhere.
    delete this.stack
  }
}

export interface Ended {
  readonly reason: string
  readonly error: unknown
  readonly final: boolean
}

const decodeNews = decodeWith(Schema.Union([Leave, End]))

/** What a runner says; undefined for what none says. */
export const readNews = (body: Uint8Array): "leave" | Ended | undefined => {
  const news = decodeNews(body)
  if (news === undefined) return undefined
  if ("leave" in news) return "leave"
  return { ...news, error: news.error === null ? undefined : new Thrown(news.error.tag, news.error.message) }
}

export const encodeEnd = (reason: string, error: unknown, final: boolean): typeof End.Type => ({
  reason,
  error: error === undefined ? null : { tag: tagOf(error), message: thrownText(error) },
  final
})

const tagOf = (error: unknown): string => {
  if (typeof error === "object" && error !== null && "_tag" in error && typeof error._tag === "string") {
    return error._tag
  }
  return error instanceof Error ? error.name : "Error"
}

export const isOrder: (body: Uint8Array) => boolean = (() => {
  const decode = decodeWith(Order)
  return (body) => decode(body) !== undefined
})()
