import { chromium } from "playwright-core"
const [, , url, out, w, h, scheme, wait] = process.argv
const b = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync"
  ]
})
const p = await b.newPage({ viewport: { width: +w, height: +h }, colorScheme: scheme })
p.on("console", (m) => console.log("console", m.type(), m.text()))
p.on("pageerror", (e) => console.log("pageerror", String(e)))
await p.goto(url)
await p.waitForTimeout(+wait || 2500)
console.log(
  await p.evaluate(
    `(() => { const w = document.documentElement.clientWidth; return JSON.stringify([...document.querySelectorAll("*")].filter(e => e.getBoundingClientRect().right > w + 0.5).map(e => e.tagName + "." + e.className + "#" + e.id + " " + Math.round(e.getBoundingClientRect().right)).slice(0, 25)) })()`
  )
)
await p.screenshot({ path: out })
await b.close()
