/**
 * The runner's end of connections from owners: shakes hands, starts a host for each, and passes on what the two say, as the
 * bytes that it is.
 *
 * Who is not known yet is given two seconds and 64 KiB. Who is known gets a host of this machine's own program, whatever it
 * says: an owner names no path and no code. A host lives as long as its connection. It is ended when that ends, when the
 * owner gives no sign of life for as long as it has said, and when an owner of the same system comes with a higher term.
 */
import type { Socket } from "node:net"
import { plainLine } from "../../text/plainLine.ts"
import * as Frames from "./Frames.ts"
import * as Handshake from "./Handshake.ts"
import type { HostLink, OpenLink } from "./HostLink.ts"
import { encodeEnd, isOrder, leave } from "./runnerWords.ts"
import { Malformed } from "./WireFormat.ts"

export interface RunnerServerOptions {
  /** Starts a host. */
  readonly open: OpenLink<Uint8Array, Uint8Array>
  /** What hosts say that they were built from. */
  readonly buildId: string | undefined
  readonly facts: Handshake.Facts
  /** The secrets that are good now: asked for each connection. */
  readonly secrets: () => ReadonlyArray<string>
  /** Why this runner does not have what an owner needs; undefined where it has. */
  readonly lacks: (need: string) => string | undefined
  /** Told what a person should know. */
  readonly notice: (text: string) => void
  /** Called when it takes no more work and the last is done. */
  readonly drained: () => void
}

/** Connections whose handshake is not over yet. More are not taken. */
const mostStrangers = 64

/** Milliseconds that a connection may take to be read to its end by the owner. */
const drain = 1000

interface Served {
  readonly system: string
  /** Ends the host, and then the connection. */
  readonly end: () => void
  /** Tells the owner to take its work elsewhere. */
  readonly leave: () => void
}

export class RunnerServer {
  private readonly options: RunnerServerOptions
  private readonly strangers = new Set<Socket>()
  private readonly served = new Set<Served>()
  /** The highest term heard of each system. */
  private readonly terms = new Map<string, number>()
  private draining = false
  private readonly onDrained: Array<() => void>
  /** Called when the last host is gone; there is one once this is to end. */
  private onEmpty: (() => void) | undefined

  constructor(options: RunnerServerOptions) {
    this.options = options
    this.onDrained = [options.drained]
  }

  /** Hosts that work for somebody. */
  get hosts(): number {
    return this.served.size
  }

  /** Takes a new connection. */
  accept(socket: Socket): void {
    // What goes wrong with a connection ends it, and `close` comes.
    socket.on("error", () => {})
    if (this.onEmpty !== undefined || this.strangers.size >= mostStrangers) return void socket.destroy()
    socket.setNoDelay(true)
    this.strangers.add(socket)
    const timer = setTimeout(() => socket.destroy(), Handshake.patience)
    const known = (): void => {
      clearTimeout(timer)
      this.strangers.delete(socket)
    }
    socket.on("close", known)
    const nonce = Handshake.nonce()
    let hear: ((kind: number, body: Uint8Array) => void) | undefined
    let over = false
    const deframer = new Frames.Deframer((kind, body) => {
      if (hear !== undefined) return hear(kind, body)
      if (over) return
      over = true
      const { claim, verdict } = Handshake.judge(body, nonce, {
        secrets: this.options.secrets(),
        facts: this.options.facts,
        draining: this.draining,
        termOf: (system) => this.terms.get(system) ?? 0,
        lacks: this.options.lacks
      })
      Frames.sendWords(socket, verdict)
      if (claim === undefined) {
        if (verdict.refusal !== null) this.options.notice(`refused ${from(socket)}: ${verdict.refusal.kind}`)
        return void socket.end()
      }
      known()
      deframer.limit = Frames.longFrame
      hear = this.wants(claim, socket)
    })
    socket.on("data", (chunk: Uint8Array) => {
      try {
        deframer.push(chunk)
      } catch {
        socket.destroy()
      }
    })
    Frames.sendWords(socket, Handshake.challenge(nonce))
  }

