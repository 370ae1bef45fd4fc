/**
 * The dashboard in a real browser: Chromium without a window, where there is one (Debian's package `chromium`, or what the
 * variable CHROMIUM names). With TROUPE_PICTURES=1 it makes the pictures of the README anew.
 */
import { NodeServices } from "@effect/platform-node"
import { assert, it } from "@effect/vitest"
import { Effect, FileSystem, type Scope } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { type Browser, chromium, type Page } from "playwright-core"
import { troupe } from "../program.ts"

const at = (file: string) => fileURLToPath(new URL(file, import.meta.url))

const executablePath = [process.env["CHROMIUM"], "/usr/bin/chromium", "/usr/bin/chromium-browser"]
  .find((file) => file !== undefined && file !== "" && existsSync(file))

/** Without a word to anybody but this machine. */
const args = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync"
]

/** Milliseconds that something may take to be seen: the machine may be busy. */
const patience = 40_000

const browser = Effect.acquireRelease(
  Effect.promise(() => chromium.launch({ ...(executablePath === undefined ? {} : { executablePath }), args })),
  (browser: Browser) => Effect.promise(() => browser.close())
)

/** A program that is ended with the scope; answers where its dashboard is. */
const started = (cwd: string, ...flags: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const child = yield* Effect.acquireRelease(
      Effect.sync((): ChildProcess =>
        spawn(process.execPath, [at("../../scripts/start.ts"), ...flags], { cwd, stdio: ["ignore", "pipe", "pipe"] })
      ),
      (child) =>
        Effect.callback<void>((resume) => {
          if (child.exitCode !== null) return resume(Effect.void)
          child.once("exit", () => resume(Effect.void))
          child.kill("SIGINT")
        })
    )
    const address = yield* Effect.callback<string, Error>((resume) => {
      let said = ""
      const hear = (data: Buffer) => {
        said += data.toString()
        const found = /dashboard at (http:\/\/127\.0\.0\.1:\d+\/)/.exec(said)?.[1]
        if (found !== undefined) resume(Effect.succeed(found))
      }
      child.stdout!.on("data", hear)
      child.stderr!.on("data", hear)
      child.once("exit", () => resume(Effect.fail(new Error(`it ended before it had an address: ${said}`))))
    }).pipe(Effect.timeout(patience))
    return { address, pid: child.pid! }
  })

/** A page, and whatever its console complained of. */
const visit = Effect.fnUntraced(
  function*(browser: Browser, address: string, options: Parameters<Browser["newPage"]>[0]) {
    const complaints: Array<string> = []
    const page = yield* Effect.promise(async () => {
      const page = await browser.newPage(options)
      page.on("console", (message) => {
        if (message.type() === "error" || message.type() === "warning") complaints.push(message.text())
      })
      page.on("pageerror", (error) => complaints.push(String(error)))
      page.setDefaultTimeout(patience)
      await page.goto(address)
      return page
    })
    return { page, complaints }
  }
)

const show = (page: Page, name: string) =>
  Effect.promise(async () => {
    const picture = await page.screenshot({ type: "jpeg", quality: 65 })
    assert.isAbove(picture.length, 10_000)
    assert.isBelow(picture.length, 250_000)
    if (process.env["TROUPE_PICTURES"] === undefined) return
    const { mkdir, writeFile } = await import("node:fs/promises")
    await mkdir(at("../../docs/pictures"), { recursive: true })
    await writeFile(at(`../../docs/pictures/${name}.jpg`), picture)
  })

const curve = (metric: string) => `#curves figure[data-metric="${metric}"]`

/**
 * Waits until an expression of the page holds. It is text, since these tests know no browser's types, and it is asked from here:
 * the page lets nobody run text in it.
 */
const holds = async (page: Page, expression: string): Promise<void> => {
  const end = performance.now() + patience
  while (await page.evaluate(expression) !== true) {
    assert.isBelow(performance.now(), end, `it never holds: ${expression}`)
    await page.waitForTimeout(50)
  }
}

/** Waits until a curve has so many points. */
const grown = (page: Page, metric: string, least: number) =>
  holds(page, `Number(document.querySelector('${curve(metric)}')?.dataset.points) >= ${least}`)

const pointsOf = async (page: Page, metric: string): Promise<number> =>
  Number(await page.locator(curve(metric)).getAttribute("data-points"))

/** The child processes of a process. */
const childrenOf = (pid: number): ReadonlyArray<number> =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter((text) => text !== "").map(Number)

const live = (
  name: string,
  test: Effect.Effect<void, unknown, FileSystem.FileSystem | Scope.Scope>
) =>
  executablePath === undefined
    ? it.skip(`${name} (there is no Chromium here)`, () => {})
    : it.live(name, () => Effect.scoped(Effect.provide(test, NodeServices.layer)), 120_000)

