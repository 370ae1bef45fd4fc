/** How a simulation asks for hosts on runners. */
import * as Effect from "effect/Effect"
import { isLoopback, parse } from "../../actors/links/RunnerDirectory.ts"
import type { HostsOptions } from "../../simulation/hosts/run.ts"
import { sourcesHash } from "../../sources.ts"
import { plainLine } from "../../text/plainLine.ts"
import { ConfigError } from "../config/configSources.ts"
import { readPem, readSecrets } from "../files/secrets.ts"
import type { LoadedModel } from "./loadModel.ts"
import { needOf } from "./offeredModels.ts"

export type Runners = NonNullable<HostsOptions<unknown>["runners"]>

const usage = (source: string, message: string) => new ConfigError({ source, message })

/** `addresses`: where runners listen, separated by commas. `ca`: a file, needed where they are other machines. */
export const onRunners = Effect.fnUntraced(function*(
  { model, module }: LoadedModel,
  addresses: string | undefined,
  secretFile: string | undefined,
  ca: string | undefined
) {
  if (addresses === undefined) {
    return yield* usage(
      "runners",
      "--placement runner needs --runners, the addresses where runners listen, such as 127.0.0.1:4100."
    )
  }
  if (secretFile === undefined) {
    return yield* usage(
      "runner-secret-file",
      "--placement runner needs --runner-secret-file, the file with the secret that the runners know."
    )
  }
  const runners = addresses.split(",").map((address) => address.trim())
  const wrong = runners.find((address) => parse(address) === undefined)
  if (wrong !== undefined) {
    return yield* usage(
      "runners",
      `--runners must be addresses such as 10.0.0.5:4100, separated by commas; ${
        JSON.stringify(plainLine(wrong, 80))
      } is none.`
    )
  }
  const far = runners.find((address) => !isLoopback(parse(address)?.host ?? ""))
  if (far !== undefined && ca === undefined) {
    return yield* usage(
      "runner-ca",
      `The runner at ${far} is another machine, and nothing is sent there unencrypted: --runner-ca names the certificate ` +
        "that its own comes from."
    )
  }
  const [secret] = yield* readSecrets(secretFile)
  const context = yield* Effect.context<never>()
  const options: Runners = {
    runners,
    secret,
    build: sourcesHash(),
    need: needOf(model.modelName, module),
    // Shares do nothing but answer: whoever is lost is not waited for.
    fence: false,
    ...(ca === undefined ? {} : { ca: yield* readPem(ca) }),
    notice: (text: string) => void Effect.runForkWith(context)(Effect.logWarning(text))
  }
  return options
})