  /** Takes no more work; whose work is done here is told to take it elsewhere. Calls `done` when the last has. */
  drain(done: () => void): void {
    this.draining = true
    this.onDrained.push(done)
    for (const { leave } of this.served) leave()
    this.perhapsDone()
  }

  private perhapsDone(): void {
    if (this.served.size > 0) return
    if (this.draining) { for (const done of this.onDrained.splice(0)) done() }
    this.onEmpty?.()
  }

  /** Ends all hosts and connections; calls `gone` when the last host is. */
  close(gone: () => void): void {
    this.onEmpty = gone
    for (const socket of this.strangers) socket.destroy()
    for (const { end } of this.served) end()
    this.perhapsDone()
  }

  private wants(claim: Handshake.Claim, socket: Socket): ((kind: number, body: Uint8Array) => void) | undefined {
    switch (claim.want) {
      case "host":
        this.follow(claim)
        return this.serve(claim, socket)
      case "probe":
        return void socket.end()
      case "drain":
        // Whoever asked hears that it is done by the end of the connection.
        this.drain(() => void socket.end())
        return undefined
      default:
        return claim.want satisfies never
    }
  }

  /** A higher term ends what those before it have here. */
  private follow({ system, term }: Handshake.Claim): void {
    const before = this.terms.get(system)
    if (before !== undefined && before >= term) return
    this.terms.set(system, term)
    if (before === undefined) return
    for (const served of this.served) if (served.system === system) served.end()
  }

  private leave(served: Served): void {
    this.served.delete(served)
    const { system } = served
    // A first term is nothing to remember: none is lower.
    const first = (this.terms.get(system) ?? 0) <= 1
    if (first && !Array.from(this.served).some((other) => other.system === system)) this.terms.delete(system)
    this.perhapsDone()
  }

  /** A host for the owner at the other end; answers who hears its frames. */
  private serve(claim: Handshake.Claim, socket: Socket): (kind: number, body: Uint8Array) => void {
    const { buildId, notice, open } = this.options
    let heardAt = performance.now()
    let gone = false
    let begun = false
    let stranger: string | undefined
    const end = (): void => {
      link.terminate()
    }
    const served: Served = { system: claim.system, end, leave: () => Frames.sendWords(socket, leave) }
    this.served.add(served)
    /** What a host says first tells what it was built from. */
    const isStranger = (body: Uint8Array): boolean => {
      const [first] = Frames.readBatch(body)
      return first?.[0] === "ready" && buildId !== undefined && first[1] !== buildId
    }
    const link: HostLink<Uint8Array> = open({
      received: (body) => {
        if (stranger !== undefined) return
        if (!begun && isStranger(body)) {
          stranger = "its hosts are of another build than itself: start it again"
          return end()
        }
        begun = true
        Frames.sendBatch(socket, body)
      },
      exited: (reason, error, how) => {
        gone = true
        clearInterval(pulse)
        this.leave(served)
        const final = stranger !== undefined || how === "final"
        Frames.sendWords(socket, encodeEnd(stranger ?? plainLine(reason, 2000), error, final))
        socket.end()
        setTimeout(() => socket.destroy(), drain).unref()
      }
    })
    const pulse = setInterval(() => {
      Frames.sendBeat(socket)
      const silent = () => performance.now() - heardAt > claim.silence
      if (!silent()) return
      // We may have been stopped: what has come meanwhile is heard first.
      setImmediate(() =>
        setImmediate(() => {
          if (!silent() || gone) return
          notice(`nothing was heard from ${from(socket)} for ${claim.silence} ms: its host is ended`)
          end()
          socket.destroy()
        })
      )
    }, claim.beat)
    // A part of a frame is a sign of life too.
    socket.on("data", () => heardAt = performance.now())
    socket.on("close", () => {
      if (!gone) end()
    })
    return (kind, body) => {
      if (gone) return
      switch (kind) {
        case Frames.kinds.beat:
          return
        case Frames.kinds.batch:
          return link.post(body)
        case Frames.kinds.words:
          if (isOrder(body)) return end()
      }
      throw new Malformed(`${kind} is no frame of an owner`)
    }
  }
}

const from = (socket: Socket): string =>
  plainLine(`${socket.remoteAddress ?? "somebody"}:${socket.remotePort ?? "?"}`, 80)
