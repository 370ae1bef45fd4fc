import { assert, describe, it } from "@effect/vitest"
import { optionNames, variableName } from "../../../src/runtime/config/RunConfig.ts"
import { judge } from "../../../src/runtime/config/variables.ts"

const refusal = (name: string): string | undefined => {
  const judged = judge(name)
  return judged !== undefined && "refused" in judged ? judged.refused : undefined
}

describe("variables", () => {
  it("knows every setting", () => {
    for (const name of optionNames) assert.isUndefined(judge(variableName(name)))
  })

  it("passes over what an orchestrator sets", () => {
    for (const service of ["TROUPE", "TROUPE_METRICS", "TROUPE_N_ENVS"]) {
      for (
        const end of [
          "PORT",
          "SERVICE_HOST",
          "SERVICE_PORT",
          "SERVICE_PORT_HTTP",
          "SERVICE_PORT_GRPC_WEB",
          "PORT_80_TCP",
          "PORT_80_TCP_PROTO",
          "PORT_80_TCP_PORT",
          "PORT_80_TCP_ADDR",
          "PORT_53_UDP_ADDR",
          "PORT_9_SCTP"
        ]
      ) assert.isUndefined(judge(`${service}_${end}`), end)
    }
  })

  it("refuses near misses of settings, and says which", () => {
    const meant = {
      TROUPE_NENVS: "TROUPE_N_ENVS",
      TROUPE_N_ENV: "TROUPE_N_ENVS",
      TROUPE_NUM_ENVS: "TROUPE_N_ENVS",
      TROUPE_SEDE: "TROUPE_SEED",
      TROUPE_SEEDS: "TROUPE_SEED",
      TROUPE_WORKER: "TROUPE_WORKERS",
      TROUPE_TOTAL_TIMESTEP: "TROUPE_TOTAL_TIMESTEPS",
      TROUPE_STEPS: "TROUPE_TOTAL_TIMESTEPS",
      TROUPE_LEARNING_RATE: "TROUPE_LR",
      TROUPE_ENV: "TROUPE_ENV_ID",
      TROUPE_GPU: "TROUPE_DEVICE=gpu",
      "TROUPE_N-ENVS": "TROUPE_N_ENVS",
      troupe_seed: "TROUPE_SEED",
      Troupe_Seed: "TROUPE_SEED",
      TROUPESEED: "TROUPE_SEED",
      TROUP_SEED: "TROUPE_SEED"
    }
    for (const [name, setting] of Object.entries(meant)) {
      assert.strictEqual(refusal(name), `There is no setting ${name} in the environment. Did you mean ${setting}?`)
    }
  })

  it("refuses what is no name at all", () => {
    for (const name of ["TROUPE_A B", "TROUPE_\u001b[31m", "TROUPE_\n"]) {
      assert.strictEqual(refusal(name), `There is no setting ${name} in the environment.`)
    }
  })

  it("says of the rest of ours that it is ignored, and nothing of others", () => {
    for (const name of ["TROUPE_HOME", "TROUPE_VERSION", "TROUPE_RESUME", "TROUPE_PORTS_OPEN", "TROUPE_"]) {
      assert.deepStrictEqual(judge(name), { notice: `${name} in the environment is no setting, and is ignored.` })
    }
    for (const name of ["TERM", "TMPDIR", "PATH", "TROPE", "TROUPE", "T", "TEMP_SEED"]) assert.isUndefined(judge(name))
  })
})
