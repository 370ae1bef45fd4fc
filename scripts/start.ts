/** `npm start`: makes sure that what runs was built from these sources, then hands over to the command line. */
import "../src/processOne.js"
import { keepCompiled } from "../src/compileCache.ts"
import { ensureBuilt } from "./build.ts"

// What was compiled once is kept for the next time.
keepCompiled()

const { problems } = await ensureBuilt()
if (problems.length > 0) process.exit(1)
// npm moves to the package's folder; paths on the command line are meant from where the person is.
if (process.env["npm_lifecycle_event"] === "start" && process.env["INIT_CWD"] !== undefined) {
  process.chdir(process.env["INIT_CWD"])
}
await import(new URL("../dist/cli.js", import.meta.url).href)
