/** Who knows the secret is let in, who does not is not, and every refusal is a sentence of one line. */
import { assert, describe, it } from "@effect/vitest"
import * as Handshake from "../../../src/actors/links/Handshake.ts"
import { Pcg64 } from "../../../src/random/Pcg64.ts"
import { bytes, callAtRunner, callFromOwner, facts, judgeWords, request, secret } from "./strangers.ts"

const house: Handshake.House = {
  secrets: [secret],
  facts,
  draining: false,
  termOf: () => 0,
  lacks: () => undefined
}

/** What comes of a handshake: undefined where the owner is let in. */
const shake = (
  change: {
    readonly house?: Partial<Handshake.House>
    readonly request?: Partial<Handshake.Request>
    readonly secret?: string
    /** Changes what is said on the way: the challenge, the claim, the verdict. */
    readonly onTheWay?: (words: Record<string, unknown>, at: "challenge" | "claim" | "verdict") => void
  } = {}
): Handshake.Refused | undefined => {
  const { onTheWay = () => {}, secret: known = secret } = change
  const sent = (words: object, at: "challenge" | "claim" | "verdict") => {
    const changed: Record<string, unknown> = { ...words }
    onTheWay(changed, at)
    return bytes(changed)
  }
  const nonce = Handshake.nonce()
  const made = Handshake.claim(
    sent(Handshake.challenge(nonce), "challenge"),
    { ...request, ...change.request },
    known,
    Handshake.nonce()
  )
  if ("problem" in made) return made
  const { claim, verdict } = Handshake.judge(sent(made.claim, "claim"), nonce, { ...house, ...change.house })
  const refused = Handshake.heard(sent(verdict, "verdict"), made, known)
  // Both sides are of one mind, or somebody came in between.
  if (change.onTheWay === undefined) assert.strictEqual(refused === undefined, claim !== undefined)
  return refused
}

describe("Handshake", () => {
  it("lets in who knows a secret that is good", () => {
    assert.isUndefined(shake())
    assert.isUndefined(shake({ house: { secrets: ["another one of them", secret] } }))
  })

  const refusals: ReadonlyArray<readonly [Parameters<typeof shake>[0], RegExp, Partial<Handshake.Refused>]> = [
    [{ secret: "not the one that is known" }, /its secret is another/, { final: true, over: false }],
    [{ house: { secrets: [] } }, /its secret is another/, { final: true }],
    [{ house: { facts: { ...facts, build: "another" } } }, /it is of build another, we of a build/, { final: true }],
    [{ house: { facts: { ...facts, node: 19 } } }, /it runs Node 19, we Node \d+/, { final: true }],
    [{ request: { endianness: "BE" } }, /orders bytes as LE, ours as BE/, { final: true }],
    [{ house: { termOf: () => 3 } }, /our term 1 is over: it has heard of term 3/, { final: true, over: true }],
    [{ house: { lacks: () => "it has\nno maze" } }, /it has\\nno maze/, { final: true, over: false }],
    [{ house: { draining: true } }, /takes no more work/, { final: false, over: false }],
    [{ onTheWay: (words) => void (words["protocol"] = 99) }, /speaks version 99/, { final: true }]
  ]
  for (const [change, said, kind] of refusals) {
    it(`says ${said}`, () => {
      const refused = shake(change)
      assert.match(refused?.problem ?? "", said)
      assert.notInclude(refused?.problem ?? "", "\n")
      assert.deepInclude(refused, kind)
    })
  }

  it("lets in nobody whose words were changed on the way, or taken from elsewhere", () => {
    const changes: ReadonlyArray<readonly ["challenge" | "claim" | "verdict", string, unknown]> = [
      ["challenge", "nonce", "0".repeat(64)],
      ["claim", "term", 7],
      ["claim", "system", "another run"],
      ["claim", "want", "drain"],
      ["claim", "need", "more"],
      ["claim", "nonce", "f".repeat(64)],
      ["claim", "mac", "f".repeat(64)],
      ["verdict", "mac", "f".repeat(64)],
      ["verdict", "refusal", null]
    ]
    for (const [where, field, value] of changes) {
      const refused = shake({
        ...(field === "refusal" ? { house: { draining: true } } : {}),
        onTheWay: (words, at) => {
          if (at === where) words[field] = value
        }
      })
      assert.isDefined(refused, `${where}.${field}`)
    }
  })

  it("a runner that does not know the secret is found out, whatever it says", () => {
    const made = Handshake.claim(bytes(Handshake.challenge(Handshake.nonce())), request, secret, Handshake.nonce())
    assert.isFalse("problem" in made)
    if ("problem" in made) return
    for (const mac of [null, "0".repeat(64)]) {
      const refused = Handshake.heard(bytes({ refusal: null, mac }), made, secret)
      assert.match(refused?.problem ?? "", /does not prove that it knows our secret/)
    }
  })

  it("malformed words come to a refusal each, to both sides", () => {
    judgeWords(4000, Pcg64.fromSeed(7))
  })

  // More of them: `node test/soak/strangers.ts`.
  it("strangers get a sentence or a closed door at once, from a runner and from an owner", async () => {
    const random = Pcg64.fromSeed(8)
    const { refused } = await callAtRunner(1000, random)
    assert.isAbove(refused, 400)
    await callFromOwner(1000, random)
  })
})
