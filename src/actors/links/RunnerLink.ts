/**
 * The owner's end of a link to a host on another machine, a child of the runner there (`RunnerServer`).
 *
 * One connection carries everything: the handshake, batches, signs of life both ways. The runner answers those, not the
 * host, so a machine that cannot be reached is found within a lease, however long a host computes. What the connection
 * says before it ends is heard; once this side has given it up nothing of it is.
 *
 * Nothing above the link knows of any of this: a runner that is gone is a host that exited, and the next link goes to
 * whichever runner the directory has. To wait for one is no death. A refusal that would be the same anywhere is final.
 */
import * as net from "node:net"
import type * as Tls from "node:tls"
import { plainLine } from "../../text/plainLine.ts"
import * as Frames from "./Frames.ts"
import * as Handshake from "./Handshake.ts"
import type { Command, HostLink, LinkEvents, OpenLink, Report } from "./HostLink.ts"
import { type Chosen, isLoopback, type RunnerDirectory, show } from "./RunnerDirectory.ts"
import { readNews } from "./runnerWords.ts"
import { Unsettled } from "./Unsettled.ts"

export interface RunnerLinkOptions {
  readonly directory: RunnerDirectory
  /** The secret that runners know. */
  readonly secret: string
  readonly facts: Handshake.Facts
  /** Whose hosts these are, to runners. */
  readonly system: string
  /** A runner that has heard of a higher one does not hear us. */
  readonly term: number
  /** What a runner must have; see `RunnerServer`. */
  readonly need: string
  /** Milliseconds without a sign of life after which a runner is given up. */
  readonly leaseMillis: number
  /**
   * Whether a host that was lost is waited for until its runner must have ended it, which then is after one lease; otherwise
   * another takes its place at once.
   */
  readonly fence: boolean
  /** Milliseconds that it may take until there is a runner. */
  readonly waitMillis: number
  /** Certificates in PEM format by which runners are known; without, connections are not encrypted. */
  readonly ca: string | undefined
  /** Told what a person should know. */
  readonly notice: (text: string) => void
  /** Told how many bytes of batches have gone and come. */
  readonly traffic: (way: "sent" | "received", bytes: number) => void
}

/** Signs of life in a lease. */
const beats = 4

/** Without a fence a runner keeps a silent owner's host for so long (milliseconds): a busy owner gives no signs of life. */
const unfencedSilence = 30_000

/** Milliseconds in which a runner ends a host that it is to end. */
const obeys = 500

/** Milliseconds between two looks at whether there is a runner, and until a person is told that there is none. */
const look = 25
const tellAfter = 1500

const unencrypted: Handshake.Refused = {
  problem:
    "it is another machine, and nothing is sent there unencrypted: name the certificates that its own comes from",
  final: true,
  over: false
}

/** The connection is there, and both ends have proved who they are. */
interface Connected {
  readonly socket: net.Socket
  /** From now on frames go to `hear`. */
  readonly listen: (hear: (kind: number, body: Uint8Array) => void) => void
}

