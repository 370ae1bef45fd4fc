/** What strangers may say in a handshake, to a runner and to an owner: words and bytes that nobody has written, by a seed. */
import * as net from "node:net"
import { isDeepStrictEqual } from "node:util"
import * as Frames from "../../../src/actors/links/Frames.ts"
import * as Handshake from "../../../src/actors/links/Handshake.ts"
import { connect } from "../../../src/actors/links/RunnerLink.ts"
import { RunnerServer } from "../../../src/actors/links/RunnerServer.ts"
import type { Pcg64 } from "../../../src/random/Pcg64.ts"

export const secret = "sixteen letters at least"
export const facts = Handshake.factsOf("a build")
export const request: Handshake.Request = {
  ...facts,
  want: "host",
  system: "a run",
  term: 1,
  need: "",
  beat: 500,
  silence: 2000
}

export const bytes = (words: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(words))

const pick = <A>(random: Pcg64, all: ReadonlyArray<A>): A => all[random.integers(0, all.length)]!

/** JSON that no field is made for. */
const values = [
  "null",
  "true",
  "-1",
  "1e308",
  "1e999",
  "9007199254740993",
  "0.5",
  `""`,
  `"\\ud800"`,
  `"\\u0000\\u001b[2J"`,
  "[]",
  "{}",
  `{"__proto__":{"kind":"secret"}}`,
  `${"[".repeat(3000)}${"]".repeat(3000)}`,
  JSON.stringify("x".repeat(20_000)),
  JSON.stringify("f".repeat(64))
]

const randomBytes = (random: Pcg64, most: number): Uint8Array =>
  Uint8Array.from({ length: random.integers(0, most) }, () => random.integers(0, 256))

/** Changes words into others, which do not mean what they meant. */
export const garbled = (random: Pcg64, words: object): Uint8Array => {
  const whole = bytes(words)
  const fields = Object.keys(words)
  const text = (each: (name: string, value: string) => ReadonlyArray<string>) =>
    new TextEncoder().encode(
      `{${
        Object.entries(words).flatMap(([name, value]) => each(name, `${JSON.stringify(name)}:${JSON.stringify(value)}`))
      }}`
    )
  const field = pick(random, fields)
  switch (random.integers(0, 8)) {
    case 0:
      return whole.slice(0, random.integers(0, whole.length))
    case 1: {
      const changed = whole.slice()
      for (let hits = random.integers(1, 6); hits > 0; hits--) {
        const at = random.integers(0, changed.length)
        changed[at] = changed[at]! ^ random.integers(1, 256)
      }
      return changed
    }
    case 2: {
      const value = pick(random, values)
      return text((name, both) => [name === field ? `${JSON.stringify(name)}:${value}` : both])
    }
    case 3:
      return text((name, both) => name === field ? [] : [both])
    case 4:
      // Of two the last counts.
      return text((name, both) => name === field ? [both, `${JSON.stringify(name)}:${pick(random, values)}`] : [both])
    case 5:
      return randomBytes(random, 300)
    case 6:
      return new TextEncoder().encode(pick(random, values))
    default:
      // What follows the end of it.
      return Buffer.concat([whole, Uint8Array.of(random.integers(33, 127))])
  }
}

const frame = (kind: number, body: Uint8Array, length = body.length): Uint8Array => {
  const whole = new Uint8Array(5 + body.length)
  new DataView(whole.buffer).setUint32(0, length, true)
  whole[4] = kind
  whole.set(body, 5)
  return whole
}

/** The same as what comes over a line: whole, with a wrong length, or no frame at all. */
const garbledBytes = (random: Pcg64, words: object): Uint8Array => {
  const body = garbled(random, words)
  switch (random.integers(0, 6)) {
    case 0:
      return frame(random.integers(0, 256), body, random.integers(0, 2 ** 32))
    case 1:
      return frame(1, body, Math.max(0, body.length + random.integers(-3, 4)))
    case 2:
      return randomBytes(random, 200)
    default:
      return frame(random.integers(0, 4), body)
  }
}

/** Says it in pieces, and then nothing more. */
const say = (random: Pcg64, socket: net.Socket, whole: Uint8Array): void => {
  if (random.integers(0, 2) === 0) return void socket.end(whole)
  const at = random.integers(0, whole.length + 1)
  socket.write(whole.subarray(0, at))
  socket.end(whole.subarray(at))
}

const listening = (accept: (socket: net.Socket) => void): Promise<net.Server & { readonly port: number }> =>
  new Promise((resolve) => {
    const server = net.createServer({ noDelay: true }, accept)
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      resolve(Object.assign(server, { port: typeof address === "object" && address !== null ? address.port : 0 }))
    })
  })

/** Does it so often, some at a time. */
const often = async (count: number, once: (i: number) => Promise<void>): Promise<void> => {
  let next = 0
  const worker = async () => {
    while (next < count) await once(next++)
  }
  await Promise.all(Array.from({ length: 16 }, worker))
}

