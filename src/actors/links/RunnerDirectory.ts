/**
 * Which runners there are, as one owner sees them: how many of its hosts each has, which did not answer lately, and which
 * have refused it for good. A link asks for a runner whenever it needs one.
 */
import { plainLine } from "../../text/plainLine.ts"

/** Where a runner listens. */
export interface RunnerAddress {
  readonly host: string
  readonly port: number
}

export const show = ({ host, port }: RunnerAddress): string =>
  host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`

/** Reads `host:port`, or `[::1]:port`; undefined where it is none. */
export const parse = (text: string): RunnerAddress | undefined => {
  const [, bracketed, plain, digits] = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]/]+)):(\d{1,5})$/.exec(text.trim()) ?? []
  const host = bracketed ?? plain
  const port = Number(digits)
  return host === undefined || port > 65_535 ? undefined : { host, port }
}

/** Whether what goes to this host stays on this machine. */
export const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || /^127(?:\.\d{1,3}){3}$/.test(host)

/** Milliseconds that a runner is left alone which did not answer, the first time; then twice as long, */
const firstRest = 200
/** up to this. */
const longestRest = 5000

/** Milliseconds between two words to a person that there is no runner. */
const tellAgain = 10_000

interface Known {
  readonly address: RunnerAddress
  /** Links that have a host there, or are about to. */
  links: number
  /** How often in a row it did not answer, why, how long it is left alone for that, and until when. */
  failures: number
  problem: string | undefined
  rest: number
  until: number
  /** It has refused us for good. */
  refused: boolean
}

/** A runner that a link has chosen. */
export interface Chosen {
  readonly address: RunnerAddress
  /** It answered, and takes us. */
  readonly answers: () => void
  /**
   * It does not answer, went away, or refuses: `forGood` where another try would come to the same. Answers whether that is
   * news.
   */
  readonly fails: (problem: string, forGood: boolean) => boolean
  /** The link has no host there any more. */
  readonly leave: () => void
  /** Whether another runner that answers would have fewer hosts than this one, with the link's host on it. */
  readonly crowded: () => boolean
  /** A runner that did not answer, is to be asked again, and would be of use to who has a host here. */
  readonly absent: () => Pick<Chosen, "address" | "answers" | "fails"> | undefined
}

export class RunnerDirectory {
  private known: ReadonlyArray<Known>
  /** Whether there will be no others than were given. */
  private readonly fixed: boolean
  private toldAt = Number.NEGATIVE_INFINITY
  private readonly now: () => number

  /** `now`: milliseconds of a clock that goes on while the program is stopped. */
  constructor(
    addresses: ReadonlyArray<RunnerAddress>,
    now: () => number = () => performance.now(),
    { fixed = true }: { readonly fixed?: boolean } = {}
  ) {
    this.now = now
    this.fixed = fixed
    this.known = addresses.map(fresh)
  }

  /** Those that there are from now on. Who is not among them is not chosen any more; hosts that are there stay. */
  update(addresses: ReadonlyArray<RunnerAddress>): void {
    this.known = addresses.map((address) =>
      this.known.find(({ address: { host, port } }) => host === address.host && port === address.port) ?? fresh(address)
    )
  }

  /** The runner for one more host: of those that answer, the one with the fewest; undefined where there is none now. */
  choose(): Chosen | undefined {
    const time = this.now()
    let best: Known | undefined
    for (const one of this.known) {
      if (one.refused || one.until > time) continue
      if (best === undefined || load(one) < load(best)) best = one
    }
    if (best === undefined) return undefined
    const chosen = best
    chosen.links++
    let there = true
    const roomier = ({ links, refused }: Known) => !refused && links + 1 < chosen.links
    return {
      ...this.judging(chosen),
      leave: () => {
        if (there) chosen.links--
        there = false
      },
      crowded: () => this.known.some((one) => one.failures === 0 && roomier(one)),
      absent: () => {
        const time = this.now()
        const one = this.known.find((one) => one.failures > 0 && one.until <= time && roomier(one))
        if (one === undefined) return undefined
        // One link asks for all.
        one.until = time + longestRest
        return this.judging(one)
      }
    }
  }

  private judging(known: Known): Pick<Chosen, "address" | "answers" | "fails"> {
    return {
      address: known.address,
      answers: () => {
        known.failures = 0
        known.problem = undefined
        known.rest = firstRest
        known.until = 0
      },
      fails: (problem, forGood) => {
        const news = known.problem !== problem
        known.problem = problem
        known.refused ||= forGood
        known.failures++
        known.until = this.now() + known.rest
        known.rest = Math.min(longestRest, 2 * known.rest)
        return news
      }
    }
  }

  /** Whether a person is to be told that there is no runner: once in a while, whichever link waits. */
  get mayTell(): boolean {
    const time = this.now()
    if (time < this.toldAt + tellAgain) return false
    this.toldAt = time
    return true
  }

  /** Whether there is no runner, nor will be: all have refused us for good. */
  get hopeless(): boolean {
    return this.fixed && this.known.length > 0 && this.known.every(({ refused }) => refused)
  }

  /** What keeps each of them from being of use, as part of a sentence. */
  get problems(): string {
    if (this.known.length === 0) return "there is none"
    return this.known.map(({ address, problem = "no answer yet" }) => `${show(address)}: ${plainLine(problem, 300)}`)
      .join("; ")
  }
}

const fresh = (address: RunnerAddress): Known => ({
  address,
  links: 0,
  failures: 0,
  problem: undefined,
  rest: firstRest,
  until: 0,
  refused: false
})

/** Who did not answer the last time comes after all others. */
const load = ({ failures, links }: Known): number => links + (failures > 0 ? 1e6 : 0)
