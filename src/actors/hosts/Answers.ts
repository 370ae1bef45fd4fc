/**
 * What an incarnation knows of messages that are to be answered later: for which of them somebody waits, and which the message
 * in hand (or the start) has answered so far.
 */
import type { AnswerWord } from "../links/HostLink.ts"

export class Answers {
  private readonly open: Set<number>
  private given: Array<AnswerWord> | undefined

  constructor(open: ReadonlyArray<number>) {
    this.open = new Set(open)
  }

  /** The message will be answered later, unless it has answered itself meanwhile. */
  expect(seq: number, given: ReadonlyArray<AnswerWord> | undefined): void {
    if (given?.some((answer) => answer[0] === seq) !== true) this.open.add(seq)
  }

  /** Nobody waits for it any more. */
  forsake(seq: number): void {
    this.open.delete(seq)
  }

  /** Whether somebody waits for the answer, as far as is known here; `inHand` is the message in hand. */
  waitsFor(seq: number, inHand: number): boolean {
    if (seq !== inHand) return this.open.has(seq)
    return this.given?.some((answer) => answer[0] === seq) !== true
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