const withinMillis = 2 * Handshake.patience

/** Rejects where it takes too long. */
const timely = <A>(what: string, promise: Promise<A>): Promise<A> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<A>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} hangs`)), withinMillis)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

const oneLine = (sentence: string): boolean => /^[ -~\u00a0-\uffff]+$/.test(sentence)

/** So many strangers call at a runner. Throws where one is let in, has to wait, or gets no sentence. */
export const callAtRunner = async (count: number, random: Pcg64): Promise<{ readonly refused: number }> => {
  let refused = 0
  const server = new RunnerServer({
    open: () => {
      throw new Error("a stranger was let in")
    },
    buildId: undefined,
    facts,
    secrets: () => [secret],
    lacks: () => undefined,
    notice: (text) => {
      if (!oneLine(text)) throw new Error(`no sentence: ${text}`)
      refused++
    },
    drained: () => {
      throw new Error("a stranger was obeyed")
    }
  })
  const listener = await listening((socket) => server.accept(socket))
  await often(count, (i) =>
    timely(
      `call ${i}`,
      new Promise((resolve) => {
        const socket = net.connect(listener.port, "127.0.0.1")
        // Good words of another connection are none here.
        const made = Handshake.claim(bytes(Handshake.challenge(Handshake.nonce())), request, secret, Handshake.nonce())
        if ("problem" in made) throw new Error(made.problem)
        const replay = i % 50 === 0
        socket.on("connect", () => {
          if (replay) socket.end(frame(1, bytes(made.claim)))
          else say(random, socket, garbledBytes(random, made.claim))
        })
        socket.on("data", () => {})
        socket.on("error", () => {})
        socket.on("close", () => resolve())
      })
    ))
  await new Promise((resolve) => listener.close(resolve))
  if (server.hosts > 0) throw new Error("a stranger has a host")
  return { refused }
}

/** An owner calls at so many that are no runners. Throws where it takes one for a runner, has to wait, or gets no sentence. */
export const callFromOwner = async (count: number, random: Pcg64): Promise<void> => {
  const verdict: Handshake.Verdict = { refusal: { kind: "term", term: 7 }, mac: "0".repeat(64) }
  const listener = await listening((socket) => {
    socket.on("error", () => {})
    // Whatever it is told: its end is heard.
    socket.on("data", () => {})
    if (random.integers(0, 2) === 0) {
      return say(random, socket, garbledBytes(random, Handshake.challenge(Handshake.nonce())))
    }
    Frames.sendWords(socket, Handshake.challenge(Handshake.nonce()))
    socket.once("data", () => say(random, socket, garbledBytes(random, verdict)))
  })
  const address = { host: "127.0.0.1", port: listener.port }
  await often(count, (i) =>
    timely(
      `call ${i}`,
      new Promise((resolve, reject) => {
        connect(
          address,
          { secret, ca: undefined },
          request,
          Handshake.patience,
          () => reject(new Error("what was no runner was taken for one")),
          ({ over, problem }) => {
            // Nobody who does not know the secret ends a run.
            if (over || !oneLine(problem)) reject(new Error(`no sentence, or an end: ${problem}`))
            else resolve()
          }
        )
      })
    ))
  await new Promise((resolve) => listener.close(resolve))
}

/** The same without a line: what each side makes of the words. */
export const judgeWords = (count: number, random: Pcg64): void => {
  const house: Handshake.House = { secrets: [secret], facts, draining: false, termOf: () => 0, lacks: () => undefined }
  const challengeNonce = Handshake.nonce()
  const made = Handshake.claim(bytes(Handshake.challenge(challengeNonce)), request, secret, Handshake.nonce())
  if ("problem" in made) throw new Error(made.problem)
  const refuses = (words: string, refused: Handshake.Refused | undefined): void => {
    if (refused === undefined || refused.over || !oneLine(refused.problem)) throw new Error(`not refused: ${words}`)
  }
  for (let i = 0; i < count; i++) {
    const claim = garbled(random, made.claim)
    const { claim: taken, verdict } = Handshake.judge(claim, challengeNonce, house)
    // What was changed so that it says the same is no other word.
    if (taken !== undefined && !isDeepStrictEqual(taken, made.claim)) {
      throw new Error(`let in: ${new TextDecoder().decode(claim)}`)
    }
    if (taken === undefined && verdict.refusal === null) throw new Error("refused without a word")
    const answer = garbled(random, { refusal: null, mac: "0".repeat(64) })
    refuses(new TextDecoder().decode(answer), Handshake.heard(answer, made, secret))
    const challenge = Handshake.claim(
      garbled(random, Handshake.challenge(challengeNonce)),
      request,
      secret,
      "0".repeat(64)
    )
    if ("problem" in challenge) refuses("a challenge", challenge)
  }
}