/** Connects to a runner and shakes hands; calls one of the two, once, unless what this returns is called before. */
export const connect = (
  address: { readonly host: string; readonly port: number },
  options: Pick<RunnerLinkOptions, "ca" | "secret">,
  request: Handshake.Request,
  millis: number,
  done: (connected: Connected) => void,
  failed: (refused: Handshake.Refused) => void
): () => void => {
  const socket = options.ca === undefined
    ? net.connect({ ...address, noDelay: true })
    : process.getBuiltinModule("node:tls").connect({ ...address, ...identity(address.host), ca: options.ca })
  socket.setNoDelay(true)
  let over = false
  socket.on("connect", () => {
    // Where nobody listens on a port that the system also gives to whoever connects, we may have met ourselves. That must not
    // keep the port from the runner that comes: without a reset it would for a minute.
    if (socket.localPort !== socket.remotePort || socket.localAddress !== socket.remoteAddress) return
    if (options.ca === undefined) socket.resetAndDestroy()
    away("nobody listens there")
  })
  const stop = (): void => {
    over = true
    clearTimeout(timer)
    // Whatever it still has to say is not heard; an error of it is nobody's.
    socket.removeAllListeners()
    socket.on("error", () => {})
    socket.destroy()
  }
  const fail = (refused: Handshake.Refused): void => {
    if (over) return
    stop()
    failed(refused)
  }
  const away = (problem: string) => fail({ problem, final: false, over: false })
  const timer = setTimeout(() => away(`it does not answer within ${millis} ms`), millis)
  const nonce = Handshake.nonce()
  const { secret } = options
  let made: { readonly claim: Handshake.Claim; readonly challengeNonce: string } | undefined
  let hear: ((kind: number, body: Uint8Array) => void) | undefined
  /** Frames that came with the end of the handshake. */
  const early: Array<readonly [kind: number, body: Uint8Array]> = []
  let shaken = false
  const deframer = new Frames.Deframer((kind, body) => {
    if (hear !== undefined) return hear(kind, body)
    if (shaken) return void early.push([kind, body])
    if (over) return
    if (made === undefined) {
      const answer = Handshake.claim(body, request, secret, nonce)
      if ("problem" in answer) return fail(answer)
      made = answer
      return Frames.sendWords(socket, answer.claim)
    }
    const refused = Handshake.heard(body, made, secret)
    if (refused !== undefined) return fail(refused)
    shaken = true
    over = true
    clearTimeout(timer)
    deframer.limit = Frames.longFrame
    done({
      socket,
      listen: (listener) => {
        hear = listener
        for (const [kind, body] of early.splice(0)) listener(kind, body)
      }
    })
  })
  socket.on("data", (chunk: Uint8Array) => {
    try {
      deframer.push(chunk)
    } catch {
      if (shaken) return void socket.destroy()
      fail(Handshake.foreign)
    }
  })
  socket.on("error", (error: NodeJS.ErrnoException) => fail(troubleOf(error)))
  socket.on("close", () => away("it closed the connection"))
  return stop
}

/** The name that a certificate must be for; an address is no name that TLS would send. */
const identity = (host: string): Tls.ConnectionOptions => net.isIP(host) === 0 ? { servername: host } : {}

const troubles: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nobody listens there",
  ECONNRESET: "it broke the connection off",
  EHOSTUNREACH: "there is no way to it",
  ENETUNREACH: "there is no way to it",
  ENOTFOUND: "there is no machine of that name",
  EAI_AGAIN: "its name could not be looked up",
  ETIMEDOUT: "it does not answer"
}

const troubleOf = (error: NodeJS.ErrnoException): Handshake.Refused => {
  const { code = "", message } = error
  const known = troubles[code]
  if (known !== undefined) return { problem: known, final: false, over: false }
  // What TLS finds wrong with a certificate stays wrong.
  const final = /^(?:ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)/.test(code)
  const what = plainLine(message, 200)
  return { problem: final ? `no encrypted connection to it can be had: ${what}` : what, final, over: false }
}

/** Opens a link to whichever runner the directory has. */
export const open = (options: RunnerLinkOptions): OpenLink => (events) => new Link(options, events)

class Link implements HostLink {
  private readonly options: RunnerLinkOptions
  private readonly events: LinkEvents
  private readonly writer = new Frames.BatchWriter()
  private readonly began = performance.now()
  private chosen: Chosen | undefined
  private socket: net.Socket | undefined
  /** What calls off the handshake, or the wait for a runner. */
  private callOff: (() => void) | undefined
  private pulse: ReturnType<typeof setInterval> | undefined
  private heardAt = 0
  private terminated = false
  /** What the host has been told and has not answered. */
  private readonly unsettled = new Unsettled()
  /** Why it is to go on elsewhere. */
  private leaving: string | undefined
  /** The connection is given up: nothing of it is heard any more. */
  private lost = false
  private over = false

