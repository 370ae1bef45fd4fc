/**
 * An episode as a file of pictures: an animated SVG as the environment draws it, a GIF, a PNG with up to twelve states in
 * rows, or an MP4 where ffmpeg is. All but SVG are painted by sharp, which is looked for when it is needed.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type { PlatformError } from "effect/PlatformError"
import * as Schema from "effect/Schema"
import { spawn } from "node:child_process"
import { pathToFileURL } from "node:url"
import type Sharp from "sharp"
import type { EnvironmentDefinition } from "../../envs/EnvironmentDefinition.ts"
import { locate, PackageFolders } from "../../model/devices/packages.ts"
import { plainLine, thrownText } from "../../text/plainLine.ts"
import { withDeadline } from "../../time/deadline.ts"
import { explain } from "../files/reason.ts"
import * as wholeFile from "../files/wholeFile.ts"

/** A video that cannot be made. */
export class VideoError extends Schema.TaggedError<VideoError>()("VideoError", { message: Schema.String }) {}

/** How an episode is drawn: the picture of some states, and how many seconds each state is shown. */
export interface Drawing<E> {
  readonly draw: (states: ReadonlyArray<Float64Array>) => Effect.Effect<string, E>
  readonly pace: number
}

/** Columns of pixels of a frame. */
const width = 320
/** Frames of a GIF or MP4 at most: of a longer episode every second state is shown, or every third, ... */
const mostFrames = 300
/** Browsers show what is quicker a fifth as quick. */
const leastDelay = 20
const sheet = { columns: 4, most: 12 }

/** The version that is known to work; no other is run. */
const sharpVersion = "0.35.5"

type SharpModule = typeof Sharp

const isSharp = (value: unknown): value is SharpModule => typeof value === "function"

const loadSharp = Effect.gen(function*() {
  const missing = new VideoError({
    message: "Pictures other than SVG are painted by sharp, which is not installed: npm install sharp, or name an .svg."
  })
  const found = locate("sharp", yield* PackageFolders)
  if (found === undefined) return yield* missing
  if (found.version !== sharpVersion) {
    return yield* new VideoError({
      message: `sharp is installed in version ${plainLine(found.version, 40)}, and ${sharpVersion} is needed: ` +
        `npm install sharp@${sharpVersion}, or name an .svg.`
    })
  }
  const module = yield* Effect.tryPromise({
    try: (): Promise<{ readonly default?: unknown }> => import(pathToFileURL(found.file).href),
    catch: (cause) => new VideoError({ message: `sharp cannot be loaded: ${plainLine(thrownText(cause))}.` })
  })
  return isSharp(module.default) ? module.default : yield* missing
})

interface Frames {
  readonly pixels: ReadonlyArray<Buffer>
  readonly height: number
}

const paintFault = (cause: unknown) =>
  new VideoError({ message: `The picture cannot be painted: ${plainLine(thrownText(cause))}.` })

/** The pictures of single states, as rows of RGBA. */
const paint = Effect.fnUntraced(function*<E>(
  sharp: SharpModule,
  states: ReadonlyArray<Float64Array>,
  { draw }: Drawing<E>
): Effect.fn.Return<Frames, VideoError | E> {
  const painted = yield* Effect.forEach(states, (state) =>
    Effect.flatMap(draw([state]), (svg) =>
      Effect.tryPromise({
        try: () =>
          sharp(Buffer.from(svg)).resize({ width }).flatten({ background: "#fff" }).ensureAlpha().raw()
            .toBuffer({ resolveWithObject: true }),
        catch: paintFault
      })), { concurrency: 2 })
  const height = painted[0]?.info.height ?? 0
  if (painted.some(({ info }) => info.height !== height || info.width !== width)) {
    return yield* new VideoError({ message: "The pictures of the states are of different sizes." })
  }
  return { pixels: painted.map(({ data }) => data), height }
})

/** Every n-th state, so that there are at most so many, the last one included. */
const thinned = (states: ReadonlyArray<Float64Array>, most: number) => {
  const every = Math.ceil(states.length / most)
  const kept = states.filter((_, i) => (states.length - 1 - i) % every === 0)
  return { kept, every }
}

const gif = Effect.fnUntraced(function*(sharp: SharpModule, { height, pixels }: Frames, delay: number) {
  const raw = { width, height: height * pixels.length, channels: 4, pageHeight: height } as const
  return yield* Effect.tryPromise({
    try: () =>
      sharp(Buffer.concat(pixels), { raw, limitInputPixels: false }).gif({ delay: pixels.map(() => delay), loop: 0 })
        .toBuffer(),
    catch: paintFault
  })
})

