/**
 * What an incarnation knows of messages that are to be answered later: for which of them somebody waits, and which the message
 * in hand (or the start) has answered so far.
 */
import type { Method } from "../Actor.ts"
import type { AnswerWord, LaterWord } from "../links/HostLink.ts"
import type { Token } from "../Token.ts"

export class Answers {
  /** The names of their methods, by number: a token of another method is none of them. */
  private readonly open: Map<number, string>
  private given: Array<AnswerWord> | undefined

  constructor(open: ReadonlyArray<LaterWord>) {
    this.open = new Map(open)
  }

  /** The message will be answered later, unless it has answered itself meanwhile. */
  expect(seq: number, method: Method, given: ReadonlyArray<AnswerWord> | undefined): void {
    if (given?.some((answer) => answer[0] === seq) !== true) this.open.set(seq, method.name)
  }

  /** Nobody waits for it any more. */
  forsake(seq: number): void {
    this.open.delete(seq)
  }

  /** Whether somebody waits for the answer, as far as is known here; `inHand` is the message in hand. */
  waitsFor({ method, seq }: Token, inHand: { readonly seq: number; readonly method: Method } | undefined): boolean {
    if (seq !== inHand?.seq) return this.open.get(seq) === method
    return inHand.method.name === method && this.given?.some((answer) => answer[0] === seq) !== true
  }

  give(answer: AnswerWord): void {
    this.open.delete(answer[0])
    this.given ??= []
    this.given.push(answer)
  }

  /** The messages that were answered so far, where there are some. */
  get answered(): ReadonlyArray<number> | undefined {
    return this.given?.map(([seq]) => seq)
  }

  /** The answers so far, which are now committed. */
  take(): ReadonlyArray<AnswerWord> | undefined {
    const { given } = this
    this.given = undefined
    return given
  }
}