  constructor(options: RunnerLinkOptions, events: LinkEvents) {
    this.options = options
    this.events = events
    // Whoever opens a link holds it before it hears of it.
    const first = setImmediate(() => this.begin())
    this.callOff = () => clearImmediate(first)
  }

  get queued(): number {
    return this.socket?.writableLength ?? 0
  }

  post(batch: ReadonlyArray<Command>): void {
    const body = this.writer.bytesOf(batch)
    if (this.socket === undefined || this.lost) return
    this.unsettled.posted(batch)
    Frames.sendBatch(this.socket, body)
    this.options.traffic("sent", Frames.head + body.length)
  }

  terminate(): void {
    if (this.terminated || this.over) return
    this.terminated = true
    if (this.lost) return
    if (this.socket === undefined) {
      this.callOff?.()
      // Not within the call.
      queueMicrotask(() => this.finish("terminated"))
      return
    }
    Frames.sendWords(this.socket, { end: true })
    const timer = setTimeout(() => this.lose("its runner does not say that it has ended"), obeys)
    this.callOff?.()
    this.callOff = () => clearTimeout(timer)
  }

  // --- to a runner

  private begin(): void {
    this.callOff = undefined
    if (this.over || this.terminated) return
    const { ca, directory, leaseMillis } = this.options
    const chosen = directory.choose()
    if (chosen === undefined) return this.wait()
    if (ca === undefined && !isLoopback(chosen.address.host)) return this.refused(chosen, unencrypted)
    this.chosen = chosen
    const millis = Math.min(Handshake.patience, Math.max(250, leaseMillis))
    this.callOff = connect(
      chosen.address,
      this.options,
      this.request("host"),
      millis,
      (connected) => this.serve(chosen, connected),
      (refused) => this.refused(chosen, refused)
    )
  }

  private request(want: Handshake.Want): Handshake.Request {
    const { facts, fence, leaseMillis, need, system, term } = this.options
    // A runner looks as often as it gives signs of life: within a lease it has ended the host.
    const silence = fence ? leaseMillis - leaseMillis / beats : Math.max(leaseMillis, unfencedSilence)
    return {
      ...facts,
      want,
      system,
      term,
      need,
      beat: Math.max(50, Math.round(leaseMillis / beats)),
      silence: Math.max(50, Math.round(silence))
    }
  }

  /** Until there is a runner. */
  private wait(): void {
    const { directory, notice, waitMillis } = this.options
    const waited = performance.now() - this.began
    if (directory.hopeless) return this.finish(`no runner takes us (${directory.problems})`, undefined, "final")
    if (waited > waitMillis) {
      const within = `${Math.round(waitMillis / 1000)} s`
      return this.finish(`no runner was there within ${within} (${directory.problems})`, undefined, "final")
    }
    if (waited > tellAfter && directory.mayTell) {
      notice(`waiting for a runner (${directory.problems})`)
    }
    const timer = setTimeout(() => this.begin(), look)
    this.callOff = () => clearTimeout(timer)
  }

  private refused(chosen: Chosen, { final, over, problem }: Handshake.Refused): void {
    this.callOff = undefined
    this.chosen = undefined
    chosen.leave()
    const news = chosen.fails(problem, final)
    if (over) return this.finish(`the runner at ${show(chosen.address)} refuses us: ${problem}`, undefined, "final")
    if (final && news && !this.options.directory.hopeless) {
      this.options.notice(`the runner at ${show(chosen.address)} is left out: ${problem}`)
    }
    this.wait()
  }

  // --- with a runner

  private serve(chosen: Chosen, { listen, socket }: Connected): void {
    this.callOff = undefined
    this.socket = socket
    this.heardAt = performance.now()
    chosen.answers()
    const at = show(chosen.address)
    socket.on("error", () => {})
    socket.on("drain", () => this.events.drained?.())
    // A part of a frame is a sign of life too: a long one may take longer than a lease.
    socket.on("data", () => this.heardAt = performance.now())
    socket.on("close", () => this.lose(`the connection to the runner at ${at} ended`))
    const { leaseMillis } = this.options
    this.pulse = setInterval(() => this.beat(at), leaseMillis / beats)
    listen((kind, body) => this.hear(kind, body))
  }

