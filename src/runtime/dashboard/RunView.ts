/** A run of this program on the board: a reporter of its events, and what else there is to see of it while somebody looks. */
import * as Effect from "effect/Effect"
import { linesOf } from "../../actors/inspection/Snapshot.ts"
import type { Policy } from "../evaluation/Policy.ts"
import type { Evaluation, Progress, RunEvent, Started } from "../monitoring/RunEvent.ts"
import { plural, whole } from "../reporting/formatting.ts"
import { metricNames, metricsOf } from "../reporting/metrics.ts"
import type { Reporter } from "../reporting/Reporter.ts"
import { actorLine, evaluationLine, finalLine, placeOf } from "../reporting/Table.ts"
import type { Run } from "../Run.ts"
import { actorsOf, Recoveries } from "./actorsOf.ts"
import type { Board, Subject } from "./Board.ts"
import { LoadWatch } from "./load.ts"
import type { Head } from "./Message.ts"
import { greedyEpisode } from "./pictures.ts"

/** Pictures of evaluations that are kept, and seconds between two of them. */
const mostPictures = 4
const pictureEvery = 5

/** The numbers of an event, by the columns of `metricNames`. */
const valuesOf = (event: Progress | Evaluation) => {
  const values = metricsOf(event)?.values ?? {}
  return metricNames.map((name) => values[name])
}

const headOf = (name: string, folder: string | null, threshold: number | null): Omit<Head, "pictures" | "control"> => ({
  is: "run",
  name,
  state: "starting",
  folder,
  threshold,
  facts: []
})

const factsOf = (started: Started): Head["facts"] => [
  ["algorithm", started.algo],
  ["preset", started.preset],
  ["seed", String(started.seed)],
  ["schedule", started.schedule],
  ["environments", whole(started.n_envs)],
  ["actors", `${plural(started.env_workers, "EnvWorker")} ${placeOf(started)}`],
  ["device", started.device],
  ["parameters", whole(started.parameters)]
]

export class RunView {
  private readonly run: Run["Service"]
  private readonly subject: Subject
  private readonly board: Board
  private readonly recoveries = new Recoveries()
  private readonly load = new LoadWatch()
  private picturedAt = -Infinity
  /** The newest report of progress that is not among the rows. */
  private newest: Progress | undefined
  private began = false

  constructor(board: Board, run: Run["Service"], folder: string | null) {
    this.board = board
    this.run = run
    const { id, rewardThreshold } = run.environment
    this.subject = board.add(headOf(id, folder, rewardThreshold ?? null))
  }

  readonly reporter: Reporter = {
    on: (events) =>
      Effect.gen({ self: this }, function*() {
        for (const event of events) {
          this.hear(event)
          if (event.event === "evaluation") yield* this.picture(event)
        }
      })
  }

  private hear(event: RunEvent): void {
    const { subject } = this
    switch (event.event) {
      case "started":
        subject.change({ state: "running", facts: factsOf(event) })
        return subject.say(
          null,
          "state",
          event.resumed === null ? "the run begins" : `goes on from update ${event.resumed}`
        )
      case "notice":
        return subject.say(null, "notice", event.message)
      case "placement":
        return subject.say(
          event.wall_seconds,
          "notice",
          `steps environments in ${
            event.placement === "fiber" ? "this thread" : plural(event.workers, event.placement)
          }`
        )
      case "progress": {
        const kept = subject.row("progress", metricNames, () => valuesOf(event), !this.began)
        this.began = true
        this.newest = kept ? undefined : event
        return
      }
      case "evaluation":
        subject.row("evaluation", metricNames, () => valuesOf(event))
        return subject.say(event.wall_seconds, "evaluation", evaluationLine(event))
      case "actor":
        this.recoveries.add(event.actor, event.recovery_ms)
        return subject.say(event.wall_seconds, "death", actorLine(event))
      case "checkpoint":
        return subject.say(event.wall_seconds, "checkpoint", `checkpoint of update ${whole(event.update)}`)
      case "finished":
        subject.change({ state: event.solved ? "solved" : "finished" })
        return subject.say(event.wall_seconds, "state", finalLine(event))
      case "episode":
        return
    }
  }

  /** A greedy episode of the policy as it is now; played when somebody asks to see it. */
  private picture({ env_steps, update, wall_seconds }: Evaluation): Effect.Effect<void> {
    const { environment } = this.run
    if (environment.rendering?.svg === undefined || wall_seconds - this.picturedAt < pictureEvery) return Effect.void
    this.picturedAt = wall_seconds
    return Effect.flatMap(
      Effect.option(this.run.policy),
      (policy) =>
        policy._tag === "None" ? Effect.void : this.addPicture(
          `${update}.svg`,
          `a greedy episode after ${whole(env_steps)} steps`,
          policy.value
        )
    )
  }

  private addPicture(name: string, title: string, policy: Policy): Effect.Effect<void> {
    return Effect.map(
      Effect.cached(greedyEpisode(policy, this.run.environment)),
      (drawn) => this.subject.addPicture(name, title, drawn, mostPictures)
    )
  }

  /** The program ends. */
  over(): void {
    if (["starting", "running"].includes(this.subject.state)) this.subject.change({ state: "ended before its time" })
  }

  /** What is asked for only while somebody looks. */
  readonly refresh: Effect.Effect<void> = Effect.suspend(() =>
    Effect.map(this.run.actors, (actors) => {
      // Those of a run that has ended are shown as they were.
      if (actors.length > 0) this.subject.setActors(actorsOf(linesOf(actors), this.recoveries))
      if (this.newest !== undefined) this.subject.latest("progress", valuesOf(this.newest))
      this.newest = undefined
      const load = this.load.due
      if (load !== undefined) this.board.setLoad(load)
    })
  )
}