const png = Effect.fnUntraced(function*(sharp: SharpModule, { height, pixels }: Frames) {
  const gap = 8
  const columns = Math.min(sheet.columns, pixels.length)
  const rows = Math.ceil(pixels.length / columns)
  const background = "#888"
  const whole = {
    width: columns * (width + gap) + gap,
    height: rows * (height + gap) + gap,
    channels: 4,
    background
  } as const
  const placed = pixels.map((input, i) => ({
    input,
    raw: { width, height, channels: 4 } as const,
    left: gap + (i % columns) * (width + gap),
    top: gap + Math.floor(i / columns) * (height + gap)
  }))
  return yield* Effect.tryPromise({
    try: () => sharp({ create: whole }).composite(placed).png().toBuffer(),
    catch: paintFault
  })
})

/** Hands the frames to ffmpeg, which writes the file. */
const mp4 = (
  path: string,
  { height, pixels }: Frames,
  delay: number,
  shown: string
): Effect.Effect<void, VideoError> =>
  Effect.callback<void, VideoError>((resume) => {
    const input = [
      "-f",
      "rawvideo",
      "-pix_fmt",
      "rgba",
      "-s",
      `${width}x${height}`,
      "-r",
      String(1000 / delay),
      "-i",
      "-"
    ]
    // Players want colors by halves, and so even sides.
    const output = ["-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-pix_fmt", "yuv420p", "-f", "mp4", path]
    const ffmpeg = spawn("ffmpeg", ["-y", "-loglevel", "error", ...input, ...output], {
      stdio: ["pipe", "ignore", "pipe"]
    })
    let said = ""
    const fail = (message: string) => resume(Effect.fail(new VideoError({ message })))
    ffmpeg.stderr.on("data", (chunk) => said = `${said}${chunk}`.slice(0, 1000))
    ffmpeg.on("error", () => fail("An MP4 is made by ffmpeg, which is not installed: install it, or name a .gif."))
    ffmpeg.on(
      "close",
      (code) =>
        code === 0
          ? resume(Effect.void)
          : fail(`ffmpeg could not make ${plainLine(shown, 300)}: ${plainLine(said.trim())}.`)
    )
    // That it does not read on is told by its end.
    ffmpeg.stdin.on("error", () => {})
    ffmpeg.stdin.end(Buffer.concat(pixels))
    return Effect.sync(() => ffmpeg.kill("SIGKILL"))
  }).pipe(
    withDeadline(300_000, () => Effect.fail(new VideoError({ message: "ffmpeg was not done within five minutes." })))
  )

const formats = ["svg", "gif", "png", "mp4"] as const
export type VideoFormat = (typeof formats)[number]

/** What a file's name says of its format. */
export const formatOf = (path: string): Effect.Effect<VideoFormat, VideoError> => {
  const format = formats.find((format) => path.toLowerCase().endsWith(`.${format}`))
  return format === undefined
    ? Effect.fail(
      new VideoError({
        message: `--video takes a name that ends in .${formats.join(", .")}; ${plainLine(path)} does not.`
      })
    )
    : Effect.succeed(format)
}

/** Seconds a state is shown where its environment does not say. */
export const paceOf = ({ rendering }: EnvironmentDefinition): number => rendering?.pace ?? 0.02

/** Writes the states of an episode as a file of that format. */
export const writeVideo = Effect.fnUntraced(function*<E>(
  path: string,
  format: VideoFormat,
  states: ReadonlyArray<Float64Array>,
  drawing: Drawing<E>
): Effect.fn.Return<void, VideoError | E, FileSystem.FileSystem> {
  const fs = yield* FileSystem.FileSystem
  const unwritten = (error: PlatformError) =>
    new VideoError({
      message: `${plainLine(path, 300)} cannot be written: ${explain(error)}. Name another file with --video.`
    })
  const write = (bytes: Uint8Array) => Effect.mapError(wholeFile.write(path, bytes), unwritten)
  if (format === "svg") return yield* write(Buffer.from(yield* drawing.draw(states)))
  const sharp = yield* loadSharp
  const { every, kept } = thinned(states, format === "png" ? sheet.most : mostFrames)
  const frames = yield* paint(sharp, kept, drawing)
  const delay = Math.max(leastDelay, Math.round(drawing.pace * every * 1000))
  switch (format) {
    case "gif":
      return yield* write(yield* gif(sharp, frames, delay))
    case "png":
      return yield* write(yield* png(sharp, frames))
    case "mp4":
      // It writes as it goes: elsewhere, so that the file itself is whole when it is there.
      return yield* Effect.scoped(Effect.gen(function*() {
        const elsewhere = `${yield* Effect.mapError(fs.makeTempDirectoryScoped(), unwritten)}/video.mp4`
        yield* mp4(elsewhere, frames, delay, path)
        yield* write(yield* Effect.mapError(fs.readFile(elsewhere), unwritten))
      }))
    default:
      return format satisfies never
  }
})
