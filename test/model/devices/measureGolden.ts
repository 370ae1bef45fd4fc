/**
 * Prints how far one device is from float64, as JSON, or why it cannot be had: `node measureGolden.ts webgpu`. For devices
 * with native parts.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { deviceNames } from "../../../src/model/Device.ts"
import { measure, measureContinuous, measureManyRows } from "./golden.ts"
import { opened } from "./opening.ts"

const measured = Effect.gen(function*() {
  const name = yield* Schema.decodeUnknownEffect(Schema.Literals(deviceNames))(process.argv[2])
  const device = yield* opened(name)
  const reference = yield* opened("reference")
  const golden = yield* device.use(measure)
  const many = yield* device.use((d) => reference.use((r) => measureManyRows(d, r)))
  const real = yield* device.use((d) => reference.use((r) => measureContinuous(d, r)))
  return { golden, many, real }
})

await Effect.runPromise(
  Effect.scoped(measured).pipe(
    Effect.catchTag("DeviceUnavailable", ({ message }) => Effect.succeed({ unavailable: message })),
    Effect.map((result) => process.stdout.write(`${JSON.stringify(result)}\n`))
  )
)
