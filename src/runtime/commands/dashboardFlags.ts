/** The flags of whatever can be looked at in a browser, and what is loaded only where somebody does. */
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

export const dashboardPort = Flag.Int("dashboard-port").pipe(
  Flag.withDescription("port of this machine at which the dashboard is (default: any that is free)"),
  Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 65_535 }))),
  Flag.optional
)

/** The port that is asked for, 0 for any; undefined where nobody wants a dashboard. Who names a port wants one. */
export const portOf = (dashboard: boolean, port: Option.Option<number>): number | undefined =>
  dashboard || Option.isSome(port) ? Option.getOrElse(port, () => 0) : undefined

export const dashboards = Effect.promise(() => import("../dashboard/dashboards.ts"))
