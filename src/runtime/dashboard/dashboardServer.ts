/**
 * The dashboard's server, on loopback: a page, what the page is made of, what it is told, and pictures. It shows and changes
 * nothing; only a simulation that was started with it can be held up.
 *
 * A path is looked up among those there are, and never becomes a part of a file's name.
 */
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { createRequire } from "node:module"
import { fileURLToPath } from "node:url"
import { companion } from "../../companions.ts"
import { serve } from "../serving/loopbackServer.ts"
import type { Audience } from "./Audience.ts"
import type { Board } from "./Board.ts"
import { type Order, orders, paths } from "./Message.ts"

/** A file of the page is not there. */
export class PageMissing extends Schema.TaggedError<PageMissing>()("PageMissing", { message: Schema.String }) {}

/** Nothing from elsewhere; styles by attributes are how the charts make their tooltips. */
const page =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
const picture = "default-src 'none'; style-src 'unsafe-inline'; sandbox"

const headers = (policy: string) => ({
  "cache-control": "no-store",
  "content-security-policy": policy,
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff"
})

/** What the page is made of, by its path. */
const parts = [
  ["/", companion("dashboard.html", "runtime/dashboard/page/dashboard.html"), "text/html; charset=utf-8"],
  ["/dashboard.css", companion("dashboard.css", "runtime/dashboard/page/dashboard.css"), "text/css; charset=utf-8"],
  ["/dashboard.js", companion("dashboard.js", "../dist/dashboard.js"), "text/javascript; charset=utf-8"]
] as const

const echarts = () => createRequire(import.meta.url).resolve("echarts/dist/echarts.min")

const readParts = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const files = [
    ...parts.map(([path, url, type]) => [path, fileURLToPath(url), type] as const),
    [
      "/echarts.js",
      yield* Effect.try({
        try: echarts,
        catch: () =>
          new PageMissing({ message: "The dashboard draws with ECharts, which is not installed: npm install echarts" })
      }),
      "text/javascript; charset=utf-8"
    ] as const
  ]
  return new Map<string, HttpServerResponse.HttpServerResponse>(
    yield* Effect.forEach(files, ([path, file, type]) =>
      fs.readFile(file).pipe(
        Effect.mapBoth({
          onSuccess: (bytes) =>
            [path, HttpServerResponse.uint8Array(bytes, { contentType: type, headers: headers(page) })] as const,
          onFailure: () =>
            new PageMissing({
              message: `There is no ${file}, a part of the dashboard: make it with \`npm run build\`.`
            })
        })
      ))
  )
})

/** So many pages may be told what is new at a time. */
const mostPages = 32

const said = (status: number, text: string) => HttpServerResponse.text(`${text}\n`, { status, headers: headers(page) })

const Given = Schema.Struct({
  id: Schema.String,
  order: Schema.Literals(orders),
  /** Looks a second at most; 0: as they come. */
  pace: Schema.optionalKey(Schema.FiniteFromString.check(Schema.isBetween({ minimum: 0, maximum: 1000 })))
})

/** What is done when the page asks for it. Undefined where nothing can be: nobody asks by POST then. */
export type Obey = (id: string, order: Order, pace: number) => boolean

/** Serves until the scope closes. Answers the port. */
export const serveDashboard = Effect.fnUntraced(function*(
  { audience, board, notice, obey, port }: {
    readonly board: Board
    readonly audience: Audience
    readonly port: number
    readonly notice: (message: string) => Effect.Effect<void>
    readonly obey?: Obey
  }
) {
  const files = yield* readParts

  const controlled = (query: string) => {
    const given = Schema.decodeUnknownOption(Given)(Object.fromEntries(new URLSearchParams(query)))
    if (Option.isNone(given)) return said(400, `Say ?id= and order=, one of ${orders.join(", ")}; with pace, a number.`)
    const { id, order, pace = 0 } = given.value
    return obey?.(id, order, pace) === true ? said(200, "done") : said(404, "There is nothing of that id to hold up.")
  }

  const answer = Effect.gen(function*() {
    const request = yield* HttpServerRequest.HttpServerRequest
    const [path = "", query = ""] = request.url.split("?", 2)
    if (path === paths.control) {
      return request.method === "POST" ? controlled(query) : said(405, "Orders are given by POST.")
    }
    if (request.method === "POST") return said(405, "This only shows.")
    const file = files.get(path)
    if (file !== undefined) return file
    if (path === paths.events) {
      if (audience.size() >= mostPages) return said(503, "Too many look already.")
      const { socket } = NodeHttpServerRequest.toIncomingMessage(request)
      return HttpServerResponse.stream(audience.join(() => socket.destroy()), {
        contentType: "text/event-stream",
        headers: headers(page)
      })
    }
    const [, id = "", name = ""] = /^\/pictures\/([^/]+)\/([^/]+)$/.exec(path) ?? []
    const draw = board.find(id)?.picture(name)
    if (draw === undefined) return said(404, "There is no such thing here.")
    return yield* Effect.match(draw, {
      onFailure: ({ message }) => said(404, message),
      onSuccess: (svg) => HttpServerResponse.text(svg, { contentType: "image/svg+xml", headers: headers(picture) })
    })
  })

  return yield* serve(port, answer, { notice, ...(obey === undefined ? {} : { methods: ["GET", "HEAD", "POST"] }) })
})
