/** Who knows the secret is let in, who does not is not, and every refusal is a sentence of one line. */
import { assert, describe, it } from "@effect/vitest"
import * as Handshake from "../../../src/actors/links/Handshake.ts"
import { Pcg64 } from "../../../src/random/Pcg64.ts"

const secret = "sixteen letters at least"
const facts = Handshake.factsOf("a build")

const house: Handshake.House = {
  secrets: [secret],
  facts,
  draining: false,
  termOf: () => 0,
  lacks: () => undefined
}

const request: Handshake.Request = {
  ...facts,
  want: "host",
  system: "a run",
  term: 1,
  need: "",
  beat: 500,
  silence: 2000
}

const bytes = (words: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(words))

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

  it("thousands of malformed words come to a refusal each", () => {
    const random = Pcg64.fromSeed(7)
    const made = Handshake.claim(bytes(Handshake.challenge(Handshake.nonce())), request, secret, Handshake.nonce())
    if ("problem" in made) return assert.fail(made.problem)
    const samples = [Handshake.challenge(Handshake.nonce()), made.claim, { refusal: null, mac: null }].map(bytes)
    for (let i = 0; i < 3000; i++) {
      const garbled = samples[i % samples.length]!.slice(0, random.integers(0, 600))
      for (let hits = random.integers(1, 6); hits > 0; hits--) {
        if (garbled.length > 0) garbled[random.integers(0, garbled.length)] = random.integers(0, 256)
      }
      assert.isUndefined(Handshake.judge(garbled, "0".repeat(64), house).claim)
      assert.isDefined(Handshake.heard(garbled, made, secret))
      Handshake.claim(garbled, request, secret, "0".repeat(64))
    }
  })
})