  private beat(at: string): void {
    if (this.socket !== undefined && !this.lost) Frames.sendBeat(this.socket)
    this.lookElsewhere()
    const silent = () => performance.now() - this.heardAt > this.options.leaseMillis
    if (!silent()) return
    // This thread may have been busy, or stopped: what has come meanwhile is heard first.
    setImmediate(() =>
      setImmediate(() => {
        if (silent()) this.lose(`nothing was heard from the runner at ${at} for ${this.options.leaseMillis} ms`)
      })
    )
  }

  /** Where another runner has room, this host moves there; one that did not answer is asked again whether it is there. */
  private lookElsewhere(): void {
    const { chosen } = this
    if (chosen === undefined || this.lost || this.terminated || this.callOff !== undefined) return
    if (this.leaving === undefined && chosen.crowded()) {
      this.leaving = "another runner has more room"
      return this.perhapsMove()
    }
    const absent = chosen.absent()
    if (absent === undefined) return
    const over = (): void => {
      this.callOff = undefined
    }
    const { answers, address, fails } = absent
    this.callOff = connect(address, this.options, this.request("probe"), Handshake.patience, ({ socket }) => {
      over()
      socket.destroy()
      answers()
    }, ({ final, problem }) => {
      over()
      fails(problem, final)
    })
  }

  private hear(kind: number, body: Uint8Array): void {
    if (this.lost || this.over) return
    switch (kind) {
      case Frames.kinds.beat:
        return
      case Frames.kinds.batch: {
        this.options.traffic("received", Frames.head + body.length)
        let batch: ReadonlyArray<Report>
        try {
          // Whether each is a report is for `RemoteHost` to say, as of any link.
          batch = Frames.readBatch(body) as ReadonlyArray<Report>
        } catch {
          return this.lose("the runner sent what cannot be read")
        }
        this.unsettled.heard(batch)
        this.events.received(batch)
        return this.perhapsMove()
      }
      case Frames.kinds.words: {
        const news = readNews(body)
        if (news === undefined) return this.lose("the runner sent what cannot be read")
        if (news === "leave") {
          this.leaving = "its runner takes no more work"
          this.chosen?.fails("it takes no more work", false)
          return this.perhapsMove()
        }
        return this.finish(this.terminated ? "terminated" : news.reason, news.error, news.final ? "final" : undefined)
      }
      default:
        return this.lose("the runner sent what cannot be read")
    }
  }

  /** Nobody can tell whether the host is gone. */
  private lose(reason: string): void {
    if (this.lost || this.over) return
    this.lost = true
    clearInterval(this.pulse)
    this.socket?.destroy()
    this.chosen?.fails(reason, false)
    const { fence, leaseMillis } = this.options
    const end = () => this.finish(this.terminated ? "terminated" : reason)
    // A lease after it heard us last its runner has ended it, and it heard us last before we gave it up.
    if (fence) setTimeout(end, Math.max(0, this.heardAt + 2 * leaseMillis - performance.now()))
    else queueMicrotask(end)
  }

  /** Goes on elsewhere, where that is wanted and nothing is in hand here. */
  private perhapsMove(): void {
    if (this.leaving === undefined || this.over || this.lost || this.terminated || !this.unsettled.empty) return
    this.finish(this.leaving, undefined, "moved")
  }

  private finish(reason: string, error?: unknown, how?: "final" | "moved"): void {
    if (this.over) return
    this.over = true
    this.callOff?.()
    clearInterval(this.pulse)
    this.socket?.destroy()
    this.chosen?.leave()
    this.events.exited(reason, error, how)
  }
}
