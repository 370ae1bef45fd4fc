/** Tests run from the sources; only the WebAssembly kernels and the bundled entries come from `dist/`, built first. */
import { availableParallelism } from "node:os"
import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

const source = (path: string) => fileURLToPath(new URL(`./src/${path}`, import.meta.url))

/** One file at a time: what measures, stops whole programs, or builds what others run. */
const alone = [
  "test/actors/{givenUp,pause}.test.ts",
  "test/actors/links/{HandOvers,model,Poller,SharedLink}.test.ts",
  "test/scripts/*.test.ts",
  "test/time/*.test.ts",
  "test/time.test.ts"
]

/** Files that leave nothing behind in their process, which one after another is in: half of their time would be to load the same. */
const light = [
  "test/{envs,math,random,text}/**/*.test.ts",
  "test/model/*.test.ts",
  "test/model/{kernels,policy,reference}/*.test.ts",
  "test/runtime/{arrivals,commands,config,evaluation,learning,monitoring,plan,reporting,stopping,workers}/*.test.ts",
  "test/simulation/{EventQueue,checkpoint,decision,engine,examples,lattice,parts}.test.ts"
]

/** As many files at a time as leave each room for the threads and processes that it starts; many of them mostly wait. */
const maxWorkers = Math.max(3, Math.floor(availableParallelism() / 2))

export default defineConfig({
  resolve: {
    alias: [
      { find: /^troupe$/, replacement: source("index.ts") },
      { find: /^troupe\/(actors|envs|model|random|simulation|testing)$/, replacement: source("$1/index.ts") },
      { find: /^troupe\/testing\/vitest$/, replacement: source("testing/vitest.ts") }
    ]
  },
  test: {
    globalSetup: ["test/build.setup.ts"],
    // Every address that a test gives the kernels is looked at first: `src/model/kernels/checkedJobs.ts`.
    env: { CHECKED_KERNELS: "1" },
    reporters: ["default", "./test/summary.reporter.ts"],
    testTimeout: 30_000,
    projects: [
      { extends: true, test: { name: "alone", include: alone, maxWorkers: 1 } },
      {
        extends: true,
        test: { name: "light", include: light, isolate: false, maxWorkers, sequence: { groupOrder: 1 } }
      },
      {
        extends: true,
        test: {
          name: "together",
          include: ["test/**/*.test.ts"],
          exclude: [...alone, ...light],
          maxWorkers,
          sequence: { groupOrder: 1 }
        }
      }
    ]
  }
})
