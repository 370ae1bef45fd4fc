/** Prints how far one device is from float64, as JSON: `node measureGolden.ts webgpu`. For devices with native parts. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { deviceNames } from "../../../src/model/Device.ts"
import { measure } from "./golden.ts"
import { opened } from "./opening.ts"

await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
  const name = yield* Schema.decodeUnknownEffect(Schema.Literals(deviceNames))(process.argv[2])
  const device = yield* opened(name)
  const distance = yield* device.use(measure)
  process.stdout.write(`${JSON.stringify(distance)}\n`)
})))