live(
  "a run as it trains: its curve grows, a killed worker shows as restarted, two runs are compared",
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const folder = yield* fs.makeTempDirectoryScoped()
    const open = yield* browser
    const flags = [
      "--total-timesteps",
      "1000000000",
      "--keep-going",
      "--placement",
      "process",
      "--workers",
      "2",
      "--env-id"
    ]
    const run = yield* started(folder, ...flags, "CartPole-v1", "--seed", "1", "--dashboard")
    const { complaints, page } = yield* visit(open, run.address, {
      viewport: { width: 1280, height: 900 },
      colorScheme: "light"
    })
    yield* Effect.promise(async () => {
      assert.strictEqual(await page.locator("h1").textContent(), "Troupe")
      await grown(page, "rollout/ep_rew_mean", 3)
      const before = await pointsOf(page, "rollout/ep_rew_mean")
      await grown(page, "rollout/ep_rew_mean", before + 2)
      await page.locator("#actors li[data-actor='env-worker/0']").waitFor()
      const [victim] = childrenOf(run.pid)
      process.kill(victim!, "SIGKILL")
      await page.locator("#actors li[data-restarts='1']").first().waitFor()
      await page.locator("#log li[data-kind='death']").first().waitFor()
      // By keys alone: along a curve, and larger.
      const figure = page.locator(curve("rollout/ep_rew_mean"))
      await figure.focus()
      await page.keyboard.press("ArrowLeft")
      await page.keyboard.press("Enter")
      assert.match(await figure.getAttribute("class") ?? "", /large/)
      await page.keyboard.press("Enter")
    })
    yield* show(page, "dashboard-run")
    yield* Effect.promise(async () => {
      await page.emulateMedia({ colorScheme: "dark" })
      await page.setViewportSize({ width: 390, height: 800 })
      await page.waitForTimeout(300)
      const wide = await page.evaluate("document.documentElement.scrollWidth")
      assert.isAtMost(Number(wide), 390, "a phone scrolls to the side")
    })
    yield* show(page, "dashboard-phone")
    assert.deepStrictEqual(complaints, [])

    // Beside another, both by their folders, one of them under way.
    const other = yield* troupe(folder, ["CartPole-v1", "--seed", "2", "--quiet"])
    assert.strictEqual(other.code, 0, other.stderr)
    const both = yield* started(folder, "dashboard", "runs")
    const compared = yield* visit(open, both.address, { viewport: { width: 1280, height: 900 }, colorScheme: "dark" })
    yield* Effect.promise(async () => {
      await compared.page.locator(`${curve("rollout/ep_rew_mean")}[data-lines="2"]`).waitFor()
      await compared.page.locator("#subjects li[data-state='under way']").waitFor()
      await compared.page.locator("#subjects li[data-state='over']").waitFor()
      const picture = compared.page.locator("#pictures img").first()
      await picture.scrollIntoViewIfNeeded()
      await holds(compared.page, "document.querySelector('#pictures img').naturalWidth > 0")
      await compared.page.locator("#subjects input").nth(1).uncheck()
      await compared.page.locator(`${curve("rollout/ep_rew_mean")}[data-lines="1"]`).waitFor()
      await compared.page.locator("#subjects input").nth(1).check()
      await compared.page.evaluate("scrollTo(0, 0)")
      await compared.page.waitForTimeout(300)
    })
    yield* show(compared.page, "dashboard-compared")
    assert.deepStrictEqual(compared.complaints, [])
  })
)

live(
  "a simulation that is paused, stepped, let go and seen to its end",
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const folder = yield* fs.makeTempDirectoryScoped()
    const open = yield* browser
    const simulation = yield* started(
      folder,
      "simulate",
      at("../../examples/simulations/schelling.ts"),
      "--dashboard",
      "--paused"
    )
    const { complaints, page } = yield* visit(open, simulation.address, {
      viewport: { width: 1280, height: 900 },
      colorScheme: "light"
    })
    const time = async () => Number(await page.locator("#worlds .time").getAttribute("data-time"))
    const later = (than: number) =>
      holds(page, `Number(document.querySelector('#worlds .time')?.dataset.time) > ${than}`)
    yield* Effect.promise(async () => {
      await page.locator("#worlds canvas").waitFor()
      assert.strictEqual(await time(), 0)
      await page.waitForTimeout(300)
      assert.strictEqual(await time(), 0, "it is paused")
      await page.locator("button.step").focus()
      await page.keyboard.press("Enter")
      await later(0)
      const first = await time()
      await page.waitForTimeout(300)
      assert.strictEqual(await time(), first, "a step is one")
      await page.locator("button.step").click()
      await later(first)
    })
    yield* show(page, "dashboard-simulation")
    yield* Effect.promise(async () => {
      await page.locator("select.pace").selectOption("20")
      await page.locator("button.pause").click()
      await page.locator("#subjects li[data-state='finished']").waitFor()
      await page.locator("#link[data-state='over']").waitFor()
    })
    assert.deepStrictEqual(complaints, [])
  })
)
