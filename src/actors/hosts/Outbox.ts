/**
 * What one side of a link has to say to the other: gathered, posted as one batch, and counted, so that the other side can
 * tell whether something was lost. A word that cannot be sent holds up no other: its sender is told.
 */
export class Outbox<Word> {
  private words: Array<Word> = []
  private readonly post: (batch: ReadonlyArray<Word>) => void
  private readonly unsendable: (word: Word, error: unknown) => void
  /** Words that were posted. */
  posted = 0

  /** `post` throws, and sends nothing, where something in the batch cannot be sent. */
  constructor(
    post: (batch: ReadonlyArray<Word>) => void,
    unsendable: (word: Word, error: unknown) => void
  ) {
    this.post = post
    this.unsendable = unsendable
  }

  /** Adds a word; answers how many wait. */
  push(word: Word): number {
    return this.words.push(word)
  }

  get empty(): boolean {
    return this.words.length === 0
  }

  /** Posts what waits, except for what `forgotten` says nobody wants any more. */
  flush(forgotten?: (word: Word) => boolean): void {
    if (this.words.length === 0) return
    const batch = forgotten === undefined ? this.words : this.words.filter((word) => !forgotten(word))
    this.words = []
    if (batch.length === 0) return
    try {
      this.post(batch)
      this.posted += batch.length
    } catch {
      // Something in the batch cannot be cloned or moved: find out which, and let the rest go.
      for (const word of batch) this.alone(word)
    }
  }

  private alone(word: Word): void {
    try {
      this.post([word])
    } catch (error) {
      return this.unsendable(word, error)
    }
    this.posted++
  }

  /** Posts a word at once, after nothing that waits. */
  say(word: Word): void {
    this.post([word])
    this.posted++
  }

  /** Forgets what waits. */
  clear(): void {
    this.words = []
  }
}
